/*
 * Every KVM ioctl but KVM_RUN, driven by the rows of ioctl_table.h.
 *
 * JavaScript chooses the row and fills the structure. What memory safety rests on is checked again here: that the
 * row belongs to this kind of descriptor, that the buffer is as long as the kernel will read or write, and that
 * every pointer inside a structure points at a buffer of that length; no pointer ever comes from JavaScript.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "descriptors.h"

const struct row kvmkit_rows[] = {
#define ROW(name, request, fds, argument, size, count_offset, element_size) \
  [ROW_##name] = {request, fds, argument, size, count_offset, element_size},
    KVMKIT_IOCTLS(ROW)
#undef ROW
};

enum { ROWS = sizeof kvmkit_rows / sizeof *kvmkit_rows };

int kvmkit_retry_ioctl(int fd, unsigned long request, const void *argument) {
  int result;
  do result = ioctl(fd, request, argument);
  while (result < 0 && errno == EINTR);
  return result;
}

/* ---- checks ---- */

int kvmkit_check_row(const struct kvmkit_fd *fd, const struct kvmkit_thread *thread, unsigned row) {
  if (row >= ROWS || !(kvmkit_rows[row].fds & fd->object.type)) return KVMKIT_E_ARGUMENT;
  if (fd->object.type == KVMKIT_VCPU && !kvmkit_vcpu_owned_by((const struct kvmkit_vcpu *)fd, thread))
    return KVMKIT_E_WRONG_THREAD;
  return 0;
}

static uint32_t u32_at(const void *bytes, size_t offset) {
  uint32_t value;
  memcpy(&value, (const uint8_t *)bytes + offset, sizeof value);
  return value;
}

static uint64_t bitmap_bytes(uint64_t pages) { return (pages + 63) / 64 * 8; }

static int call(const struct kvmkit_fd *fd, const struct row *row, const void *argument) {
  int result = kvmkit_retry_ioctl(fd->fd, row->request, argument);
  return result < 0 ? -errno : result;
}

/* ---- arguments that need more than a length check ---- */

/* A header, then as many elements as it says. */
static int call_array(const struct kvmkit_fd *fd, const struct row *row, void *argument, size_t length) {
  uint64_t count = u32_at(argument, row->count_offset);
  if (count * row->element_size > length - row->size) return KVMKIT_E_BUFFER;
  return call(fd, row, argument);
}

/* The kernel copies as much as KVM_CHECK_EXTENSION(KVM_CAP_XSAVE2) says on the VM, and 4096 bytes where that is 0. */
static int call_xsave(const struct kvmkit_fd *fd, const struct row *row, void *argument, size_t length) {
  const struct kvmkit_vcpu *vcpu = (const struct kvmkit_vcpu *)fd;
  int needed = kvmkit_retry_ioctl(vcpu->vm->fd.fd, KVM_CHECK_EXTENSION, kvmkit_number(KVM_CAP_XSAVE2));
  if (needed > 0 && length < (size_t)needed) return KVMKIT_E_BUFFER;
  return call(fd, row, argument);
}

/* kvm_nested_state.size says how long the whole is. */
static int call_nested_state(const struct kvmkit_fd *fd, const struct row *row, void *argument, size_t length) {
  if (u32_at(argument, offsetof(struct kvm_nested_state, size)) > length) return KVMKIT_E_BUFFER;
  return call(fd, row, argument);
}

/*
 * Without argument KVM_RUN goes back to the thread's own mask. A mask never blocks the kick signal: with it blocked,
 * nothing could end a KVM_RUN.
 */
static int call_signal_mask(const struct kvmkit_fd *fd, const struct row *row, void *argument, size_t length) {
  struct {
    struct kvm_signal_mask head;
    uint64_t signals;
  } __attribute__((packed)) mask;
  if (length == 0) return call(fd, row, NULL);
  if (length < sizeof mask) return KVMKIT_E_BUFFER;
  memcpy(&mask, argument, sizeof mask);
  mask.head.len = sizeof mask.signals;
  mask.signals &= ~(1ull << (kvmkit_kick_signal() - 1));
  return call(fd, row, &mask);
}

static int call_dirty_log(struct kvmkit_fd *fd, const struct row *row, void *argument, void *bitmap,
                          size_t bitmap_length) {
  struct kvm_dirty_log log;
  memcpy(&log, argument, sizeof log);
  uint64_t size = kvmkit_slot_size((struct kvmkit_vm *)fd, log.slot);
  if (size == 0) return -ENOENT;
  if (bitmap_length < bitmap_bytes(size / 4096)) return KVMKIT_E_BUFFER;
  log.dirty_bitmap = bitmap;
  return call(fd, row, &log);
}

static int call_clear_dirty_log(struct kvmkit_fd *fd, const struct row *row, void *argument, void *bitmap,
                                size_t bitmap_length) {
  struct kvm_clear_dirty_log log;
  memcpy(&log, argument, sizeof log);
  if (bitmap_length < bitmap_bytes(log.num_pages)) return KVMKIT_E_BUFFER;
  log.dirty_bitmap = bitmap;
  return call(fd, row, &log);
}

/* `bitmaps` holds one bitmap after the other, each (nmsrs + 7) / 8 bytes rounded up to 8. */
static int call_msr_filter(struct kvmkit_fd *fd, const struct row *row, void *argument, void *bitmaps,
                           size_t bitmaps_length) {
  struct kvm_msr_filter filter;
  memcpy(&filter, argument, sizeof filter);
  size_t used = 0;
  for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
    struct kvm_msr_filter_range *range = &filter.ranges[i];
    uint64_t needed = bitmap_bytes(range->nmsrs);
    if (needed > bitmaps_length - used) return KVMKIT_E_BUFFER;
    range->bitmap = needed ? (uint8_t *)bitmaps + used : NULL;
    used += needed;
  }
  return call(fd, row, &filter);
}

/* The attributes of the x86 devices are at most as long as the data that JavaScript hands over; 8 where unknown. */
static int call_device_attr(struct kvmkit_fd *fd, const struct row *row, void *argument, void *data,
                            size_t data_length) {
  struct kvm_device_attr attr;
  memcpy(&attr, argument, sizeof attr);
  if (row->request != KVM_HAS_DEVICE_ATTR && data_length < 8) return KVMKIT_E_BUFFER;
  attr.addr = (uint64_t)(uintptr_t)data;
  return call(fd, row, &attr);
}

/* Without argument: whether the VM has memory encryption at all (KVM api.rst 4.110). */
static int call_memory_encrypt(struct kvmkit_fd *fd, const struct row *row, void *argument, size_t length,
                               void *data, size_t data_length) {
  if (length == 0) return call(fd, row, NULL);
  if (length < sizeof(struct kvm_sev_cmd)) return KVMKIT_E_BUFFER;
  struct kvm_sev_cmd command;
  memcpy(&command, argument, sizeof command);
  /* Only commands whose data holds no further address: a nested pointer could not be checked. */
  size_t needed;
  switch (command.id) {
    case KVM_SEV_INIT:
    case KVM_SEV_ES_INIT:
    case KVM_SEV_LAUNCH_UPDATE_VMSA:
    case KVM_SEV_LAUNCH_FINISH:
    case KVM_SEV_SEND_FINISH:
    case KVM_SEV_SEND_CANCEL:
    case KVM_SEV_RECEIVE_FINISH:
      needed = 0;
      break;
    case KVM_SEV_GUEST_STATUS:
      needed = sizeof(struct kvm_sev_guest_status);
      break;
    default:
      return KVMKIT_E_ADDRESS;
  }
  if (data_length < needed) return KVMKIT_E_BUFFER;
  command.data = needed ? (uint64_t)(uintptr_t)data : 0;
  int result = call(fd, row, &command);
  memcpy(argument, &command, sizeof command);
  memset((uint8_t *)argument + offsetof(struct kvm_sev_cmd, data), 0, sizeof command.data);
  return result;
}

/* KVM_CAP_HYPERV_ENLIGHTENED_VMCS alone takes an address in its arguments. */
static int call_enable_cap(struct kvmkit_fd *fd, const struct row *row, void *argument) {
  if (u32_at(argument, offsetof(struct kvm_enable_cap, cap)) == KVM_CAP_HYPERV_ENLIGHTENED_VMCS)
    return KVMKIT_E_ADDRESS;
  return call(fd, row, argument);
}

int kvmkit_ioctl(struct kvmkit_fd *fd, struct kvmkit_thread *thread, unsigned index, uint64_t value, void *argument,
                 size_t length, void *extra, size_t extra_length) {
  int error = kvmkit_check_row(fd, thread, index);
  if (error) return error;
  const struct row *row = &kvmkit_rows[index];
  if (row->argument == ARG_MEMORY_ENCRYPT)
    return call_memory_encrypt(fd, row, argument, length, extra, extra_length);
  if (row->argument == ARG_SIGNAL_MASK) return call_signal_mask(fd, row, argument, length);
  if (length < row->size) return KVMKIT_E_BUFFER;
  switch (row->argument) {
    case ARG_NONE:
      return call(fd, row, NULL);
    case ARG_VALUE:
      return call(fd, row, kvmkit_number(value));
    case ARG_STRUCT:
      return call(fd, row, argument);
    case ARG_ARRAY:
      return call_array(fd, row, argument, length);
    case ARG_XSAVE:
      return call_xsave(fd, row, argument, length);
    case ARG_NESTED_STATE:
      return call_nested_state(fd, row, argument, length);
    case ARG_DIRTY_LOG:
      return call_dirty_log(fd, row, argument, extra, extra_length);
    case ARG_CLEAR_DIRTY_LOG:
      return call_clear_dirty_log(fd, row, argument, extra, extra_length);
    case ARG_MSR_FILTER:
      return call_msr_filter(fd, row, argument, extra, extra_length);
    case ARG_DEVICE_ATTR:
      return call_device_attr(fd, row, argument, extra, extra_length);
    case ARG_ENABLE_CAP:
      return call_enable_cap(fd, row, argument);
    default: /* rows with a function of their own: they make a descriptor, take a GuestMemory, or run */
      return KVMKIT_E_ARGUMENT;
  }
}

/* ---- KVM_GET_SUPPORTED_CPUID ---- */

int kvmkit_supported_cpuid(struct kvmkit_fd *system, const uint8_t **bytes, size_t *length) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static struct kvm_cpuid2 *cached;
  int error = 0;
  pthread_mutex_lock(&lock);
  /* KVM api.rst 4.46: E2BIG while nent is too small. */
  for (uint32_t entries = 128; !cached && !error && entries <= 4096; entries *= 2) {
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + entries * sizeof cpuid->entries[0]);
    if (!cpuid) {
      error = -ENOMEM;
      break;
    }
    cpuid->nent = entries;
    if (kvmkit_retry_ioctl(system->fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
      cached = cpuid;
    } else {
      if (errno != E2BIG) error = -errno;
      free(cpuid);
    }
  }
  pthread_mutex_unlock(&lock);
  if (!cached) return error ? error : -E2BIG;
  *bytes = (const uint8_t *)cached;
  *length = sizeof *cached + cached->nent * sizeof cached->entries[0];
  return 0;
}
