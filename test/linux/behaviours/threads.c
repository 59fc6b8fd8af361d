/* Threads, and what C libraries build on futex(2). */
#include "behaviour.h"
#include <mqueue.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define THREADS 5
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long count;
static void all(void *(*start)(void *)) {
  pthread_t ids[THREADS];
  for (long i = 0; i < THREADS; i++) CHECK(pthread_create(&ids[i], NULL, start, (void *)i) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(ids[i], NULL) == 0);
}
static long futex(int *at, int op, int value, const struct timespec *limit, int *other, int last) {
  return syscall(SYS_futex, at, op, value, limit, other, last);
}

static void *adds(void *argument) {
  (void)argument;
  for (int i = 0; i < 150; i++) {
    pthread_mutex_lock(&lock);
    count++;
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}
BEHAVIOUR(a_mutex_excludes) {
  all(adds);
  CHECK(count == THREADS * 150);
}

static void *atomic_adds(void *argument) {
  for (int i = 0; i < 400; i++) __atomic_fetch_add(&count, 1 + (long)argument, __ATOMIC_RELAXED);
  return NULL;
}
BEHAVIOUR(atomic_additions) {
  all(atomic_adds);
  CHECK(count == 400L * (THREADS + THREADS * (THREADS - 1) / 2));
}

static void *turns(void *argument) {
  for (int i = 0; i < 15; i++) {
    pthread_mutex_lock(&lock);
    while (count % THREADS != (long)argument) pthread_cond_wait(&changed, &lock);
    count++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}
BEHAVIOUR(turns_by_a_condition) {
  all(turns);
  CHECK(count == THREADS * 15);
}

static pthread_barrier_t barrier;
static int phases[THREADS];
static void *meets(void *argument) {
  for (int i = 0; i < 6; i++) {
    phases[(long)argument] = i;
    pthread_barrier_wait(&barrier);
    for (int n = 0; n < THREADS; n++) CHECK(phases[n] == i);
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}
BEHAVIOUR(barriers) {
  pthread_barrier_init(&barrier, NULL, THREADS);
  all(meets);
}

static sem_t items, room;
static int ring[4];
static void *produces(void *argument) {
  (void)argument;
  for (int i = 0; i < 80; i++) {
    sem_wait(&room);
    ring[i % 4] = i;
    sem_post(&items);
  }
  return NULL;
}
BEHAVIOUR(semaphores) {
  sem_init(&items, 0, 0);
  sem_init(&room, 0, 4);
  pthread_t producer;
  pthread_create(&producer, NULL, produces, NULL);
  for (int i = 0; i < 80; i++) {
    sem_wait(&items);
    CHECK(ring[i % 4] == i);
    sem_post(&room);
  }
  pthread_join(producer, NULL);
  CHECK(sem_trywait(&items) == -1 && errno == EAGAIN);
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static long pair[2];
static void *reads_or_writes(void *argument) {
  for (int i = 0; i < 40; i++) {
    if ((long)argument % 4 == 0) {
      pthread_rwlock_wrlock(&rw);
      pair[0]++;
      sched_yield();
      pair[1]++;
    } else {
      pthread_rwlock_rdlock(&rw);
      CHECK(pair[0] == pair[1]);
    }
    pthread_rwlock_unlock(&rw);
  }
  return NULL;
}
BEHAVIOUR(readers_and_writers) {
  all(reads_or_writes);
  CHECK(pair[0] == 2 * 40);
}

static __thread long own = 5;
static void *uses_own(void *argument) {
  for (int i = 0; i < 100; i++) {
    own += (long)argument;
    sched_yield();
  }
  CHECK(own == 5 + 100 * (long)argument);
  return NULL;
}
BEHAVIOUR(thread_local_variables) {
  all(uses_own);
  CHECK(own == 5);
}

static void clean(void *argument) { ++*(int *)argument; }
static void *sleeps(void *argument) {
  pthread_cleanup_push(clean, argument);
  for (;;) pause();
  pthread_cleanup_pop(1);
}
BEHAVIOUR(cancellation_cleans_up) {
  pthread_t thread;
  int cleaned = 0;
  void *result;
  pthread_create(&thread, NULL, sleeps, &cleaned);
  CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
  CHECK(result == PTHREAD_CANCELED && cleaned == 1);
}

static void ends(void *value) { __atomic_fetch_add(&count, (long)value, __ATOMIC_RELAXED); }
static pthread_key_t key;
static void *has_a_value(void *argument) {
  pthread_setspecific(key, (void *)((long)argument + 1));
  return NULL;
}
BEHAVIOUR(keys_have_destructors) {
  pthread_key_create(&key, ends);
  all(has_a_value);
  CHECK(count == THREADS * (THREADS + 1) / 2);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void first(void) { count++; }
static void *tries(void *argument) {
  (void)argument;
  pthread_once(&once, first);
  CHECK(count == 1);
  return NULL;
}
BEHAVIOUR(once_only) { all(tries); }

BEHAVIOUR(timed_waits_end) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_nsec += 10000000;
  if (limit.tv_nsec >= 1000000000) limit.tv_sec++, limit.tv_nsec -= 1000000000;
  pthread_mutex_lock(&lock);
  CHECK(pthread_cond_timedwait(&changed, &lock, &limit) == ETIMEDOUT);
  CHECK(sem_init(&items, 0, 0) == 0);
  FAILS(sem_timedwait(&items, &limit), ETIMEDOUT);
}

BEHAVIOUR(mutex_kinds) {
  pthread_mutexattr_t kind;
  pthread_mutex_t m;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&m, &kind);
  CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == 0);
  CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == EPERM);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&m, &kind);
  CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == EDEADLK);
  CHECK(pthread_mutex_unlock(&m) == 0);
}

static pthread_mutex_t *shared_lock;
static void *dies_with_it(void *argument) {
  (void)argument;
  pthread_mutex_lock(shared_lock);
  return NULL;
}
BEHAVIOUR(robust_mutex) {
  pthread_mutexattr_t kind;
  pthread_mutex_t m;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&m, &kind);
  shared_lock = &m;
  pthread_t thread;
  pthread_create(&thread, NULL, dies_with_it, NULL);
  pthread_join(thread, NULL);
  CHECK(pthread_mutex_lock(&m) == EOWNERDEAD && pthread_mutex_consistent(&m) == 0 && pthread_mutex_unlock(&m) == 0);
}

BEHAVIOUR(a_mutex_between_processes) {
  struct {
    pthread_mutex_t lock;
    int count;
  } *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&both->lock, &kind);
  for (int i = 0; i < 3; i++)
    if (fork() == 0) {
      for (int n = 0; n < 100; n++) {
        pthread_mutex_lock(&both->lock);
        int was = both->count;
        if (n % 25 == 0) sched_yield();
        both->count = was + 1;
        pthread_mutex_unlock(&both->lock);
      }
      _exit(0);
    }
  for (int i = 0; i < 3; i++) CHECK(wait(NULL) > 0);
  CHECK(both->count == 300);
}

BEHAVIOUR(a_semaphore_by_name) {
  char name[32];
  sprintf(name, "/behaviour-%d", getpid());
  sem_t *sem = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
  CHECK(sem != SEM_FAILED);
  pid_t child = fork();
  if (child == 0) {
    sem_t *same = sem_open(name, 0);
    CHECK(same != SEM_FAILED && sem_post(same) == 0);
    _exit(0);
  }
  CHECK(sem_wait(sem) == 0 && sem_unlink(name) == 0);
  reap(child, 0);
}

static int word, other;
static void *futex_waits(void *argument) {
  (void)argument;
  __atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST);
  futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
  __atomic_fetch_sub(&count, 1, __ATOMIC_SEQ_CST);
  return NULL;
}
BEHAVIOUR(futex_wakes_and_requeues) {
  struct timespec soon = {0, 5000000};
  FAILS(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
  FAILS(futex(&word, FUTEX_WAIT, 0, &soon, NULL, 0), ETIMEDOUT);
  CHECK(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0) == 0);
  pthread_t ids[4];
  for (int i = 0; i < 4; i++) pthread_create(&ids[i], NULL, futex_waits, NULL);
  /* Until all four are in the queue there is less to move. */
  int moved = 0;
  while (moved < 4) {
    long n = futex(&word, FUTEX_REQUEUE_PRIVATE, 0, (struct timespec *)10L, &other, 0);
    CHECK(n >= 0);
    moved += n;
    sched_yield();
  }
  CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0) == 0);
  CHECK(futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
  CHECK(futex(&other, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0) == 3);
  for (int i = 0; i < 4; i++) pthread_join(ids[i], NULL);
  CHECK(count == 0);
}

static void *is_named(void *argument) {
  char name[16];
  sprintf(name, "thread-%ld", (long)argument);
  CHECK(prctl(PR_SET_NAME, name) == 0);
  pthread_barrier_wait(&barrier);
  char got[16], path[64];
  CHECK(prctl(PR_GET_NAME, got) == 0 && strcmp(got, name) == 0);
  sprintf(path, "/proc/self/task/%ld/comm", syscall(SYS_gettid));
  int fd = open(path, O_RDONLY);
  CHECK(read(fd, got, 16) == (ssize_t)strlen(name) + 1 && memcmp(got, name, strlen(name)) == 0);
  return NULL;
}
BEHAVIOUR(names_of_threads) {
  CHECK(prctl(PR_SET_NAME, "the-first") == 0);
  pthread_barrier_init(&barrier, NULL, THREADS);
  all(is_named);
  char got[16];
  CHECK(prctl(PR_GET_NAME, got) == 0 && strcmp(got, "the-first") == 0);
}

static void *exits(void *argument) {
  (void)argument;
  exit(6);
}
BEHAVIOUR(exit_ends_all_threads) {
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, exits, NULL);
    for (;;) pause();
  }
  reap(child, 6);
}

static void *forks(void *argument) {
  (void)argument;
  pid_t child = fork();
  if (child == 0) _exit(getpid() == syscall(SYS_gettid) ? 4 : 1);
  reap(child, 4);
  return NULL;
}
BEHAVIOUR(fork_takes_one_thread) { all(forks); }

static void *goes_on(void *argument) {
  usleep(2000);
  write(*(int *)argument, "x", 1);
  _exit(0);
}
BEHAVIOUR(the_first_thread_may_end) {
  int ends[2];
  char c;
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, goes_on, &ends[1]);
    pthread_exit(NULL);
  }
  close(ends[1]);
  CHECK(read(ends[0], &c, 1) == 1);
  reap(child, 0);
}

static void *outlives(void *from) {
  char c;
  CHECK(read(*(int *)from, &c, 1) == 1);
  exit(c);
}
BEHAVIOUR(a_process_whose_first_thread_has_ended) {
  int ends[2];
  char path[64], b[512], state = 0;
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, outlives, ends) == 0);
    pthread_exit(NULL);
  }
  sprintf(path, "/proc/%d/stat", child);
  while (state != 'Z') {
    int fd = open(path, O_RDONLY), n = read(fd, b, sizeof b - 1);
    CHECK(n > 0 && close(fd) == 0);
    b[n] = 0;
    state = strrchr(b, ')')[2];
    sched_yield();
  }
  CHECK(waitpid(child, NULL, WNOHANG) == 0 && kill(child, 0) == 0 && write(ends[1], "!", 1) == 1);
  reap(child, '!');
}

static sem_t heard;
static void on_message(union sigval v) {
  CHECK(v.sival_int == 42);
  sem_post(&heard);
}

BEHAVIOUR(threads_are_told_of_messages_that_come_to_an_empty_queue) {
  char name[40], text[10];
  snprintf(name, sizeof name, "/told-%d", getpid());
  struct mq_attr sizes = {.mq_maxmsg = 4, .mq_msgsize = 10};
  mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &sizes);
  CHECK(queue >= 0 && mq_unlink(name) == 0 && sem_init(&heard, 0, 0) == 0);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value = {.sival_int = 42}};
  event.sigev_notify_function = on_message;
  for (int i = 0; i < 3; i++) {
    CHECK(mq_notify(queue, &event) == 0);
    FAILS(mq_notify(queue, &event), EBUSY);
    pid_t child = fork();
    if (child == 0) _exit(mq_send(queue, "one", 3, 0) != 0);
    reap(child, 0);
    CHECK(sem_wait(&heard) == 0 && mq_send(queue, "two", 3, 0) == 0);
    CHECK(mq_receive(queue, text, sizeof text, NULL) == 3 && mq_receive(queue, text, sizeof text, NULL) == 3);
    FAILS(sem_trywait(&heard), EAGAIN);
  }
  CHECK(mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0 && mq_notify(queue, &event) == 0);
  CHECK(mq_send(queue, "x", 1, 0) == 0 && sem_wait(&heard) == 0 && mq_close(queue) == 0);
}

/* What a thread sees of its niceness, policy and priority, and sets. */
static void *is_scheduled_apart(void *main_thread) {
  struct sched_param none = {0};
  pid_t tid = syscall(SYS_gettid);
  CHECK(getpriority(PRIO_PROCESS, 0) == 3 && setpriority(PRIO_PROCESS, 0, 7) == 0);
  CHECK(getpriority(PRIO_PROCESS, tid) == 7 && getpriority(PRIO_PROCESS, getpid()) == 3);
  CHECK(sched_setscheduler(0, SCHED_BATCH, &none) == 0 && sched_getscheduler(tid) == SCHED_BATCH);
  CHECK(sched_getscheduler(getpid()) == SCHED_OTHER);
  CHECK(prctl(PR_SET_TIMERSLACK, 4711) == 0 && prctl(PR_GET_TIMERSLACK) == 4711);
  CHECK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6) == 0 && syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | 6));
  CHECK(syscall(SYS_ioprio_get, 1, getpid()) != (2 << 13 | 6));
  char path[64], *at;
  sprintf(path, "/proc/self/task/%d/stat", tid);
  CHECK((at = strrchr(contents(path), ')')));
  long values[40], count = 0;
  for (at += 4; *at && *at != '\n' && count < 40; count++) values[count] = strtol(at, &at, 10);
  CHECK(values[14] == 27 && values[15] == 7 && values[37] == SCHED_BATCH);
  return NULL;
}
BEHAVIOUR(threads_are_scheduled_apart) {
  pthread_t thread;
  CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0);
  CHECK(pthread_create(&thread, NULL, is_scheduled_apart, NULL) == 0 && pthread_join(thread, NULL) == 0);
  CHECK(getpriority(PRIO_PROCESS, 0) == 3 && sched_getscheduler(0) == SCHED_OTHER);
  CHECK(prctl(PR_GET_TIMERSLACK) != 4711);
  pid_t child = fork();
  if (child == 0) {
    CHECK(getpriority(PRIO_PROCESS, 0) == 3);
    CHECK(getpriority(PRIO_PGRP, 0) <= 3);
    _exit(0);
  }
  reap(child, 0);
}

BEHAVIOUR(realtime_takes_a_privilege_or_a_limit) {
  struct sched_param one = {1}, none = {0}, many = {100};
  struct timespec slice;
  FAILS(sched_setscheduler(0, SCHED_FIFO, &none), EINVAL);
  FAILS(sched_setscheduler(0, SCHED_FIFO, &many), EINVAL);
  FAILS(sched_setscheduler(0, SCHED_OTHER, &one), EINVAL);
  FAILS(sched_setscheduler(0, 4, &none), EINVAL);
  if (geteuid() != 0) {
    FAILS(sched_setscheduler(0, SCHED_FIFO, &one), EPERM);
    return;
  }
  CHECK(sched_setscheduler(0, SCHED_RR, &one) == 0 && sched_getscheduler(0) == SCHED_RR);
  CHECK(sched_getparam(0, &none) == 0 && none.sched_priority == 1);
  CHECK(sched_rr_get_interval(0, &slice) == 0 && slice.tv_nsec == 100000000);
  pid_t child = fork();
  if (child == 0) {
    CHECK(sched_getscheduler(0) == SCHED_RR);
    CHECK(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &one) == 0);
    child = fork();
    if (child == 0) _exit(sched_getscheduler(0));
    reap(child, SCHED_OTHER);
    CHECK(setuid(1000) == 0);
    struct sched_param two = {2};
    FAILS(sched_setparam(0, &two), EPERM);
    CHECK(sched_setparam(0, &one) == 0);
    _exit(0);
  }
  reap(child, 0);
}

static long begins(const char *path) {
  char *at = strrchr(contents(path), ')');
  long value = 0;
  at += 4;
  for (int field = 4; field <= 22; field++) value = strtol(at, &at, 10);
  return value;
}
static void *began_later(void *unused) {
  char path[64];
  sprintf(path, "/proc/self/task/%d/stat", (int)syscall(SYS_gettid));
  CHECK(begins(path) > begins("/proc/self/stat"));
  sprintf(path, "/proc/self/task/%d/stat", getpid());
  CHECK(begins(path) == begins("/proc/self/stat"));
  return NULL;
}
BEHAVIOUR(threads_begin_when_they_are_made) {
  pthread_t thread;
  usleep(30000);
  CHECK(pthread_create(&thread, NULL, began_later, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

static volatile pthread_t taker;
static volatile int done;
static void note_taker(int signo) {
  (void)signo;
  taker = pthread_self();
}
static void *work(void *unused) {
  while (!done) {}
  return unused;
}
static void *work_and_hear(void *unused) {
  sigset_t none;
  sigemptyset(&none);
  CHECK(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
  return work(unused);
}

/* Others that are running leave them alone: what the first thread waits in is ended. */
BEHAVIOUR(signals_of_a_process_are_for_its_first_thread) {
  struct sigaction action = {.sa_handler = note_taker};
  struct timespec length = {1000, 0}, left;
  pthread_t worker, other;
  sigset_t users;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && pthread_create(&worker, NULL, work, NULL) == 0);
  pid_t child = fork();
  if (child == 0) {
    struct timespec soon = {0, 20000000};
    nanosleep(&soon, NULL);
    _exit(kill(getppid(), SIGUSR1));
  }
  FAILS(nanosleep(&length, &left), EINTR);
  CHECK(pthread_equal(taker, pthread_self()) && left.tv_sec > 900);
  reap(child, 0);
  /* What it has blocked another one takes. */
  sigemptyset(&users), sigaddset(&users, SIGUSR1);
  CHECK(pthread_sigmask(SIG_BLOCK, &users, NULL) == 0 && pthread_create(&other, NULL, work_and_hear, NULL) == 0);
  taker = pthread_self();
  CHECK(kill(getpid(), SIGUSR1) == 0);
  while (pthread_equal(taker, pthread_self())) sched_yield();
  CHECK(pthread_equal(taker, worker) || pthread_equal(taker, other));
  done = 1;
  CHECK(pthread_join(worker, NULL) == 0 && pthread_join(other, NULL) == 0);
}
