/* System V semaphores, message queues and shared memory: making, finding, using, waiting, undoing, removing. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../guest.h"

union semun { int val; struct semid_ds *buf; unsigned short *array; };
struct message { long type; char text[100]; };

static void on(int s) { (void)s; }

static void semaphores(key_t key) {
  DID("absent", semget(key, 3, 0600));
  int id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
  printf("made %d\n", id >= 0);
  DID("exclusive", semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
  printf("found %d\n", semget(key, 3, 0600) == id && semget(key, 0, 0) == id);
  DID("more", semget(key, 4, 0600));
  DID("none", semget(IPC_PRIVATE, 0, 0600));
  SAY("who was last", semctl(id, 1, GETPID));
  union semun u = {.val = 2};
  SAY("setval", semctl(id, 1, SETVAL, u));
  SAY("getval", semctl(id, 1, GETVAL));
  u.val = 40000;
  SAY("too much", semctl(id, 1, SETVAL, u));
  struct sembuf a[2] = {{1, -1, 0}, {0, 5, 0}};
  SAY("semop", semop(id, a, 2));
  unsigned short values[3];
  u.array = values;
  SAY("getall", semctl(id, 0, GETALL, u));
  printf("%d %d %d, pid %d\n", values[0], values[1], values[2], semctl(id, 0, GETPID) == getpid());
  struct sembuf b[2] = {{1, -1, 0}, {2, -1, IPC_NOWAIT}};
  SAY("all or nothing", semop(id, b, 2));
  SAY("value", semctl(id, 1, GETVAL));
  b[1].sem_num = 7;
  SAY("no such", semop(id, b, 2));
  struct timespec t = {0, 20000000};
  struct sembuf z = {0, 0, 0};
  SAY("late", semtimedop(id, &z, 1, &t));
  SAY("nothing", semop(id, &z, 0));
  struct semid_ds ds;
  u.buf = &ds;
  SAY("stat", semctl(id, 0, IPC_STAT, u));
  printf("nsems %d mode %o key %d mine %d times %d %d\n", (int)ds.sem_nsems, ds.sem_perm.mode, ds.sem_perm.__key == key, ds.sem_perm.uid == geteuid() && ds.sem_perm.cuid == geteuid(), ds.sem_otime > 1000000000, ds.sem_ctime > 1000000000);
  /* The struct may lie where addresses have more than 32 bits. */
  int wide = sizeof(long) > 4;
  void *hint = (void *)((long)0x300000 << (wide ? 24 : 8));
  u.buf = mmap(hint, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("there %d\n", (void *)u.buf == hint);
  SAY("stat there", semctl(id, 0, IPC_STAT, u));
  printf("nsems %d\n", (int)u.buf->sem_nsems);
  u.array = (unsigned short *)u.buf;
  SAY("getall there", semctl(id, 0, GETALL, u));
  SAY("setall there", semctl(id, 0, SETALL, u));
  munmap(hint, 65536);
  u.buf = &ds;
  ds.sem_perm.mode = 0640;
  SAY("set", semctl(id, 0, IPC_SET, u));
  semctl(id, 0, IPC_STAT, u);
  printf("mode %o\n", ds.sem_perm.mode);
  /* A child waits until it is let on; what it did with SEM_UNDO is undone. */
  pid_t child = fork();
  if (child == 0) {
    struct sembuf w = {2, -3, 0}, undo = {0, -2, SEM_UNDO};
    semop(id, &undo, 1);
    semop(id, &w, 1);
    _exit(semctl(id, 0, GETVAL));
  }
  while (semctl(id, 2, GETNCNT) != 1) nap(2);
  SAY("value", semctl(id, 0, GETVAL));
  struct sembuf up = {2, 4, 0};
  SAY("up", semop(id, &up, 1));
  printf("child %d\n", quit());
  printf("undone %d, left %d\n", semctl(id, 0, GETVAL), semctl(id, 2, GETVAL));
  /* Waiting for zero. */
  if (fork() == 0) {
    struct sembuf w = {2, 0, 0};
    _exit(semop(id, &w, 1) == 0 ? 5 : 6);
  }
  while (semctl(id, 2, GETZCNT) != 1) nap(2);
  struct sembuf down = {2, -1, 0};
  semop(id, &down, 1);
  printf("child %d\n", quit());
  /* Interrupted, and removed under one that waits. */
  if (fork() == 0) {
    struct sigaction s = {.sa_handler = on, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &s, NULL);
    struct itimerval i = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &i, NULL);
    struct sembuf w = {2, -1, 0};
    int r = semop(id, &w, 1);
    _exit(r < 0 ? errno : 0);
  }
  printf("child %s\n", strerrorname_np(quit()));
  if (fork() == 0) {
    struct sembuf w = {2, -1, 0};
    int r = semop(id, &w, 1);
    _exit(r < 0 ? errno : 0);
  }
  while (semctl(id, 2, GETNCNT) != 1) nap(2);
  SAY("remove", semctl(id, 0, IPC_RMID));
  printf("child %s\n", strerrorname_np(quit()));
  DID("gone", semctl(id, 0, GETVAL));
  SAY("bad id", semctl(-1, 0, GETVAL));
}

static void messages(key_t key) {
  struct message m = {0}, r;
  int id = msgget(key, IPC_CREAT | 0600);
  printf("made %d found %d\n", id >= 0, msgget(key, 0) == id);
  for (int i = 1; i <= 4; i++) {
    m.type = 5 - i;
    sprintf(m.text, "message %d", i);
    msgsnd(id, &m, 10, 0);
  }
  SAY("bad type", (m.type = 0, msgsnd(id, &m, 1, 0)));
  SAY("too long", (m.type = 1, msgsnd(id, &m, 10000, 0)));
  SAY("any", msgrcv(id, &r, 100, 0, 0));
  printf("%ld %.10s\n", r.type, r.text);
  SAY("lowest", msgrcv(id, &r, 100, -2, 0));
  printf("%ld %.10s\n", r.type, r.text);
  SAY("this", msgrcv(id, &r, 100, 3, 0));
  printf("%ld %.10s\n", r.type, r.text);
  SAY("no such", msgrcv(id, &r, 100, 9, IPC_NOWAIT));
  SAY("small", msgrcv(id, &r, 3, 0, 0));
  SAY("except", msgrcv(id, &r, 3, 2, IPC_NOWAIT | MSG_EXCEPT));
  SAY("cut", msgrcv(id, &r, 3, 0, MSG_NOERROR));
  printf("%ld %.3s\n", r.type, r.text);
  SAY("empty", msgrcv(id, &r, 3, 0, IPC_NOWAIT));
  struct msqid_ds ds;
  SAY("stat", msgctl(id, IPC_STAT, &ds));
  printf("qnum %d cbytes %d qbytes %d sender %d receiver %d times %d %d\n", (int)ds.msg_qnum, (int)ds.__msg_cbytes, (int)ds.msg_qbytes, ds.msg_lspid == getpid(), ds.msg_lrpid == getpid(), ds.msg_stime > 1000000000, ds.msg_rtime > 1000000000);
  ds.msg_qbytes = 200;
  SAY("set", msgctl(id, IPC_SET, &ds));
  m.type = 1;
  int n = 0;
  while (msgsnd(id, &m, 100, IPC_NOWAIT) == 0) n++;
  printf("full after %d: %s\n", n, strerrorname_np(errno));
  /* One that waits for room, one for a message. */
  if (fork() == 0) {
    m.type = 7;
    strcpy(m.text, "waited");
    _exit(msgsnd(id, &m, 100, 0) == 0 ? 3 : 4);
  }
  nap(20);
  msgrcv(id, &r, 100, 0, 0);
  printf("child %d\n", quit());
  SAY("after", msgrcv(id, &r, 100, 7, 0));
  printf("%s\n", r.text);
  if (fork() == 0) {
    ssize_t got = msgrcv(id, &r, 100, 77, 0);
    _exit(got);
  }
  nap(20);
  m.type = 77;
  msgsnd(id, &m, 33, 0);
  printf("child %d\n", quit());
  if (fork() == 0) {
    int got = msgrcv(id, &r, 100, 99, 0);
    _exit(got < 0 ? errno : 0);
  }
  nap(20);
  SAY("remove", msgctl(id, IPC_RMID, NULL));
  printf("child %s\n", strerrorname_np(quit()));
  DID("gone", msgsnd(id, &m, 1, 0));
}

static void memory(key_t key) {
  struct shmid_ds ds;
  DID("nothing", shmget(IPC_PRIVATE, 0, 0600));
  int id = shmget(key, 10000, IPC_CREAT | 0600);
  printf("made %d found %d\n", id >= 0, shmget(key, 5000, 0) == id);
  DID("larger", shmget(key, 20000, 0));
  char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
  printf("attached %d %d\n", p != (char *)-1, q != (char *)-1 && q != p);
  strcpy(p + 5000, "shared");
  printf("%s\n", q + 5000);
  SAY("stat", shmctl(id, IPC_STAT, &ds));
  printf("size %d attached %d creator %d times %d\n", (int)ds.shm_segsz, (int)ds.shm_nattch, ds.shm_cpid == getpid(), ds.shm_atime > 1000000000);
  if (fork() == 0) {
    shmctl(id, IPC_STAT, &ds);
    strcpy(p, "from the child");
    char *mine = shmat(id, NULL, 0);
    mine[9999] = 'x';
    _exit(ds.shm_nattch);
  }
  printf("child %d\n", quit());
  printf("%s %c\n", q, q[9999]);
  SAY("detach", shmdt(q));
  SAY("again", shmdt(q));
  DID("unaligned", (long)shmat(id, p + 1, 0));
  printf("rounded %d\n", shmat(id, p + 0x100000 + 1, SHM_RND) == p + 0x100000);
  DID("in the way", (long)shmat(id, p, 0));
  printf("replaced %d\n", shmat(id, p, SHM_REMAP) == p);
  SAY("detach", shmdt(p + 0x100000));
  SAY("remove", shmctl(id, IPC_RMID, NULL));
  DID("by key", shmget(key, 1, 0));
  shmctl(id, IPC_STAT, &ds);
  printf("mode %o attached %d, %s\n", ds.shm_perm.mode, (int)ds.shm_nattch, p + 5000);
  /* Nobody has it attached for a while; what is in it stays. */
  int other = shmget(IPC_PRIVATE, 4096, 0600);
  char *o = shmat(other, NULL, 0);
  strcpy(o, "left alone");
  shmdt(o);
  o = shmat(other, NULL, 0);
  printf("%s\n", o);
  shmctl(other, IPC_RMID, NULL);
  shmdt(o);
  DID("gone", shmctl(other, IPC_STAT, &ds));
  SAY("detach", shmdt(p));
  DID("gone", shmctl(id, IPC_STAT, &ds));
  DID("bad id", (long)shmat(-1, NULL, 0));
}

int main(void) {
  key_t key = 0x10000 + getpid();
  semaphores(key);
  messages(key);
  memory(key);
  return 0;
}
