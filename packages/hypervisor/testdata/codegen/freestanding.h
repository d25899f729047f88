/* Made by kvm build: a start and a few functions for programs without a C library; edits are lost. */
#ifndef KVMKIT_FREESTANDING_H
#define KVMKIT_FREESTANDING_H

#include <stddef.h>
#include <stdint.h>

int main(int argc, char **argv);
void kvmkit_start(long *stack);

/* rsp points at argc (psABI, "Initial Stack and Register State"); a function is entered with rsp + 8 aligned to 16. */
__asm__(".text\n"
        ".globl _start\n"
        "_start: xor %ebp, %ebp\n"
        "mov %rsp, %rdi\n"
        "and $-16, %rsp\n"
        "call kvmkit_start\n"
        "ud2\n");

static inline long kvmkit_syscall3(long nr, long a1, long a2, long a3)
{
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "0"(nr), "D"(a1), "S"(a2), "d"(a3) : "rcx", "r11", "memory");
  return result;
}

/* Ends the program. */
static inline _Noreturn void kvmkit_exit(int status)
{
  for (;;) kvmkit_syscall3(231, status, 0, 0);
}

void kvmkit_start(long *stack) { kvmkit_exit(main((int)stack[0], (char **)(stack + 1))); }

static inline size_t kvmkit_length(const char *text)
{
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

/* Writes all of it to a descriptor: 1 is the output, 2 is for messages. Returns 0, or a negative error number. */
static inline long kvmkit_write(int fd, const void *data, size_t size)
{
  const char *rest = (const char *)data;
  while (size > 0) {
    long written = kvmkit_syscall3(1, fd, (long)(intptr_t)rest, (long)size);
    if (written < 0) return written;
    rest += written;
    size -= (size_t)written;
  }
  return 0;
}

static inline void kvmkit_print(const char *text) { kvmkit_write(1, text, kvmkit_length(text)); }

static inline void kvmkit_print_number(int64_t value)
{
  char text[20];
  char *first = text + sizeof text;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do *--first = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0) *--first = '-';
  kvmkit_write(1, first, (size_t)(text + sizeof text - first));
}

/* The string instructions, so that no compiler makes a call of the function to itself out of a loop. */
void *memcpy(void *to, const void *from, size_t size)
{
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return result;
}

void *memmove(void *to, const void *from, size_t size)
{
  if ((uintptr_t)to - (uintptr_t)from >= size) return memcpy(to, from, size);
  char *last_to = (char *)to + size - 1;
  const char *last_from = (const char *)from + size - 1;
  __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(last_to), "+S"(last_from), "+c"(size) : : "memory", "cc");
  return to;
}

void *memset(void *to, int byte, size_t size)
{
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
  return result;
}

int memcmp(const void *left, const void *right, size_t size)
{
  const unsigned char *a = (const unsigned char *)left;
  const unsigned char *b = (const unsigned char *)right;
  for (; size > 0; size--, a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

#endif
