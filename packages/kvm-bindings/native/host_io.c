/*
 * Reads, writes and waits of the host that a stop ends.
 *
 * A call first waits with poll(2) for its descriptor and for the stop's wake-up descriptor, so that it rarely blocks
 * in the transfer itself. Where it does (another reader was faster, a pipe took only a part), the thread counts as IN
 * and is kicked out like a vCPU; a kick that came a moment too early is repeated by the watchdog.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "thread.h"

enum { MAX_VECTORS = 64 };

static int stopped(const struct kvmkit_stop *stop) {
  return stop && __atomic_load_n(&stop->reason, __ATOMIC_ACQUIRE) != 0;
}

/* What an EINTR means to the caller. */
static int interruption(const struct kvmkit_stop *stop) { return stopped(stop) ? -EINTR : KVMKIT_INTERRUPTED; }

int kvmkit_io_poll(struct kvmkit_thread *thread, struct kvmkit_stop *stop, int fd, int events, int timeout_ms) {
  struct pollfd fds[2] = {{.fd = fd, .events = (short)events}, {.fd = stop ? stop->wake_fd : -1, .events = POLLIN}};
  int ready = -1;
  int error = EINTR;
  if (!kvmkit_enter(thread, stop, NULL)) {
    ready = poll(fds, 2, timeout_ms);
    error = errno;
  }
  kvmkit_leave(thread);
  if (ready < 0) return error == EINTR ? interruption(stop) : -error;
  if (stopped(stop)) return -EINTR;
  return fds[0].revents;
}

static size_t gather(struct iovec *to, const struct kvmkit_io_vector *from, size_t count) {
  size_t taken = count < MAX_VECTORS ? count : MAX_VECTORS;
  for (size_t i = 0; i < taken; i++) to[i] = (struct iovec){from[i].base, from[i].length};
  return taken;
}

typedef ssize_t transfer(int fd, const struct iovec *, int count, off_t position);

static ssize_t read_some(int fd, const struct iovec *vectors, int count, off_t position) {
  return position < 0 ? readv(fd, vectors, count) : preadv(fd, vectors, count, position);
}

/* writev(2) that answers EPIPE and leaves no SIGPIPE behind, whatever the process does with that signal. */
static ssize_t write_some(int fd, const struct iovec *vectors, int count, off_t position) {
  sigset_t pipe, old, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  int pending_before = sigismember(&pending, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &old);
  ssize_t result = position < 0 ? writev(fd, vectors, count) : pwritev(fd, vectors, count, position);
  int error = errno;
  if (result < 0 && error == EPIPE && !pending_before) {
    struct timespec now = {0, 0};
    sigtimedwait(&pipe, NULL, &now);
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  errno = error;
  return result;
}

static int64_t io(struct kvmkit_thread *thread, struct kvmkit_stop *stop, int fd, transfer *move, int events,
                  const struct kvmkit_io_vector *vectors, size_t count, int64_t position) {
  struct iovec iov[MAX_VECTORS];
  int taken = (int)gather(iov, vectors, count);
  for (;;) {
    int ready = kvmkit_io_poll(thread, stop, fd, events, -1);
    if (ready < 0) return ready;
    if (ready & POLLNVAL) return -EBADF;
    ssize_t moved = -1;
    int error = EINTR;
    if (!kvmkit_enter(thread, stop, NULL)) {
      moved = move(fd, iov, taken, position);
      error = errno;
    }
    kvmkit_leave(thread);
    if (moved >= 0) return moved;
    if (error == EINTR) return interruption(stop);
    if (error != EAGAIN) return -error;
  }
}

int64_t kvmkit_io_read(struct kvmkit_thread *thread, struct kvmkit_stop *stop, int fd,
                       const struct kvmkit_io_vector *vectors, size_t count, int64_t position) {
  return io(thread, stop, fd, read_some, POLLIN, vectors, count, position);
}

int64_t kvmkit_io_write(struct kvmkit_thread *thread, struct kvmkit_stop *stop, int fd,
                        const struct kvmkit_io_vector *vectors, size_t count, int64_t position) {
  return io(thread, stop, fd, write_some, POLLOUT, vectors, count, position);
}

int kvmkit_io_eventfd(unsigned initial, int flags) {
  int fd = eventfd(initial, flags | EFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

#ifndef SYS_openat2
#define SYS_openat2 437 /* Linux 5.6 */
#endif

int kvmkit_io_open_beneath(int directory, const char *path, int flags, unsigned mode) {
  /* struct open_how and RESOLVE_BENEATH of linux/openat2.h, which headers before 5.6 lack. */
  struct {
    uint64_t flags, mode, resolve;
  } how = {(uint64_t)(unsigned)flags | O_CLOEXEC, flags & (O_CREAT | O_TMPFILE) ? mode : 0, 0x08};
  long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
  return fd < 0 ? -errno : (int)fd;
}
