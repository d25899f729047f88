/* What ioctls.c, descriptors.c and memory_slots.c share. Private to them. */
#ifndef KVMKIT_DESCRIPTORS_H
#define KVMKIT_DESCRIPTORS_H

#include <stdint.h>

#include "ioctl_table.h"
#include "thread.h"

struct slot {
  uint32_t id;
  uint64_t size;
  struct kvmkit_mapping *mapping;
};

struct kvmkit_vm {
  struct kvmkit_fd fd;
  pthread_mutex_t slots_lock;
  struct slot *slots;
  size_t slot_count;
};

/* A row of the ioctl table. */
struct row {
  uint32_t request;
  uint32_t fds;
  enum kvmkit_argument argument;
  uint32_t size;
  uint32_t count_offset;
  uint32_t element_size;
};

extern const struct row kvmkit_rows[];

/*
 * ioctl(2), again after a signal: KVM_CREATE_VM for one gives up with EINTR whenever a signal is pending, and a
 * profiler sends a thousand in a second.
 */
int kvmkit_retry_ioctl(int fd, unsigned long request, const void *argument);

/* A number as the argument of an ioctl that takes one. */
static inline const void *kvmkit_number(uint64_t value) { return (const void *)(uintptr_t)value; }

/* Whether this descriptor takes the row, on this thread. */
int kvmkit_check_row(const struct kvmkit_fd *, const struct kvmkit_thread *, unsigned row);

/* The bytes of the slot, 0 where there is none. */
uint64_t kvmkit_slot_size(struct kvmkit_vm *, uint32_t id);
/* For the end of a VM. */
void kvmkit_disown_slots(struct kvmkit_vm *);

#endif
