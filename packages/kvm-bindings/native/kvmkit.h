/*
 * What the parts of the addon say to each other. Plain C, and no linux/kvm.h: the C++ side includes this file,
 * and the kernel's header gives other numbers and offsets when it is compiled as C++ (an empty struct inside
 * __DECLARE_FLEX_ARRAY has size 1 there).
 *
 * Every function returns a result >= 0, or -errno of the system call, or one of the KVMKIT_E_* numbers, which
 * lie below every -errno. Nothing here throws, and nothing here knows Node.js.
 */
#ifndef KVMKIT_H
#define KVMKIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  KVMKIT_E_CLOSED = -10001,       /* the handle was closed */
  KVMKIT_E_WRONG_THREAD = -10002, /* a vCPU is used on a thread that does not own it */
  KVMKIT_E_ARGUMENT = -10003,     /* an argument of the wrong type, or a row that this fd does not take */
  KVMKIT_E_BUFFER = -10004,       /* a buffer is smaller than what the kernel reads or writes */
  KVMKIT_E_RANGE = -10005,        /* a range leaves the memory */
  KVMKIT_E_NO_SUCH_ID = -10006,   /* nothing with this id is open */
  KVMKIT_E_ADDRESS = -10008,      /* the argument would hold an address that JavaScript chose */
  KVMKIT_INTERRUPTED = -10007,    /* a signal came, not a stop: call again, JavaScript may want to end the thread */
};

/* ---- objects: shared by the threads of the process, counted, found by id ---- */

/* The bits up to KVMKIT_DEVICE are also the fd kinds of the ioctl table. */
enum kvmkit_type {
  KVMKIT_SYSTEM = 1,
  KVMKIT_VM = 2,
  KVMKIT_VCPU = 4,
  KVMKIT_DEVICE = 8,
  KVMKIT_FILE = 16,
  KVMKIT_MEMORY = 32,
  KVMKIT_STOP = 64,
};

struct kvmkit_object {
  enum kvmkit_type type;
  uint64_t id;
  int references; /* atomic */
  void (*destroy)(struct kvmkit_object *);
  struct kvmkit_object *next_in_bucket;
};

void kvmkit_object_init(struct kvmkit_object *, enum kvmkit_type, void (*destroy)(struct kvmkit_object *));
void kvmkit_object_ref(struct kvmkit_object *);
void kvmkit_object_unref(struct kvmkit_object *);
/* A new reference to the live object with this id, or NULL. */
struct kvmkit_object *kvmkit_object_find(uint64_t id, unsigned types);

/* ---- guest_memory.c ---- */

/*
 * One mmap. `owners` (handles, memory slots, a vCPU) need its contents; `views` (ArrayBuffers of any thread) only
 * need its addresses to stay valid. Without owners the contents are given back to the system at once, and the
 * addresses when the last view is collected.
 */
struct kvmkit_mapping;

struct kvmkit_mapping *kvmkit_mapping_create(size_t size, int fd, off_t offset, int flags, int *error);
uint8_t *kvmkit_mapping_address(const struct kvmkit_mapping *);
size_t kvmkit_mapping_size(const struct kvmkit_mapping *);
void kvmkit_mapping_own(struct kvmkit_mapping *);
void kvmkit_mapping_disown(struct kvmkit_mapping *);
void kvmkit_mapping_view(struct kvmkit_mapping *);
void kvmkit_mapping_unview(struct kvmkit_mapping *);

struct kvmkit_memory {
  struct kvmkit_object object;
  struct kvmkit_mapping *mapping;
};

enum { KVMKIT_MEMORY_SHARED = 1, KVMKIT_MEMORY_HUGE_PAGES = 2 };

/* fd < 0: anonymous memory. */
int kvmkit_memory_create(size_t size, int fd, off_t offset, unsigned flags, struct kvmkit_memory **out);
int kvmkit_memory_advise(struct kvmkit_memory *, size_t offset, size_t size, int populate);

/* ---- ioctls.c ---- */

struct kvmkit_fd {
  struct kvmkit_object object;
  int fd;
};

struct kvmkit_thread;
struct kvmkit_vm;
struct kvmkit_vcpu;
struct kvmkit_stop;

int kvmkit_open(const char *path, struct kvmkit_fd **out);
int kvmkit_create_vm(struct kvmkit_fd *system, unsigned long type, struct kvmkit_vm **out);
int kvmkit_create_vcpu(struct kvmkit_vm *, struct kvmkit_thread *, unsigned long id, size_t run_size,
                       struct kvmkit_vcpu **out);
/* KVM_CREATE_DEVICE, KVM_GET_STATS_FD, KVM_CREATE_GUEST_MEMFD: the ioctl gives a descriptor. */
int kvmkit_create_fd(struct kvmkit_fd *, struct kvmkit_thread *, unsigned row, void *argument, size_t length,
                     struct kvmkit_fd **out);

struct kvmkit_region {
  uint32_t slot;
  uint32_t flags;
  uint64_t guest_phys_addr;
  struct kvmkit_memory *memory; /* NULL removes the slot */
  uint64_t offset;
  uint64_t size;
  struct kvmkit_fd *guest_memfd; /* not NULL: KVM_SET_USER_MEMORY_REGION2 */
  uint64_t guest_memfd_offset;
};
int kvmkit_set_user_memory_region(struct kvmkit_vm *, const struct kvmkit_region *);
/* KVM_MEMORY_ENCRYPT_REG_REGION and its counterpart: the address comes from a GuestMemory. */
int kvmkit_memory_encrypt_region(struct kvmkit_vm *, unsigned row, struct kvmkit_memory *, uint64_t offset,
                                 uint64_t size);

/*
 * The ioctl of a row of ioctl_table.h. `value` is the argument where the row takes a number; `argument` where it
 * takes a structure; `extra` is what a pointer inside that structure points at.
 */
int kvmkit_ioctl(struct kvmkit_fd *, struct kvmkit_thread *, unsigned row, uint64_t value, void *argument,
                 size_t length, void *extra, size_t extra_length);

/* KVM_GET_SUPPORTED_CPUID, asked once per process: it is nearly half of a cold virtual machine. */
int kvmkit_supported_cpuid(struct kvmkit_fd *system, const uint8_t **bytes, size_t *length);

/* ---- vcpu_runner.c ---- */

/* Each thread that loads the addon has one. */
struct kvmkit_thread *kvmkit_thread_create(void);
void kvmkit_thread_destroy(struct kvmkit_thread *);

int kvmkit_vcpu_owned_by(const struct kvmkit_vcpu *, const struct kvmkit_thread *);
struct kvmkit_mapping *kvmkit_vcpu_page(struct kvmkit_vcpu *);
/* The dirty ring of `size` bytes (KVM_CAP_DIRTY_LOG_RING), mapped on the first call. */
struct kvmkit_mapping *kvmkit_vcpu_dirty_ring(struct kvmkit_vcpu *, size_t size, int *error);
/* The stop that ends this vCPU's KVM_RUN from now on (NULL: none); owner thread only. */
int kvmkit_vcpu_bind(struct kvmkit_vcpu *, struct kvmkit_thread *, struct kvmkit_stop *);
/* KVM_RUN: the exit reason, KVM_EXIT_INTR when stopped or kicked, KVMKIT_INTERRUPTED, or -errno. */
int kvmkit_vcpu_run(struct kvmkit_vcpu *, struct kvmkit_thread *);
/* Makes the present or next KVM_RUN return KVM_EXIT_INTR once; any thread. */
void kvmkit_vcpu_kick(struct kvmkit_vcpu *);

/* ---- stop.c ---- */

enum {
  KVMKIT_STOP_REQUESTED = 1,
  KVMKIT_STOP_WALL = 2,
  KVMKIT_STOP_CPU = 3,
  KVMKIT_STOP_SIGNAL = 64, /* + signal number */
};

int kvmkit_stop_create(struct kvmkit_stop **out);
void kvmkit_stop_now(struct kvmkit_stop *, int reason);
int kvmkit_stop_reason(const struct kvmkit_stop *);
/* Nanoseconds from now, of wall time or of the calling thread's CPU time; < 0 disarms. */
int kvmkit_stop_arm_wall(struct kvmkit_stop *, int64_t ns);
int kvmkit_stop_arm_cpu(struct kvmkit_stop *, int64_t ns);
/* Bit n: signal n ends this stop; 0 ends watching. */
int kvmkit_stop_watch(struct kvmkit_stop *, uint64_t signals);
/* Forgets the reason and the timers; watched signals stay watched. */
void kvmkit_stop_reset(struct kvmkit_stop *);
/* Timers and signals off, for a handle that is closed. */
void kvmkit_stop_disarm(struct kvmkit_stop *);

/* ---- host_io.c: blocking calls that a stop ends ---- */

struct kvmkit_io_vector {
  void *base;
  size_t length;
};

int64_t kvmkit_io_read(struct kvmkit_thread *, struct kvmkit_stop *, int fd, const struct kvmkit_io_vector *,
                       size_t count, int64_t position);
int64_t kvmkit_io_write(struct kvmkit_thread *, struct kvmkit_stop *, int fd, const struct kvmkit_io_vector *,
                        size_t count, int64_t position);
/* poll(2) on one descriptor (fd < 0: none, a sleep): the events that are ready, 0 on time-out. */
int kvmkit_io_poll(struct kvmkit_thread *, struct kvmkit_stop *, int fd, int events, int timeout_ms);
int kvmkit_io_eventfd(unsigned initial, int flags);
int kvmkit_io_open_beneath(int directory, const char *path, int flags, unsigned mode);

#ifdef __cplusplus
}
#endif
#endif
