/*
 * A thread that may sit in a blocking system call, and how another thread gets it out. Private to
 * vcpu_runner.c, stop.c and host_io.c.
 *
 *   OUT ── enter ──▶ IN ── leave ──▶ OUT
 *                    │ ▲
 *             kicker ▼ │ signal sent
 *                  KICKING
 *
 * A kicker holds the thread in KICKING while it looks at it and sends the signal, so the thread cannot leave (or
 * end) meanwhile.
 */
#ifndef KVMKIT_THREAD_H
#define KVMKIT_THREAD_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#include "kvmkit.h"

enum { THREAD_OUT, THREAD_IN, THREAD_KICKING };

struct kvmkit_thread {
  int state; /* atomic */
  pthread_t pthread;
  uint64_t id;
  /* Written by the thread while OUT, read by others only while they hold it (kvmkit_thread_hold). */
  uint64_t entries;         /* how often the thread went in: tells the watchdog "still the same call" */
  struct kvmkit_stop *stop; /* NULL: none */
  struct kvmkit_vcpu *vcpu; /* NULL in host I/O */
  /* Under kvmkit_stop_lock. */
  uint64_t entries_at_last_tick;
  struct kvmkit_thread *next;
};

struct kvmkit_stop {
  struct kvmkit_object object;
  int reason;   /* atomic; 0: not stopped */
  int wake_fd;  /* eventfd: readable once stopped */
  /* The rest under kvmkit_stop_lock. */
  int64_t wall_deadline_ns; /* CLOCK_MONOTONIC; < 0: not armed */
  int64_t cpu_deadline_ns;  /* of cpu_clock; < 0: not armed */
  int64_t cpu_check_ns;     /* when the deadline can be reached at the earliest, CLOCK_MONOTONIC */
  clockid_t cpu_clock;
  uint64_t signals;
  int listed;
  struct kvmkit_stop *next;
};

struct kvmkit_vcpu {
  struct kvmkit_fd fd;
  struct kvmkit_vm *vm;
  uint64_t owner; /* kvmkit_thread.id */
  struct kvmkit_mapping *page;
  struct kvmkit_mapping *dirty_ring; /* NULL until asked for */
  struct kvmkit_stop *stop;
  int kicked; /* atomic */
};

/* Protects the list of threads, the list of armed stops, and the timers in them. */
extern pthread_mutex_t kvmkit_stop_lock;
extern struct kvmkit_thread *kvmkit_threads;
/* Not 0 while the watchdog sleeps without a timeout; atomic. */
extern int kvmkit_watchdog_asleep;

void kvmkit_watchdog_wake(void);
/* The real-time signal that ends a blocking call; 0 before the first thread. */
int kvmkit_kick_signal(void);
/* Sends the kick signal to a held thread; with `leave_guest`, a KVM_RUN that has not started yet returns as well. */
void kvmkit_thread_kick(struct kvmkit_thread *, int leave_guest);

/* Under kvmkit_stop_lock: keeps a thread that is IN from leaving; 0 if it is not IN. */
static inline int kvmkit_thread_hold(struct kvmkit_thread *thread) {
  int expected = THREAD_IN;
  return __atomic_compare_exchange_n(&thread->state, &expected, THREAD_KICKING, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

static inline void kvmkit_thread_release(struct kvmkit_thread *thread) {
  __atomic_store_n(&thread->state, THREAD_IN, __ATOMIC_SEQ_CST);
}

/* Goes IN. 1 if `stop` has already come: leave again without the system call. */
static inline int kvmkit_enter(struct kvmkit_thread *thread, struct kvmkit_stop *stop, struct kvmkit_vcpu *vcpu) {
  thread->stop = stop;
  thread->vcpu = vcpu;
  thread->entries++;
  /* Either this thread sees the stop below, or whoever stops sees it IN (sequential consistency). */
  __atomic_store_n(&thread->state, THREAD_IN, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&kvmkit_watchdog_asleep, __ATOMIC_SEQ_CST)) kvmkit_watchdog_wake();
  return stop && __atomic_load_n(&stop->reason, __ATOMIC_SEQ_CST);
}

static inline void kvmkit_leave(struct kvmkit_thread *thread) {
  int expected = THREAD_IN;
  while (!__atomic_compare_exchange_n(&thread->state, &expected, THREAD_OUT, 0, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST)) {
    expected = THREAD_IN;
    sched_yield(); /* held: for the length of one system call */
  }
}

#endif
