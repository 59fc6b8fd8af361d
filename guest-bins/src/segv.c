/* SIGSEGV and SIGBUS: exact si_addr and si_code for loads, stores and jumps, and going on after each of them. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

static sigjmp_buf recover;
static char *base;
static volatile unsigned char sink;
static char alternate[65536];

static const char *code_name(int signal, int code) {
  if (signal == SIGBUS) return code == BUS_ADRERR ? "BUS_ADRERR" : "bus?";
  return code == SEGV_MAPERR ? "SEGV_MAPERR" : code == SEGV_ACCERR ? "SEGV_ACCERR" : "segv?";
}

static void handler(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("  signal %d %s at base%+ld\n", number, code_name(number, info->si_code), (long)((char *)info->si_addr - base));
  siglongjmp(recover, 1);
}

static void attempt(const char *what, void (*act)(char *), char *at) {
  printf("%s\n", what);
  if (sigsetjmp(recover, 1) == 0) {
    act(at);
    printf("  no signal\n");
  }
}

static void load_byte(char *p) { sink = *(volatile unsigned char *)p; }
static void store_byte(char *p) { *(volatile char *)p = 1; }
static void load_double(char *p) { sink = (int)*(volatile double *)p; }
static void store_word(char *p) { *(volatile int *)p = 5; }
static void copy_over(char *p) { memcpy(p, "0123456789abcdef", 16); }
static void repair(char *p) {
  mprotect(base, getpagesize(), PROT_READ | PROT_WRITE);
  *(volatile char *)p = 7;
}

int main(void) {
  long page = getpagesize();
  struct sigaction action;
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  setvbuf(stdout, NULL, _IONBF, 0);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaltstack(&stack, NULL);
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  base = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(base != MAP_FAILED);
  munmap(base + 3 * page, page);
  mprotect(base + 2 * page, page, PROT_NONE);
  mprotect(base, page, PROT_READ);
  attempt("read of a readable page", load_byte, base + 100);
  attempt("write to a read-only page", store_byte, base + 101);
  attempt("read of a page without access", load_byte, base + 2 * page + 5);
  attempt("double in a page without access", load_double, base + 2 * page + 8);
  attempt("word beyond the mapping", store_word, base + 3 * page + 4);
  attempt("byte just below a page without access", store_byte, base + 2 * page - 1);
  attempt("copy to a read-only page", copy_over, base + page - 32);
  attempt("write after making it writable", repair, base + 9);
  base = NULL;
  attempt("null pointer", load_byte, NULL);
  attempt("null pointer, offset", store_word, (char *)0x48);

  char name[] = "bus-file";
  FILE *file = fopen(name, "w+");
  fputs("short", file);
  fflush(file);
  base = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
  CHECK(base != MAP_FAILED);
  attempt("within the file's last page", load_byte, base + 4000);
  attempt("page beyond the end of the file", load_byte, base + page + 3);
  attempt("write beyond the end of the file", store_byte, base + page + 9);
  unlink(name);
  signal(SIGSEGV, SIG_DFL);
  printf("now without a handler\n");
  store_byte(NULL);
  return 0;
}
