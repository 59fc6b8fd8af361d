/* Threads: all that a C library builds on clone and futex. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int count, turn;
static __thread int mine = 7;

static void *add(void *argument) {
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&lock);
    count++;
    pthread_mutex_unlock(&lock);
  }
  mine += (long)argument;
  return (void *)(long)mine;
}

static void *take_turns(void *argument) {
  long me = (long)argument;
  for (int i = 0; i < 200; i++) {
    pthread_mutex_lock(&lock);
    while (turn % 3 != me) pthread_cond_wait(&changed, &lock);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  return 0;
}

static void run(const char *what, void *(*start)(void *), int threads) {
  pthread_t ids[16];
  long sum = 0;
  for (long i = 0; i < threads; i++) pthread_create(&ids[i], 0, start, (void *)i);
  for (int i = 0; i < threads; i++) {
    void *result;
    pthread_join(ids[i], &result);
    sum += (long)result;
  }
  printf("%s: %ld count %d turn %d\n", what, sum, count, turn);
}

static int word, second;
static int futex(int *at, int op, int value, void *timeout, int *other, int last) {
  return syscall(SYS_futex, at, op, value, timeout, other, last);
}
static void *wait_bits(void *argument) {
  int result = futex(&word, FUTEX_WAIT_BITSET, 0, 0, 0, (long)argument);
  return (void *)(long)(result == 0 ? (long)argument : -errno);
}
static void *wait_plain(void *argument) {
  return (void *)(long)futex(&word, FUTEX_WAIT, 0, 0, 0, 0);
}
/* To move waiters to the word on which they are moves nothing, but counts them. */
static void all_wait(int threads) {
  while (futex(&word, FUTEX_CMP_REQUEUE, 0, (void *)INT_MAX, &word, 0) < threads) sched_yield();
}

static void futexes(void) {
  pthread_t ids[4];
  void *result;
  for (long i = 0; i < 4; i++) pthread_create(&ids[i], 0, wait_bits, (void *)(1L << i));
  all_wait(4);
  printf("woken by bit 2: %d\n", futex(&word, FUTEX_WAKE_BITSET, INT_MAX, 0, 0, 4));
  pthread_join(ids[2], &result);
  printf("it was %ld\n", (long)result);
  printf("woken by bits 0 and 3: %d\n", futex(&word, FUTEX_WAKE_BITSET, INT_MAX, 0, 0, 9));
  printf("the rest: %d\n", futex(&word, FUTEX_WAKE, INT_MAX, 0, 0, 0));
  for (int i = 0; i < 4; i++)
    if (i != 2) pthread_join(ids[i], 0);

  for (long i = 0; i < 4; i++) pthread_create(&ids[i], 0, wait_plain, 0);
  all_wait(4);
  int wrong = futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2, &second, 1);
  printf("wrong value: %d %d\n", wrong, errno == EAGAIN);
  printf("woken and moved: %d\n", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2, &second, 0));
  printf("at the first: %d\n", futex(&word, FUTEX_WAKE, INT_MAX, 0, 0, 0));
  printf("moved: %d\n", futex(&second, FUTEX_WAKE, INT_MAX, 0, 0, 0));
  for (int i = 0; i < 4; i++) pthread_join(ids[i], 0);

  for (long i = 0; i < 2; i++) pthread_create(&ids[i], 0, wait_plain, 0);
  all_wait(2);
  second = 5;
  int op = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5);
  int woken = futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &second, op);
  printf("wake_op: %d, then %d\n", woken, second);
  futex(&word, FUTEX_WAKE, INT_MAX, 0, 0, 0);
  for (int i = 0; i < 2; i++) pthread_join(ids[i], 0);

  struct timespec soon = {0, 1000000};
  int late = futex(&word, FUTEX_WAIT, 0, &soon, 0, 0);
  printf("nobody came: %d %d\n", late, errno == ETIMEDOUT);
}

static pthread_mutex_t special;
static void *die_with_lock(void *argument) {
  pthread_mutex_lock(&special);
  return 0;
}
static void *contend(void *argument) {
  for (int i = 0; i < 500; i++) {
    pthread_mutex_lock(&special);
    count++;
    if (i % 50 == 0) sched_yield();
    pthread_mutex_unlock(&special);
  }
  return 0;
}

static void mutexes(void) {
  pthread_mutexattr_t attributes;
  pthread_t id;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&special, &attributes);
  pthread_create(&id, 0, die_with_lock, 0);
  pthread_join(id, 0);
  printf("owner died: %d\n", pthread_mutex_lock(&special) == EOWNERDEAD);
  pthread_mutex_consistent(&special);
  pthread_mutex_unlock(&special);
  printf("sound again: %d\n", pthread_mutex_lock(&special));

  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&special, &attributes);
  count = 0;
  run("priority inheritance", contend, 4);
}

static sem_t semaphore;
static pthread_barrier_t barrier;
static void *meet(void *argument) {
  sem_wait(&semaphore);
  return (void *)(long)(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
}

static volatile int handled, in_main;
static pthread_t main_thread;
static void handler(int signo) {
  handled = signo;
  in_main = pthread_equal(pthread_self(), main_thread);
}
static void *forever(void *argument) {
  for (;;) pause();
}

static void signals(void) {
  pthread_t id;
  void *result;
  main_thread = pthread_self();
  signal(SIGUSR1, handler);
  pthread_create(&id, 0, forever, 0);
  pthread_kill(id, SIGUSR1);
  while (!handled) sched_yield();
  printf("handled %d, by main %d\n", handled == SIGUSR1, in_main);
  pthread_cancel(id);
  pthread_join(id, &result);
  printf("cancelled %d\n", result == PTHREAD_CANCELED);
}

static void *end_all(void *argument) { exit(6); }
static char **arguments;
static void *replace_all(void *argument) {
  execv(arguments[0], arguments);
  _exit(1);
}

static void ends(void *(*start)(void *), const char *what) {
  int status;
  fflush(stdout);
  if (fork() == 0) {
    pthread_t id;
    pthread_create(&id, 0, start, 0);
    for (;;) pause();
  }
  wait(&status);
  printf("%s %d\n", what, WEXITSTATUS(status));
}

/* kill(2) of any thread's id is one of its process. */
static int other;
static int reached;
static void note(int signo) { reached++; }
static void *wait_for_main(void *unused) {
  other = syscall(SYS_gettid);
  sem_post(&semaphore);
  pause();
  return 0;
}
static void by_thread(void) {
  pthread_t id;
  sigset_t mask;
  signal(SIGUSR2, note);
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  sem_init(&semaphore, 0, 0);
  pthread_sigmask(SIG_BLOCK, &mask, 0);
  pthread_create(&id, 0, wait_for_main, 0);
  pthread_sigmask(SIG_UNBLOCK, &mask, 0);
  sem_wait(&semaphore);
  int result = kill(other, SIGUSR2);
  printf("kill of a thread's id: %d, reached main %d\n", result, reached);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc > 1) return syscall(SYS_gettid) == getpid() ? 8 : 1;
  run("mutex", add, 8);
  run("condition", take_turns, 3);
  futexes();
  mutexes();
  sem_init(&semaphore, 0, 0);
  pthread_barrier_init(&barrier, 0, 4);
  for (int i = 0; i < 4; i++) sem_post(&semaphore);
  run("barrier", meet, 4);
  signals();
  by_thread();
  ends(end_all, "exit of a thread ends the process:");
  char *next[] = {argv[0], "again", 0};
  arguments = next;
  ends(replace_all, "execve by a thread leaves that one alone:");
  return 0;
}
