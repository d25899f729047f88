/* Memory slots, and which mapping each of them keeps. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>

#include "descriptors.h"

uint64_t kvmkit_slot_size(struct kvmkit_vm *vm, uint32_t id) {
  uint64_t size = 0;
  pthread_mutex_lock(&vm->slots_lock);
  for (size_t i = 0; i < vm->slot_count; i++)
    if (vm->slots[i].id == id) size = vm->slots[i].size;
  pthread_mutex_unlock(&vm->slots_lock);
  return size;
}

void kvmkit_disown_slots(struct kvmkit_vm *vm) {
  for (size_t i = 0; i < vm->slot_count; i++) kvmkit_mapping_disown(vm->slots[i].mapping);
  free(vm->slots);
}

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
  uint32_t request = kvmkit_rows[ROW_KVM_SET_USER_MEMORY_REGION].request;
  if (region->guest_memfd) {
    request = kvmkit_rows[ROW_KVM_SET_USER_MEMORY_REGION2].request;
    argument.guest_memfd = (uint32_t)region->guest_memfd->fd;
    argument.guest_memfd_offset = region->guest_memfd_offset;
  }
  pthread_mutex_lock(&vm->slots_lock);
  int result = reserve_slot(vm);
  if (result == 0 && kvmkit_retry_ioctl(vm->fd.fd, request, &argument) != 0) result = -errno;
  if (result == 0)
    remember_slot(vm, region->slot, argument.head.memory_size ? region->memory->mapping : NULL, region->size);
  pthread_mutex_unlock(&vm->slots_lock);
  return result;
}

int kvmkit_memory_encrypt_region(struct kvmkit_vm *vm, unsigned index, struct kvmkit_memory *memory, uint64_t offset,
                                 uint64_t size) {
  if (kvmkit_check_row(&vm->fd, NULL, index) || kvmkit_rows[index].argument != ARG_MEMORY_REGION)
    return KVMKIT_E_ARGUMENT;
  int error = check_range(memory, offset, size);
  if (error) return error;
  uint8_t *address = kvmkit_mapping_address(memory->mapping) + offset;
  struct kvm_enc_region region = {.addr = (uint64_t)(uintptr_t)address, .size = size};
  return kvmkit_retry_ioctl(vm->fd.fd, kvmkit_rows[index].request, &region) < 0 ? -errno : 0;
}
