/*
 * Every KVM ioctl but KVM_RUN, driven by the rows of ioctl_table.h.
 *
 * JavaScript chooses the row and fills the structure. What memory safety rests on is checked again here: that the
 * row belongs to this kind of descriptor, that the buffer is as long as the kernel will read or write, and that
 * every pointer inside a structure points at a buffer of that length; no pointer ever comes from JavaScript.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

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

struct row {
  uint32_t request;
  uint32_t fds;
  enum kvmkit_argument argument;
  uint32_t size;
  uint32_t count_offset;
  uint32_t element_size;
};

static const struct row rows[] = {
#define ROW(name, request, fds, argument, size, count_offset, element_size) \
  [ROW_##name] = {request, fds, argument, size, count_offset, element_size},
    KVMKIT_IOCTLS(ROW)
#undef ROW
};

/*
 * ioctl(2), again after a signal: KVM_CREATE_VM for one gives up with EINTR whenever a signal is pending, and a
 * profiler sends a thousand in a second.
 */
static int kvm_ioctl(int fd, unsigned long request, const void *argument) {
  int result;
  do result = ioctl(fd, request, argument);
  while (result < 0 && errno == EINTR);
  return result;
}

static const void *number(uint64_t value) { return (const void *)(uintptr_t)value; }

/* ---- descriptors ---- */

static void destroy_fd(struct kvmkit_object *object) {
  struct kvmkit_fd *fd = (struct kvmkit_fd *)object;
  close(fd->fd);
  free(fd);
}

static int wrap_fd(int raw, enum kvmkit_type type, struct kvmkit_fd **out) {
  if (raw < 0) return -errno;
  struct kvmkit_fd *fd = calloc(1, sizeof *fd);
  if (!fd) {
    close(raw);
    return -ENOMEM;
  }
  fcntl(raw, F_SETFD, FD_CLOEXEC);
  fd->fd = raw;
  kvmkit_object_init(&fd->object, type, destroy_fd);
  *out = fd;
  return 0;
}

int kvmkit_open(const char *path, struct kvmkit_fd **out) {
  return wrap_fd(open(path, O_RDWR | O_CLOEXEC), KVMKIT_SYSTEM, out);
}

static void destroy_vm(struct kvmkit_object *object) {
  struct kvmkit_vm *vm = (struct kvmkit_vm *)object;
  close(vm->fd.fd);
  /* SAFETY: every vCPU holds its VM, so no descriptor is left through which the guest could touch the slots. */
  for (size_t i = 0; i < vm->slot_count; i++) kvmkit_mapping_disown(vm->slots[i].mapping);
  free(vm->slots);
  pthread_mutex_destroy(&vm->slots_lock);
  free(vm);
}

int kvmkit_create_vm(struct kvmkit_fd *system, unsigned long type, struct kvmkit_vm **out) {
  struct kvmkit_vm *vm = calloc(1, sizeof *vm);
  if (!vm) return -ENOMEM;
  vm->fd.fd = kvm_ioctl(system->fd, KVM_CREATE_VM, number(type));
  if (vm->fd.fd < 0) {
    int error = -errno;
    free(vm);
    return error;
  }
  pthread_mutex_init(&vm->slots_lock, NULL);
  kvmkit_object_init(&vm->fd.object, KVMKIT_VM, destroy_vm);
  *out = vm;
  return 0;
}

static void destroy_vcpu(struct kvmkit_object *object) {
  struct kvmkit_vcpu *vcpu = (struct kvmkit_vcpu *)object;
  if (vcpu->dirty_ring) kvmkit_mapping_disown(vcpu->dirty_ring);
  kvmkit_mapping_disown(vcpu->page);
  close(vcpu->fd.fd);
  if (vcpu->stop) kvmkit_object_unref(&vcpu->stop->object);
  kvmkit_object_unref(&vcpu->vm->fd.object);
  free(vcpu);
}

int kvmkit_create_vcpu(struct kvmkit_vm *vm, struct kvmkit_thread *thread, unsigned long id, size_t run_size,
                       struct kvmkit_vcpu **out) {
  struct kvmkit_vcpu *vcpu = calloc(1, sizeof *vcpu);
  if (!vcpu) return -ENOMEM;
  int error = 0;
  vcpu->fd.fd = kvm_ioctl(vm->fd.fd, KVM_CREATE_VCPU, number(id));
  if (vcpu->fd.fd < 0) {
    error = -errno;
  } else if (run_size < sizeof(struct kvm_run)) {
    error = KVMKIT_E_BUFFER;
  } else {
    vcpu->page = kvmkit_mapping_create(run_size, vcpu->fd.fd, 0, MAP_SHARED, &error);
  }
  if (error) {
    if (vcpu->fd.fd >= 0) close(vcpu->fd.fd);
    free(vcpu);
    return error;
  }
  vcpu->owner = thread->id;
  vcpu->vm = vm;
  kvmkit_object_ref(&vm->fd.object);
  kvmkit_object_init(&vcpu->fd.object, KVMKIT_VCPU, destroy_vcpu);
  *out = vcpu;
  return 0;
}

struct kvmkit_mapping *kvmkit_vcpu_dirty_ring(struct kvmkit_vcpu *vcpu, size_t size, int *error) {
  if (!vcpu->dirty_ring) {
    off_t offset = KVM_DIRTY_LOG_PAGE_OFFSET * 4096;
    vcpu->dirty_ring = kvmkit_mapping_create(size, vcpu->fd.fd, offset, MAP_SHARED, error);
  }
  return vcpu->dirty_ring;
}

/* ---- checks ---- */

static int check_row(const struct kvmkit_fd *fd, const struct kvmkit_thread *thread, unsigned row) {
  if (row >= sizeof rows / sizeof *rows || !(rows[row].fds & fd->object.type)) return KVMKIT_E_ARGUMENT;
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
  int result = kvm_ioctl(fd->fd, row->request, argument);
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
  int needed = kvm_ioctl(vcpu->vm->fd.fd, KVM_CHECK_EXTENSION, number(KVM_CAP_XSAVE2));
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

static uint64_t slot_size(struct kvmkit_vm *vm, uint32_t id) {
  uint64_t size = 0;
  pthread_mutex_lock(&vm->slots_lock);
  for (size_t i = 0; i < vm->slot_count; i++)
    if (vm->slots[i].id == id) size = vm->slots[i].size;
  pthread_mutex_unlock(&vm->slots_lock);
  return size;
}

static int call_dirty_log(struct kvmkit_fd *fd, const struct row *row, void *argument, void *bitmap,
                          size_t bitmap_length) {
  struct kvm_dirty_log log;
  memcpy(&log, argument, sizeof log);
  uint64_t size = slot_size((struct kvmkit_vm *)fd, log.slot);
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
      return KVMKIT_E_ARGUMENT;
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
    return KVMKIT_E_ARGUMENT;
  return call(fd, row, argument);
}

int kvmkit_ioctl(struct kvmkit_fd *fd, struct kvmkit_thread *thread, unsigned index, uint64_t value, void *argument,
                 size_t length, void *extra, size_t extra_length) {
  int error = check_row(fd, thread, index);
  if (error) return error;
  const struct row *row = &rows[index];
  if (row->argument == ARG_MEMORY_ENCRYPT)
    return call_memory_encrypt(fd, row, argument, length, extra, extra_length);
  if (row->argument == ARG_SIGNAL_MASK) return call_signal_mask(fd, row, argument, length);
  if (length < row->size) return KVMKIT_E_BUFFER;
  switch (row->argument) {
    case ARG_NONE:
      return call(fd, row, NULL);
    case ARG_VALUE:
      return call(fd, row, number(value));
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

int kvmkit_create_fd(struct kvmkit_fd *parent, struct kvmkit_thread *thread, unsigned index, void *argument,
                     size_t length, struct kvmkit_fd **out) {
  int error = check_row(parent, thread, index);
  if (error) return error;
  const struct row *row = &rows[index];
  if (row->argument != ARG_NEW_FD && row->argument != ARG_NEW_DEVICE) return KVMKIT_E_ARGUMENT;
  if (length < row->size) return KVMKIT_E_BUFFER;
  int raw = kvm_ioctl(parent->fd, row->request, argument);
  if (row->argument == ARG_NEW_FD) return wrap_fd(raw, KVMKIT_FILE, out);
  if (raw < 0) return -errno;
  return wrap_fd((int)u32_at(argument, offsetof(struct kvm_create_device, fd)), KVMKIT_DEVICE, out);
}

/* ---- memory slots ---- */

static struct slot *find_slot(struct kvmkit_vm *vm, uint32_t id) {
  for (size_t i = 0; i < vm->slot_count; i++)
    if (vm->slots[i].id == id) return &vm->slots[i];
  return NULL;
}

/* Makes room first, so that nothing can fail once the kernel has the slot. */
static int reserve_slot(struct kvmkit_vm *vm) {
  struct slot *grown = realloc(vm->slots, (vm->slot_count + 1) * sizeof *grown);
  if (!grown) return -ENOMEM;
  vm->slots = grown;
  return 0;
}

static void remember_slot(struct kvmkit_vm *vm, uint32_t id, struct kvmkit_mapping *mapping, uint64_t size) {
  struct slot *slot = find_slot(vm, id);
  struct kvmkit_mapping *old = slot ? slot->mapping : NULL;
  if (mapping) {
    kvmkit_mapping_own(mapping);
    if (!slot) slot = &vm->slots[vm->slot_count++];
    *slot = (struct slot){id, size, mapping};
  } else if (slot) {
    *slot = vm->slots[--vm->slot_count];
  }
  if (old) kvmkit_mapping_disown(old);
}

static int check_range(const struct kvmkit_memory *memory, uint64_t offset, uint64_t size) {
  uint64_t total = kvmkit_mapping_size(memory->mapping);
  return offset > total || size > total - offset ? KVMKIT_E_RANGE : 0;
}

/* struct kvm_userspace_memory_region2 (Linux 6.8); its head is kvm_userspace_memory_region. */
struct region2 {
  struct kvm_userspace_memory_region head;
  uint64_t guest_memfd_offset;
  uint32_t guest_memfd;
  uint32_t pad1;
  uint64_t pad2[14];
};

int kvmkit_set_user_memory_region(struct kvmkit_vm *vm, const struct kvmkit_region *region) {
  struct region2 argument = {.head = {.slot = region->slot,
                                      .flags = region->flags,
                                      .guest_phys_addr = region->guest_phys_addr,
                                      .memory_size = region->memory ? region->size : 0}};
  if (region->memory) {
    int error = check_range(region->memory, region->offset, region->size);
    if (error) return error;
    uint8_t *address = kvmkit_mapping_address(region->memory->mapping);
    /* SAFETY: the slot owns the mapping from remember_slot() on, until it is removed or the VM is destroyed. */
    argument.head.userspace_addr = (uint64_t)(uintptr_t)(address + region->offset);
  }
  uint32_t request = rows[ROW_KVM_SET_USER_MEMORY_REGION].request;
  if (region->guest_memfd) {
    request = rows[ROW_KVM_SET_USER_MEMORY_REGION2].request;
    argument.guest_memfd = (uint32_t)region->guest_memfd->fd;
    argument.guest_memfd_offset = region->guest_memfd_offset;
  }
  pthread_mutex_lock(&vm->slots_lock);
  int result = reserve_slot(vm);
  if (result == 0 && kvm_ioctl(vm->fd.fd, request, &argument) != 0) result = -errno;
  if (result == 0)
    remember_slot(vm, region->slot, argument.head.memory_size ? region->memory->mapping : NULL, region->size);
  pthread_mutex_unlock(&vm->slots_lock);
  return result;
}

int kvmkit_memory_encrypt_region(struct kvmkit_vm *vm, unsigned index, struct kvmkit_memory *memory, uint64_t offset,
                                 uint64_t size) {
  if (index >= sizeof rows / sizeof *rows || rows[index].argument != ARG_MEMORY_REGION) return KVMKIT_E_ARGUMENT;
  int error = check_range(memory, offset, size);
  if (error) return error;
  uint8_t *address = kvmkit_mapping_address(memory->mapping) + offset;
  struct kvm_enc_region region = {.addr = (uint64_t)(uintptr_t)address, .size = size};
  return call(&vm->fd, &rows[index], &region);
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
    if (kvm_ioctl(system->fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
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
