/*
 * KVM_RUN on the thread that calls it, and the ways out of it.
 *
 * KVM api.rst 5, "kvm_run.immediate_exit": a signal that comes just before KVM_RUN would be lost; a kicker
 * therefore sets immediate_exit first and sends the signal then. Whichever way the race goes, KVM_RUN returns.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "thread.h"

/* ---- threads ---- */

static int kick_signal;
static pthread_once_t kick_once = PTHREAD_ONCE_INIT;
static uint64_t next_thread_id = 1;

static void on_kick(int signal) { (void)signal; }

/* The highest real-time signal that nobody in the process uses, from the top: libraries take from the bottom. */
static void choose_kick_signal(void) {
  for (int signal = SIGRTMAX - 1; signal >= SIGRTMIN; signal--) {
    struct sigaction current;
    if (sigaction(signal, NULL, &current) != 0 || current.sa_handler != SIG_DFL) continue;
    /* Without SA_RESTART, so that a blocked read or write of host_io.c returns. */
    struct sigaction action = {.sa_handler = on_kick};
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, &action, NULL) == 0) {
      kick_signal = signal;
      return;
    }
  }
}

int kvmkit_kick_signal(void) { return kick_signal; }

struct kvmkit_thread *kvmkit_thread_create(void) {
  struct kvmkit_thread *thread = calloc(1, sizeof *thread);
  if (!thread) return NULL;
  pthread_once(&kick_once, choose_kick_signal);
  thread->pthread = pthread_self();
  sigset_t kick;
  sigemptyset(&kick);
  sigaddset(&kick, kick_signal);
  pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
  pthread_mutex_lock(&kvmkit_stop_lock);
  thread->id = next_thread_id++;
  thread->next = kvmkit_threads;
  kvmkit_threads = thread;
  pthread_mutex_unlock(&kvmkit_stop_lock);
  return thread;
}

void kvmkit_thread_destroy(struct kvmkit_thread *thread) {
  pthread_mutex_lock(&kvmkit_stop_lock);
  struct kvmkit_thread **link = &kvmkit_threads;
  while (*link != thread) link = &(*link)->next;
  *link = thread->next;
  pthread_mutex_unlock(&kvmkit_stop_lock);
  free(thread);
}

static struct kvm_run *run_page(const struct kvmkit_vcpu *vcpu) {
  /* SAFETY: the vCPU owns its page, and every caller holds the vCPU. */
  return (struct kvm_run *)kvmkit_mapping_address(vcpu->page);
}

void kvmkit_thread_kick(struct kvmkit_thread *thread, int leave_guest) {
  if (leave_guest && thread->vcpu) __atomic_store_n(&run_page(thread->vcpu)->immediate_exit, 1, __ATOMIC_SEQ_CST);
  /* SAFETY: a held thread cannot leave, so it exists. */
  pthread_kill(thread->pthread, kick_signal);
}

/* ---- vCPUs ---- */

int kvmkit_vcpu_owned_by(const struct kvmkit_vcpu *vcpu, const struct kvmkit_thread *thread) {
  return vcpu->owner == thread->id;
}

struct kvmkit_mapping *kvmkit_vcpu_page(struct kvmkit_vcpu *vcpu) { return vcpu->page; }

int kvmkit_vcpu_bind(struct kvmkit_vcpu *vcpu, struct kvmkit_thread *thread, struct kvmkit_stop *stop) {
  if (!kvmkit_vcpu_owned_by(vcpu, thread)) return KVMKIT_E_WRONG_THREAD;
  if (stop) kvmkit_object_ref(&stop->object);
  struct kvmkit_stop *old = vcpu->stop;
  vcpu->stop = stop;
  if (old) kvmkit_object_unref(&old->object);
  return 0;
}

/* What KVM_RUN returned with EINTR: a stop or kick, the caller's own immediate_exit, or some other signal. */
static int interrupted(struct kvmkit_vcpu *vcpu, int wanted_by_caller) {
  int stopped = vcpu->stop && __atomic_load_n(&vcpu->stop->reason, __ATOMIC_ACQUIRE);
  int kicked = __atomic_exchange_n(&vcpu->kicked, 0, __ATOMIC_ACQ_REL);
  if (!stopped && !kicked && !wanted_by_caller) return KVMKIT_INTERRUPTED;
  run_page(vcpu)->exit_reason = KVM_EXIT_INTR;
  return KVM_EXIT_INTR;
}

int kvmkit_vcpu_run(struct kvmkit_vcpu *vcpu, struct kvmkit_thread *thread) {
  if (!kvmkit_vcpu_owned_by(vcpu, thread)) return KVMKIT_E_WRONG_THREAD;
  struct kvm_run *run = run_page(vcpu);
  uint8_t immediate_exit = run->immediate_exit;
  int stopped = kvmkit_enter(thread, vcpu->stop, vcpu);
  int result = -1;
  int error = EINTR;
  if (!stopped && !__atomic_load_n(&vcpu->kicked, __ATOMIC_SEQ_CST)) {
    result = ioctl(vcpu->fd.fd, KVM_RUN, 0);
    error = errno;
  }
  kvmkit_leave(thread);
  /* A kicker may have set it. */
  __atomic_store_n(&run->immediate_exit, immediate_exit, __ATOMIC_RELAXED);
  if (result == 0) return (int)run->exit_reason;
  return error == EINTR ? interrupted(vcpu, immediate_exit) : -error;
}

void kvmkit_vcpu_kick(struct kvmkit_vcpu *vcpu) {
  __atomic_store_n(&vcpu->kicked, 1, __ATOMIC_SEQ_CST);
  pthread_mutex_lock(&kvmkit_stop_lock);
  for (struct kvmkit_thread *thread = kvmkit_threads; thread; thread = thread->next) {
    if (thread->id != vcpu->owner || !kvmkit_thread_hold(thread)) continue;
    if (thread->vcpu == vcpu) kvmkit_thread_kick(thread, 1);
    kvmkit_thread_release(thread);
  }
  pthread_mutex_unlock(&kvmkit_stop_lock);
}
