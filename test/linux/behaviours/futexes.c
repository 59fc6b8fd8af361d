/* futex(2) beyond what C libraries use of it: locks that the kernel hands over, conditions with such locks, several words. */
#include "behaviour.h"
#include <linux/futex.h>
#include <pthread.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#define FUTEXES_WAITV 449

static int word, lock, second;
static volatile int ready, held, done;

static long futex(int *at, int op, long value, const void *limit, int *other, int last) {
  return syscall(SYS_futex, at, op, value, limit, other, last);
}
static int tid(void) { return syscall(SYS_gettid); }
/* Until somebody waits for the lock, which the kernel then marks. */
static void wait_for_waiter(void) {
  while (!(__atomic_load_n(&lock, __ATOMIC_SEQ_CST) & FUTEX_WAITERS)) sched_yield();
}
static void handler(int signo) { (void)signo; }
static pthread_t start(void *(*function)(void *), void *argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, function, argument) == 0);
  return thread;
}
static void join(pthread_t thread) { CHECK(pthread_join(thread, NULL) == 0); }

static void *takes_the_lock(void *operation) {
  CHECK(futex(&lock, (long)operation, 0, NULL, NULL, 0) == 0);
  CHECK((lock & FUTEX_TID_MASK) == tid());
  CHECK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
  return NULL;
}
BEHAVIOUR(locks_are_handed_over) {
  CHECK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0 && lock == tid());
  FAILS(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
  FAILS(futex(&lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
  pthread_t one = start(takes_the_lock, (void *)FUTEX_LOCK_PI);
  wait_for_waiter();
  FAILS(futex(&lock, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
  FAILS(futex(&lock, FUTEX_REQUEUE, 1, (void *)1, &second, 0), EINVAL);
  pthread_t two = start(takes_the_lock, (void *)FUTEX_LOCK_PI2);
  CHECK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
  join(one);
  join(two);
  FAILS(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
  lock = 0x3ffffff0;
  FAILS(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
}

static void *holds_the_lock(void *argument) {
  (void)argument;
  CHECK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
  held = 1;
  while (!done) sched_yield();
  CHECK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
  return NULL;
}
BEHAVIOUR(waits_for_locks_end_by_their_clocks) {
  struct timespec past, wrong = {0, 1000000000};
  pthread_t holder = start(holds_the_lock, NULL);
  while (!held) sched_yield();
  clock_gettime(CLOCK_REALTIME, &past);
  FAILS(futex(&lock, FUTEX_LOCK_PI, 0, &past, NULL, 0), ETIMEDOUT);
  FAILS(futex(&lock, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0), ETIMEDOUT);
  clock_gettime(CLOCK_MONOTONIC, &past);
  past.tv_sec += past.tv_nsec + 2000000 >= 1000000000;
  past.tv_nsec = (past.tv_nsec + 2000000) % 1000000000;
  FAILS(futex(&lock, FUTEX_LOCK_PI2, 0, &past, NULL, 0), ETIMEDOUT);
  FAILS(futex(&lock, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0), ENOSYS);
  FAILS(futex(&lock, FUTEX_LOCK_PI2, 0, &wrong, NULL, 0), EINVAL);
  FAILS(futex(&lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
  done = 1;
  join(holder);
}

static void *leaves_the_lock(void *argument) {
  (void)argument;
  CHECK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
  held = 1;
  wait_for_waiter();
  return NULL;
}
BEHAVIOUR(a_lock_whose_owner_has_ended) {
  pthread_t thread = start(leaves_the_lock, NULL);
  while (!held) sched_yield();
  CHECK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
  CHECK((lock & FUTEX_TID_MASK) == tid() && (lock & FUTEX_OWNER_DIED));
  join(thread);
}

static void *waits_for_the_condition(void *argument) {
  (void)argument;
  __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
  CHECK(futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0) == 0);
  CHECK((lock & FUTEX_TID_MASK) == tid());
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  CHECK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
  return NULL;
}
static int signal_condition(long most) {
  for (int all = 0;; sched_yield()) {
    long n = futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)most, &lock, 0);
    CHECK(n >= 0);
    if ((all += n) >= 3) return all;
  }
}
BEHAVIOUR(a_condition_whose_lock_is_held) {
  pthread_t threads[3];
  CHECK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
  for (int i = 0; i < 3; i++) threads[i] = start(waits_for_the_condition, NULL);
  CHECK(signal_condition(INT_MAX - 1) == 3 && done == 0);
  CHECK(lock == (tid() | (int)FUTEX_WAITERS));
  CHECK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
  for (int i = 0; i < 3; i++) join(threads[i]);
  CHECK(done == 3);
}
BEHAVIOUR(a_condition_whose_lock_is_free) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) threads[i] = start(waits_for_the_condition, NULL);
  CHECK(signal_condition(0) == 3);
  for (int i = 0; i < 3; i++) join(threads[i]);
  CHECK(done == 3 && (lock & FUTEX_TID_MASK) == 0);
}

BEHAVIOUR(conditions_and_locks_that_do_not_match) {
  struct timespec past = {0, 0};
  FAILS(futex(&word, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &lock, 0), EAGAIN);
  FAILS(futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &word, 0), EINVAL);
  FAILS(futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, &past, &lock, 0), ETIMEDOUT);
  FAILS(futex(&word, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &past, &lock, 0), ETIMEDOUT);
  FAILS(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &lock, 1), EAGAIN);
  FAILS(futex(&word, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &lock, 0), EINVAL);
  FAILS(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &word, 0), EINVAL);
  pthread_t thread = start(waits_for_the_condition, NULL);
  long result;
  while ((result = futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)0, &second, 0)) == 0) sched_yield();
  CHECK(result == -1 && errno == EINVAL);
  FAILS(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
  CHECK(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)0, &lock, 0) == 1);
  join(thread);
}

static void *is_interrupted(void *argument) {
  (void)argument;
  ready = tid();
  FAILS(futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0), EAGAIN);
  done = 1;
  return NULL;
}
BEHAVIOUR(a_signal_for_a_waiter_that_was_moved) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  CHECK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
  pthread_t thread = start(is_interrupted, NULL);
  while (futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)0, &lock, 0) == 0) sched_yield();
  CHECK(syscall(SYS_tgkill, getpid(), ready, SIGUSR1) == 0);
  join(thread);
  CHECK(done == 1 && futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
}
static void *waits_until_interrupted(void *argument) {
  int result;
  while ((result = futex(&word, FUTEX_WAIT_PRIVATE, 0, argument, NULL, 0)) == 0) continue;
  CHECK(errno == EINTR);
  done = 1;
  while (!held) usleep(1000);
  return NULL;
}
BEHAVIOUR(no_wake_is_lost_on_whom_a_signal_took_away) {
  struct sigaction action = {.sa_handler = handler};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  struct timespec long_time = {.tv_sec = 100};
  for (int timed = 0; timed < 2; timed++) {
    done = held = 0;
    pthread_t thread = start(waits_until_interrupted, timed ? &long_time : NULL);
    while (!done) {
      pthread_kill(thread, SIGUSR1);
      usleep(1000);
    }
    CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
    held = 1;
    join(thread);
    CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
  }
}
static void *waits_to_be_woken(void *unused) {
  CHECK(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == 0);
  return unused;
}
/* A kernel may give a process the tables of one that has ended. */
BEHAVIOUR(no_wake_is_lost_on_who_has_been_killed) {
  for (int i = 0; i < 3; i++) {
    int ends[2], status;
    CHECK(pipe(ends) == 0);
    pid_t killed = fork();
    if (killed == 0) {
      CHECK(write(ends[1], "", 1) == 1);
      futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
      _exit(1);
    }
    char byte;
    CHECK(read(ends[0], &byte, 1) == 1);
    usleep(10000);
    CHECK(kill(killed, SIGHUP) == 0 && waitpid(killed, &status, 0) == killed && WTERMSIG(status) == SIGHUP);
    pid_t child = fork();
    if (child == 0) {
      pthread_t thread = start(waits_to_be_woken, NULL);
      usleep(10000);
      CHECK(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
      join(thread);
      _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(ends[0]);
    close(ends[1]);
  }
}

struct waitv {
  uint64_t value, address;
  uint32_t flags, reserved;
};
static int words[3];
static struct waitv vector[3];
static void fill(void) {
  for (int i = 0; i < 3; i++) vector[i] = (struct waitv){0, (uintptr_t)&words[i], 2 | FUTEX_PRIVATE_FLAG, 0};
}
static long waitv(void *list, unsigned count, unsigned flags, void *limit, int clock) {
  return syscall(FUTEXES_WAITV, list, count, flags, limit, clock);
}
static void *waits_for_several(void *argument) {
  (void)argument;
  return (void *)waitv(vector, 3, 0, NULL, 0);
}
BEHAVIOUR(several_words_at_once) {
  void *result;
  fill();
  for (long i = 0; i < 3; i++) {
    pthread_t thread = start(waits_for_several, NULL);
    while (futex(&words[i], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0) sched_yield();
    CHECK(pthread_join(thread, &result) == 0 && result == (void *)i);
  }
  pthread_t thread = start(waits_for_several, NULL);
  while (futex(&words[1], FUTEX_REQUEUE_PRIVATE, 0, (void *)1, &second, 0) == 0) sched_yield();
  CHECK(futex(&words[1], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
  CHECK(futex(&second, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
  CHECK(pthread_join(thread, &result) == 0 && result == (void *)1);
}
BEHAVIOUR(several_words_refused) {
  struct {
    int64_t seconds, nanoseconds;
  } past = {0, 0}, wrong = {0, 1000000000};
  fill();
  FAILS(waitv(vector, 3, 0, &past, CLOCK_REALTIME), ETIMEDOUT);
  FAILS(waitv(vector, 3, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
  FAILS(waitv(vector, 3, 0, &past, CLOCK_BOOTTIME), EINVAL);
  FAILS(waitv(vector, 3, 0, &wrong, CLOCK_MONOTONIC), EINVAL);
  FAILS(waitv(vector, 3, 1, NULL, 0), EINVAL);
  FAILS(waitv(vector, 0, 0, NULL, 0), EINVAL);
  FAILS(waitv(vector, 129, 0, NULL, 0), EINVAL);
  FAILS(waitv(NULL, 1, 0, NULL, 0), EINVAL);
  FAILS(waitv((void *)8, 1, 0, NULL, 0), EFAULT);
  words[2] = 1;
  FAILS(waitv(vector, 3, 0, NULL, 0), EAGAIN);
  vector[1].flags = FUTEX_PRIVATE_FLAG;
  FAILS(waitv(vector, 3, 0, NULL, 0), EINVAL);
  fill();
  vector[1].address++;
  FAILS(waitv(vector, 3, 0, NULL, 0), EINVAL);
  fill();
  vector[2].reserved = 1;
  FAILS(waitv(vector, 3, 0, NULL, 0), EINVAL);
}
