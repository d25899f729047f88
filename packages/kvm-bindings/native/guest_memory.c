/*
 * Memory that the guest and JavaScript see at once: mmap, its owners and its views.
 *
 * The rule that keeps JavaScript from ever touching an unmapped page: addresses are given back by munmap(2) only
 * after the finalizer of the last ArrayBuffer over them has run. Contents go earlier: when no handle and no memory
 * slot needs them, anonymous zero pages replace them in one step (mmap(2), MAP_FIXED), so that a closed virtual
 * machine costs no memory and no kernel object while a forgotten view waits for the collector.
 */
#include "kvmkit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct kvmkit_mapping {
  uint8_t *address;
  size_t size;
  pthread_mutex_t lock;
  unsigned owners;
  unsigned views;
};

struct kvmkit_mapping *kvmkit_mapping_create(size_t size, int fd, off_t offset, int flags, int *error) {
  struct kvmkit_mapping *mapping = calloc(1, sizeof *mapping);
  if (!mapping) {
    *error = -ENOMEM;
    return NULL;
  }
  void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, offset);
  if (address == MAP_FAILED) {
    *error = -errno;
    free(mapping);
    return NULL;
  }
  mapping->address = address;
  mapping->size = size;
  mapping->owners = 1;
  pthread_mutex_init(&mapping->lock, NULL);
  return mapping;
}

uint8_t *kvmkit_mapping_address(const struct kvmkit_mapping *mapping) { return mapping->address; }

size_t kvmkit_mapping_size(const struct kvmkit_mapping *mapping) { return mapping->size; }

void kvmkit_mapping_own(struct kvmkit_mapping *mapping) {
  pthread_mutex_lock(&mapping->lock);
  mapping->owners++;
  pthread_mutex_unlock(&mapping->lock);
}

void kvmkit_mapping_view(struct kvmkit_mapping *mapping) {
  pthread_mutex_lock(&mapping->lock);
  mapping->views++;
  pthread_mutex_unlock(&mapping->lock);
}

static void drop_contents(struct kvmkit_mapping *mapping) {
  /* SAFETY: the range is ours until munmap below; views see zeros from here on. */
  void *empty = mmap(mapping->address, mapping->size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  /* Where that fails (ENOMEM at the limit of mappings) the old contents stay until the last view goes. */
  (void)empty;
}

static void release(struct kvmkit_mapping *mapping, unsigned *count) {
  pthread_mutex_lock(&mapping->lock);
  (*count)--;
  int gone = mapping->owners == 0 && mapping->views == 0;
  if (!gone && count == &mapping->owners && mapping->owners == 0) drop_contents(mapping);
  pthread_mutex_unlock(&mapping->lock);
  if (!gone) return;
  /* SAFETY: no handle, slot or ArrayBuffer refers to the range any more. */
  munmap(mapping->address, mapping->size);
  pthread_mutex_destroy(&mapping->lock);
  free(mapping);
}

void kvmkit_mapping_disown(struct kvmkit_mapping *mapping) { release(mapping, &mapping->owners); }

void kvmkit_mapping_unview(struct kvmkit_mapping *mapping) { release(mapping, &mapping->views); }

static void destroy_memory(struct kvmkit_object *object) {
  struct kvmkit_memory *memory = (struct kvmkit_memory *)object;
  kvmkit_mapping_disown(memory->mapping);
  free(memory);
}

/* Touching a page beyond the end of a mapped file is SIGBUS, for the guest and for JavaScript. */
static int check_file(int fd, off_t offset, size_t size) {
  struct stat status;
  if (fstat(fd, &status) != 0) return -errno;
  if (!S_ISREG(status.st_mode)) return 0;
  return offset > status.st_size || size > (uint64_t)(status.st_size - offset) ? KVMKIT_E_RANGE : 0;
}

int kvmkit_memory_create(size_t size, int fd, off_t offset, unsigned flags, struct kvmkit_memory **out) {
  int file_error = fd < 0 ? 0 : check_file(fd, offset, size);
  if (file_error) return file_error;
  struct kvmkit_memory *memory = calloc(1, sizeof *memory);
  if (!memory) return -ENOMEM;
  int map_flags = MAP_NORESERVE | (flags & KVMKIT_MEMORY_SHARED ? MAP_SHARED : MAP_PRIVATE);
  if (fd < 0) map_flags |= MAP_ANONYMOUS;
  int error = 0;
  memory->mapping = kvmkit_mapping_create(size, fd, offset, map_flags, &error);
  if (!memory->mapping) {
    free(memory);
    return error;
  }
  void *address = kvmkit_mapping_address(memory->mapping);
  /* A child of fork(2) would share these pages copy-on-write, and every guest page would fault once more. */
  madvise(address, size, MADV_DONTFORK);
  if (flags & KVMKIT_MEMORY_HUGE_PAGES) madvise(address, size, MADV_HUGEPAGE);
  kvmkit_object_init(&memory->object, KVMKIT_MEMORY, destroy_memory);
  *out = memory;
  return 0;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

int kvmkit_memory_advise(struct kvmkit_memory *memory, size_t offset, size_t size, int populate) {
  size_t total = memory->mapping->size;
  if (offset > total || size > total - offset) return KVMKIT_E_RANGE;
  /* SAFETY: the caller's handle owns the mapping, and the range was checked above. */
  int advice = populate ? MADV_POPULATE_WRITE : MADV_DONTNEED;
  int result;
  do result = madvise(memory->mapping->address + offset, size, advice);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}
