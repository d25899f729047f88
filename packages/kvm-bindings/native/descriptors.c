/*
 * The lives of KVM's descriptors: a vCPU keeps its virtual machine, a virtual machine keeps the memory of its slots.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "descriptors.h"

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
  kvmkit_disown_slots(vm);
  pthread_mutex_destroy(&vm->slots_lock);
  free(vm);
}

int kvmkit_create_vm(struct kvmkit_fd *system, unsigned long type, struct kvmkit_vm **out) {
  struct kvmkit_vm *vm = calloc(1, sizeof *vm);
  if (!vm) return -ENOMEM;
  vm->fd.fd = kvmkit_retry_ioctl(system->fd, KVM_CREATE_VM, kvmkit_number(type));
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
  vcpu->fd.fd = kvmkit_retry_ioctl(vm->fd.fd, KVM_CREATE_VCPU, kvmkit_number(id));
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

int kvmkit_create_fd(struct kvmkit_fd *parent, struct kvmkit_thread *thread, unsigned index, void *argument,
                     size_t length, struct kvmkit_fd **out) {
  int error = kvmkit_check_row(parent, thread, index);
  if (error) return error;
  const struct row *row = &kvmkit_rows[index];
  if (row->argument != ARG_NEW_FD && row->argument != ARG_NEW_DEVICE) return KVMKIT_E_ARGUMENT;
  if (length < row->size) return KVMKIT_E_BUFFER;
  int raw = kvmkit_retry_ioctl(parent->fd, row->request, argument);
  if (row->argument == ARG_NEW_FD) return wrap_fd(raw, KVMKIT_FILE, out);
  if (raw < 0) return -errno;
  struct kvm_create_device device;
  memcpy(&device, argument, sizeof device);
  return wrap_fd((int)device.fd, KVMKIT_DEVICE, out);
}
