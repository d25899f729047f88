/*
 * Stops, and the watchdog thread behind them.
 *
 * A stop ends KVM_RUN and blocking host I/O on whichever threads run with it. It is set by a call from any thread,
 * by a limit of wall or CPU time, or by a signal to the process.
 *
 * One watchdog thread serves the process: per-thread POSIX timers would cost a system call or two per armed run and
 * a signal handler that must find the run page; the watchdog costs one thread, made when first needed, which sleeps
 * for good while nothing runs. Every TICK it also kicks threads that have sat in one call for a whole tick. They go
 * back to JavaScript for a moment, which is where worker.terminate() and process.exit() take effect.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "thread.h"

enum { TICK_NS = 50 * 1000 * 1000, IDLE_TICKS = 20, HIGHEST_SIGNAL = 31 };

pthread_mutex_t kvmkit_stop_lock = PTHREAD_MUTEX_INITIALIZER;
struct kvmkit_thread *kvmkit_threads;
int kvmkit_watchdog_asleep = 1;

static struct kvmkit_stop *listed_stops;
static int watchdog_started; /* under kvmkit_stop_lock */
static int wake_fd = -1;
static int64_t looks_next_ns; /* under kvmkit_stop_lock; when the watchdog looks without being woken */
static uint64_t pending_signals; /* atomic */

static int64_t now_ns(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) return -1;
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void notify(int eventfd) {
  uint64_t one = 1;
  ssize_t written = write(eventfd, &one, sizeof one);
  (void)written; /* EAGAIN: the counter is full, so the reader wakes anyway */
}

static void drain(int eventfd) {
  uint64_t count;
  ssize_t got = read(eventfd, &count, sizeof count);
  (void)got;
}

/* ---- the watchdog; everything under kvmkit_stop_lock unless it says otherwise ---- */

static void stop_with(struct kvmkit_stop *stop, int reason) {
  int none = 0;
  if (!__atomic_compare_exchange_n(&stop->reason, &none, reason, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  notify(stop->wake_fd);
  for (struct kvmkit_thread *thread = kvmkit_threads; thread; thread = thread->next) {
    if (!kvmkit_thread_hold(thread)) continue;
    if (thread->stop == stop) kvmkit_thread_kick(thread, 1);
    kvmkit_thread_release(thread);
  }
}

static void check_signals(void) {
  uint64_t signals = __atomic_exchange_n(&pending_signals, 0, __ATOMIC_ACQ_REL);
  if (!signals) return;
  for (struct kvmkit_stop *stop = listed_stops; stop; stop = stop->next) {
    uint64_t hit = stop->signals & signals;
    if (hit) stop_with(stop, KVMKIT_STOP_SIGNAL + __builtin_ctzll(hit));
  }
}

/*
 * A thread's CPU clock cannot run faster than wall time, so "CPU time left" is a wall time before which the
 * deadline cannot come: a busy thread is looked at once, an idle one rarely.
 */
static void check_cpu(struct kvmkit_stop *stop, int64_t now) {
  if (stop->cpu_deadline_ns < 0 || now < stop->cpu_check_ns) return;
  int64_t used = now_ns(stop->cpu_clock);
  if (used < 0) {
    stop->cpu_deadline_ns = -1; /* the thread has ended */
  } else if (used >= stop->cpu_deadline_ns) {
    stop->cpu_deadline_ns = -1;
    stop_with(stop, KVMKIT_STOP_CPU);
  } else {
    int64_t left = stop->cpu_deadline_ns - used;
    stop->cpu_check_ns = now + (left > 1000000 ? left : 1000000);
  }
}

static void check_wall(struct kvmkit_stop *stop, int64_t now) {
  if (stop->wall_deadline_ns < 0 || now < stop->wall_deadline_ns) return;
  stop->wall_deadline_ns = -1;
  stop_with(stop, KVMKIT_STOP_WALL);
}

static void earlier(int64_t *next, int64_t candidate) {
  if (candidate >= 0 && (*next < 0 || candidate < *next)) *next = candidate;
}

/* Fires what is due; when to look again, or -1. */
static int64_t check_timers(int64_t now) {
  int64_t next = -1;
  for (struct kvmkit_stop *stop = listed_stops; stop; stop = stop->next) {
    check_wall(stop, now);
    check_cpu(stop, now);
    earlier(&next, stop->wall_deadline_ns);
    if (stop->cpu_deadline_ns >= 0) earlier(&next, stop->cpu_check_ns);
  }
  return next;
}

static int any_thread_in(void) {
  for (struct kvmkit_thread *thread = kvmkit_threads; thread; thread = thread->next)
    if (__atomic_load_n(&thread->state, __ATOMIC_SEQ_CST) != THREAD_OUT) return 1;
  return 0;
}

/* Kicks who has been in one call since the last tick; 1 if anybody is in. */
static int tick(void) {
  int busy = 0;
  for (struct kvmkit_thread *thread = kvmkit_threads; thread; thread = thread->next) {
    if (!kvmkit_thread_hold(thread)) continue;
    busy = 1;
    if (thread->entries == thread->entries_at_last_tick)
      kvmkit_thread_kick(thread, thread->stop && kvmkit_stop_reason(thread->stop));
    thread->entries_at_last_tick = thread->entries;
    kvmkit_thread_release(thread);
  }
  return busy;
}

/* Ticks while threads are in calls, then for a second more, then until kvmkit_enter() wakes it. */
static int64_t check_threads(int64_t now) {
  static int64_t next_tick;
  static int idle_ticks;
  if (now < next_tick) return next_tick;
  idle_ticks = tick() ? 0 : idle_ticks + 1;
  next_tick = now + TICK_NS;
  if (idle_ticks < IDLE_TICKS) return next_tick;
  __atomic_store_n(&kvmkit_watchdog_asleep, 1, __ATOMIC_SEQ_CST);
  if (!any_thread_in()) return -1;
  __atomic_store_n(&kvmkit_watchdog_asleep, 0, __ATOMIC_SEQ_CST);
  return next_tick;
}

/* Holds no lock while it sleeps. */
static void *watchdog(void *unused) {
  (void)unused;
  for (;;) {
    pthread_mutex_lock(&kvmkit_stop_lock);
    check_signals();
    int64_t now = now_ns(CLOCK_MONOTONIC);
    int64_t next = check_timers(now);
    earlier(&next, check_threads(now));
    looks_next_ns = next < 0 ? INT64_MAX : next;
    pthread_mutex_unlock(&kvmkit_stop_lock);
    struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
    struct timespec timeout = {(next - now) / 1000000000, (next - now) % 1000000000};
    if (next >= 0 && next <= now) continue;
    if (ppoll(&wake, 1, next < 0 ? NULL : &timeout, NULL) > 0) drain(wake_fd);
  }
  return NULL;
}

static int start_watchdog(void) {
  if (watchdog_started) return 0;
  if (wake_fd < 0) wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) return -errno;
  /* No signal of the process is ever handled on the watchdog. */
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, watchdog, NULL);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  watchdog_started = error == 0;
  return -error;
}

/* Not under the lock. Where the watchdog cannot be started, the next call tries again. */
void kvmkit_watchdog_wake(void) {
  pthread_mutex_lock(&kvmkit_stop_lock);
  int error = start_watchdog();
  __atomic_store_n(&kvmkit_watchdog_asleep, error != 0, __ATOMIC_SEQ_CST);
  pthread_mutex_unlock(&kvmkit_stop_lock);
  if (!error) notify(wake_fd);
}

/* ---- stops ---- */

static void list(struct kvmkit_stop *stop) {
  if (stop->listed) return;
  stop->listed = 1;
  stop->next = listed_stops;
  listed_stops = stop;
}

static void unlist(struct kvmkit_stop *stop) {
  if (!stop->listed) return;
  struct kvmkit_stop **link = &listed_stops;
  while (*link != stop) link = &(*link)->next;
  *link = stop->next;
  stop->listed = 0;
}

static void destroy_stop(struct kvmkit_object *object) {
  struct kvmkit_stop *stop = (struct kvmkit_stop *)object;
  kvmkit_stop_disarm(stop);
  close(stop->wake_fd);
  free(stop);
}

int kvmkit_stop_create(struct kvmkit_stop **out) {
  struct kvmkit_stop *stop = calloc(1, sizeof *stop);
  if (!stop) return -ENOMEM;
  stop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop->wake_fd < 0) {
    int error = -errno;
    free(stop);
    return error;
  }
  stop->wall_deadline_ns = stop->cpu_deadline_ns = -1;
  kvmkit_object_init(&stop->object, KVMKIT_STOP, destroy_stop);
  *out = stop;
  return 0;
}

void kvmkit_stop_now(struct kvmkit_stop *stop, int reason) {
  pthread_mutex_lock(&kvmkit_stop_lock);
  stop_with(stop, reason);
  pthread_mutex_unlock(&kvmkit_stop_lock);
}

int kvmkit_stop_reason(const struct kvmkit_stop *stop) { return __atomic_load_n(&stop->reason, __ATOMIC_ACQUIRE); }

/* Puts the stop under the watchdog's eyes. */
static int list_and_watch(struct kvmkit_stop *stop) {
  int error = start_watchdog();
  if (!error) list(stop);
  return error;
}

/*
 * Only a deadline before the watchdog's next look must wake it: calls into a guest arm and disarm one each, and a
 * wake costs more than such a call.
 */
static void look_at(int64_t ns) {
  if (ns < looks_next_ns) notify(wake_fd);
}

int kvmkit_stop_arm_wall(struct kvmkit_stop *stop, int64_t ns) {
  int error = 0;
  pthread_mutex_lock(&kvmkit_stop_lock);
  stop->wall_deadline_ns = -1;
  if (ns >= 0 && (error = list_and_watch(stop)) == 0) {
    stop->wall_deadline_ns = now_ns(CLOCK_MONOTONIC) + ns;
    look_at(stop->wall_deadline_ns);
  }
  pthread_mutex_unlock(&kvmkit_stop_lock);
  return error;
}

int kvmkit_stop_arm_cpu(struct kvmkit_stop *stop, int64_t ns) {
  int error = 0;
  pthread_mutex_lock(&kvmkit_stop_lock);
  stop->cpu_deadline_ns = -1;
  if (ns >= 0 && (error = -pthread_getcpuclockid(pthread_self(), &stop->cpu_clock)) == 0 &&
      (error = list_and_watch(stop)) == 0) {
    stop->cpu_deadline_ns = now_ns(stop->cpu_clock) + ns;
    stop->cpu_check_ns = now_ns(CLOCK_MONOTONIC) + ns;
    look_at(stop->cpu_check_ns);
  }
  pthread_mutex_unlock(&kvmkit_stop_lock);
  return error;
}

void kvmkit_stop_reset(struct kvmkit_stop *stop) {
  pthread_mutex_lock(&kvmkit_stop_lock);
  stop->wall_deadline_ns = stop->cpu_deadline_ns = -1;
  if (!stop->signals) unlist(stop);
  drain(stop->wake_fd);
  __atomic_store_n(&stop->reason, 0, __ATOMIC_SEQ_CST);
  pthread_mutex_unlock(&kvmkit_stop_lock);
}

void kvmkit_stop_disarm(struct kvmkit_stop *stop) {
  kvmkit_stop_watch(stop, 0);
  pthread_mutex_lock(&kvmkit_stop_lock);
  stop->wall_deadline_ns = stop->cpu_deadline_ns = -1;
  unlist(stop);
  pthread_mutex_unlock(&kvmkit_stop_lock);
}

/* ---- signals of the process ---- */

static struct {
  unsigned watchers;
  struct sigaction before;
} watched[HIGHEST_SIGNAL + 1];

/* Only what signal-safety(7) allows: an atomic, and write(2). */
static void on_watched_signal(int signal) {
  int error = errno;
  __atomic_or_fetch(&pending_signals, 1ull << signal, __ATOMIC_SEQ_CST);
  notify(wake_fd);
  errno = error;
}

static int watch_signal(int signal) {
  if (watched[signal].watchers++ > 0) return 0;
  struct sigaction action = {.sa_handler = on_watched_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, &action, &watched[signal].before) == 0) return 0;
  watched[signal].watchers = 0;
  return -errno;
}

/* Puts the earlier handler back, unless somebody has replaced ours meanwhile. */
static void unwatch_signal(int signal) {
  if (--watched[signal].watchers > 0) return;
  struct sigaction current;
  if (sigaction(signal, NULL, &current) == 0 && current.sa_handler == on_watched_signal)
    sigaction(signal, &watched[signal].before, NULL);
}

int kvmkit_stop_watch(struct kvmkit_stop *stop, uint64_t signals) {
  pthread_mutex_lock(&kvmkit_stop_lock);
  int result = signals ? list_and_watch(stop) : 0;
  for (int signal = 1; !result && signal <= HIGHEST_SIGNAL; signal++) {
    uint64_t bit = 1ull << signal;
    int before = (stop->signals & bit) != 0;
    int after = (signals & bit) != 0;
    if (after && !before) {
      result = watch_signal(signal);
      if (!result) stop->signals |= bit;
    } else if (before && !after) {
      unwatch_signal(signal);
      stop->signals &= ~bit;
    }
  }
  pthread_mutex_unlock(&kvmkit_stop_lock);
  return result;
}
