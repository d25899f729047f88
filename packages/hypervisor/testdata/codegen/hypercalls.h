/* Made by kvm build from sample 1.2.3, calls 1.0.0; edits are lost. */
#ifndef KVMKIT_HYPERCALLS_H
#define KVMKIT_HYPERCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__) || defined(__ILP32__)
#error "hypercalls are for x86-64 programs with 64-bit pointers"
#endif

#if defined(__cplusplus)
#define KVMKIT_ASSERT(condition, text) static_assert(condition, text)
#else
#define KVMKIT_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* Whether a hypercall failed: its result is then a negative error number, such as -EINVAL. */
static inline bool kvmkit_failed(int64_t result) { return result < 0 && result >= -4095; }

static inline int64_t kvmkit_bits_of(double value)
{
  int64_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

#ifndef ENOENT
#define ENOENT 2
#endif
#ifndef EINTR
#define EINTR 4
#endif
#ifndef EIO
#define EIO 5
#endif
#ifndef EBADF
#define EBADF 9
#endif
#ifndef EACCES
#define EACCES 13
#endif
#ifndef EFAULT
#define EFAULT 14
#endif
#ifndef EINVAL
#define EINVAL 22
#endif
#ifndef ENAMETOOLONG
#define ENAMETOOLONG 36
#endif
#ifndef ENOSYS
#define ENOSYS 38
#endif
#ifndef EMSGSIZE
#define EMSGSIZE 90
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT 110
#endif

static inline int64_t kvmkit_call0(int64_t nr)
{
  int64_t result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(nr)
                   : "rcx", "r11", "memory");
  return result;
}

static inline int64_t kvmkit_call1(int64_t nr, int64_t a1)
{
  int64_t result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(nr), "D"(a1)
                   : "rcx", "r11", "memory");
  return result;
}

static inline int64_t kvmkit_call2(int64_t nr, int64_t a1, int64_t a2)
{
  int64_t result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(nr), "D"(a1), "S"(a2)
                   : "rcx", "r11", "memory");
  return result;
}

static inline int64_t kvmkit_call3(int64_t nr, int64_t a1, int64_t a2, int64_t a3)
{
  int64_t result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(nr), "D"(a1), "S"(a2), "d"(a3)
                   : "rcx", "r11", "memory");
  return result;
}

static inline int64_t kvmkit_call4(int64_t nr, int64_t a1, int64_t a2, int64_t a3, int64_t a4)
{
  int64_t result;
  register int64_t r10 __asm__("r10") = a4;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(nr), "D"(a1), "S"(a2), "d"(a3), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}

static inline int64_t kvmkit_call5(int64_t nr, int64_t a1, int64_t a2, int64_t a3, int64_t a4, int64_t a5)
{
  int64_t result;
  register int64_t r10 __asm__("r10") = a4;
  register int64_t r8 __asm__("r8") = a5;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(nr), "D"(a1), "S"(a2), "d"(a3), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}

/* ---- sample 1.2.3: Every type of argument, once. * / A comment's end in a doc ends nothing. */

/* Stands for a cursor that the host keeps. */
typedef uint32_t cursor_handle;

struct point {
  int32_t x;
  uint64_t y;
  bool class_;
};
KVMKIT_ASSERT(sizeof(struct point) == 24, "point");
KVMKIT_ASSERT(offsetof(struct point, x) == 0, "point.x");
KVMKIT_ASSERT(offsetof(struct point, y) == 8, "point.y");
KVMKIT_ASSERT(offsetof(struct point, class_) == 16, "point.class");

struct range {
  double low;
  double high;
  const void *base;
};
KVMKIT_ASSERT(sizeof(struct range) == 24, "range");
KVMKIT_ASSERT(offsetof(struct range, low) == 0, "range.low");
KVMKIT_ASSERT(offsetof(struct range, high) == 8, "range.high");
KVMKIT_ASSERT(offsetof(struct range, base) == 16, "range.base");

#define REQUEST_VERB_GET ((uint8_t)1)
#define REQUEST_VERB_PUT ((uint8_t)2)
struct request {
  uint8_t verb;
  const char *path;
  const void *sent;
  uint64_t sent_size;
  void *room;
  uint64_t room_size;
  cursor_handle cursor;
  double deadline;
};
KVMKIT_ASSERT(sizeof(struct request) == 64, "request");
KVMKIT_ASSERT(offsetof(struct request, verb) == 0, "request.verb");
KVMKIT_ASSERT(offsetof(struct request, path) == 8, "request.path");
KVMKIT_ASSERT(offsetof(struct request, sent) == 16, "request.sent");
KVMKIT_ASSERT(offsetof(struct request, sent_size) == 24, "request.sent_size");
KVMKIT_ASSERT(offsetof(struct request, room) == 32, "request.room");
KVMKIT_ASSERT(offsetof(struct request, room_size) == 40, "request.room_size");
KVMKIT_ASSERT(offsetof(struct request, cursor) == 48, "request.cursor");
KVMKIT_ASSERT(offsetof(struct request, deadline) == 56, "request.deadline");

#define STATE_PHASE_OPEN ((uint16_t)0)
#define STATE_PHASE_SHUT ((uint16_t)1)
struct state {
  uint16_t phase;
  uint32_t count;
};
KVMKIT_ASSERT(sizeof(struct state) == 8, "state");
KVMKIT_ASSERT(offsetof(struct state, phase) == 0, "state.phase");
KVMKIT_ASSERT(offsetof(struct state, count) == 4, "state.count");

#define KVMKIT_NR_scalars_unsigned 0x1000
/**
 * Unsigned
 * integers.
 * @param a  u8
 * @param b  u16
 * @param c  u32
 * @param d  u64
 * @return int64_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EIO.
 */
static inline int64_t scalars_unsigned(uint8_t a, uint16_t b, uint32_t c, uint64_t d)
{
  return kvmkit_call4(KVMKIT_NR_scalars_unsigned, (int64_t)a, (int64_t)b, (int64_t)c, (int64_t)d);
}

#define KVMKIT_NR_scalars_signed 0x1001
/**
 * @param a  i8
 * @param b  i16
 * @param c  i32
 * @param d  i64
 * @return int32_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EIO.
 */
static inline int64_t scalars_signed(int8_t a, int16_t b, int32_t c, int64_t d)
{
  return kvmkit_call4(KVMKIT_NR_scalars_signed, (int64_t)a, (int64_t)b, (int64_t)c, (int64_t)d);
}

#define KVMKIT_NR_scalars_other 0x1002
/**
 * @param flag  true or false
 * @param ratio  f64
 * @param address  address in the program, which the host does not check
 * @param result  gets the result
 * @return 0, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EIO.
 */
static inline int64_t scalars_other(bool flag, double ratio, const void *address, double *result)
{
  int64_t kvmkit_bits = kvmkit_call3(KVMKIT_NR_scalars_other, (int64_t)flag, kvmkit_bits_of(ratio), (int64_t)(intptr_t)address);
  if (kvmkit_failed(kvmkit_bits)) return kvmkit_bits;
  __builtin_memcpy(result, &kvmkit_bits, sizeof *result);
  return 0;
}

#define KVMKIT_NR_strings 0x1003
/**
 * Looks a name up.
 * @param name  NUL-terminated string of at most 255 bytes
 * @param key  bytes that the host reads, of at most 64 bytes
 * @param key_size  bytes at key
 * @param value  room for bytes that the host writes, of at most 4096 bytes
 * @param value_size  bytes at value
 * @return uint32_t, or a negative error number (see kvmkit_failed)
 * Errors of its own: ENOENT, EACCES.
 * Errors of any such call: EFAULT, EIO, EMSGSIZE, ENAMETOOLONG.
 */
static inline int64_t strings(const char *name, const void *key, size_t key_size, void *value, size_t value_size)
{
  return kvmkit_call5(KVMKIT_NR_strings, (int64_t)(intptr_t)name, (int64_t)(intptr_t)key, (int64_t)key_size, (int64_t)(intptr_t)value, (int64_t)value_size);
}

#define KVMKIT_NR_buffer_both_ways 0x1004
/**
 * @param data  bytes that the host reads and writes, of at most 16 bytes
 * @param data_size_  bytes at data
 * @param data_size  u32
 * @return int64_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EFAULT, EIO, EMSGSIZE.
 */
static inline int64_t buffer_both_ways(void *data, size_t data_size_, uint32_t data_size)
{
  return kvmkit_call3(KVMKIT_NR_buffer_both_ways, (int64_t)(intptr_t)data, (int64_t)data_size_, (int64_t)data_size);
}

#define KVMKIT_NR_structs 0x1005
/**
 * @param from  struct point that the host reads
 * @param to  struct point that the host writes
 * @param both  struct range that the host reads and writes
 * @return int64_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EFAULT, EIO.
 */
static inline int64_t structs(const struct point *from, struct point *to, struct range *both)
{
  return kvmkit_call3(KVMKIT_NR_structs, (int64_t)(intptr_t)from, (int64_t)(intptr_t)to, (int64_t)(intptr_t)both);
}

#define KVMKIT_NR_rich_structs 0x1006
/**
 * @param request  struct request that the host reads
 * @param state  struct state that the host reads and writes
 * @return int64_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EFAULT, EIO.
 */
static inline int64_t rich_structs(const struct request *request, struct state *state)
{
  return kvmkit_call2(KVMKIT_NR_rich_structs, (int64_t)(intptr_t)request, (int64_t)(intptr_t)state);
}

#define KVMKIT_NR_pointed 0x1007
/**
 * @param count  u64 that the host writes
 * @param flag  bool that the host reads
 * @param level  f64 that the host reads and writes
 * @param where  pointer that the host writes
 * @return int64_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EFAULT, EIO.
 */
static inline int64_t pointed(uint64_t *count, const bool *flag, double *level, const void **where)
{
  return kvmkit_call4(KVMKIT_NR_pointed, (int64_t)(intptr_t)count, (int64_t)(intptr_t)flag, (int64_t)(intptr_t)level, (int64_t)(intptr_t)where);
}

#define KVMKIT_NR_enums 0x1008
#define ENUMS_MODE_FAST ((int32_t)0)
#define ENUMS_MODE_SAFE ((int32_t)1)
#define ENUMS_WIDE_LOW ((int64_t)-1)
#define ENUMS_WIDE_HIGH ((int64_t)1099511627776LL)
#define ENUMS_RESULT_NO ((uint8_t)0)
#define ENUMS_RESULT_YES ((uint8_t)1)
/**
 * @param mode  one of Fast (0), Safe (1)
 * @param wide  one of LOW (-1), HIGH (1099511627776)
 * @return ENUMS_RESULT_*, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EINVAL, EIO.
 */
static inline int64_t enums(int32_t mode, int64_t wide)
{
  return kvmkit_call2(KVMKIT_NR_enums, (int64_t)mode, (int64_t)wide);
}

#define KVMKIT_NR_handles 0x1009
/**
 * @param cursor  handle of a cursor
 * @param again  handle of a cursor
 * @return int64_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EBADF, EIO.
 */
static inline int64_t handles(cursor_handle cursor, cursor_handle again)
{
  return kvmkit_call2(KVMKIT_NR_handles, (int64_t)cursor, (int64_t)again);
}

#define KVMKIT_NR_delete 0x100a
/**
 * Its name is a keyword.
 * @param default_  u8
 * @return bool, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EIO.
 */
static inline int64_t delete_(uint8_t default_)
{
  return kvmkit_call1(KVMKIT_NR_delete, (int64_t)default_);
}

#define KVMKIT_NR_later 0x100b
/**
 * @return uint64_t, or a negative error number (see kvmkit_failed)
 * Errors of any such call: EINTR, EIO, ETIMEDOUT.
 */
static inline int64_t later(void)
{
  return kvmkit_call0(KVMKIT_NR_later);
}

/* ---- calls 1.0.0: Functions of the program that the host calls. */

#define KVMKIT_NR_call_next 0x100c
/**
 * Waits for the next call. result: rax of the function that was called last. Programs use kvmkit_serve_calls().
 * @param result  u64
 * @param frame  address in the program, which the host does not check
 * @return int64_t, or a negative error number (see kvmkit_failed)
 * Errors of its own: ENOSYS.
 * Errors of any such call: EIO.
 */
static inline int64_t call_next(uint64_t result, const void *frame)
{
  return kvmkit_call2(KVMKIT_NR_call_next, (int64_t)result, (int64_t)(intptr_t)frame);
}

/** Waits for calls of the host, vm.call(), and serves them. Returns only where nobody calls: -ENOSYS. */
#define KVMKIT_TEXT_(number) #number
#define KVMKIT_TEXT(number) KVMKIT_TEXT_(number)
__attribute__((naked, noinline, unused)) static long kvmkit_serve_calls(void) {
  __asm__(".intel_syntax noprefix\n"
          "push rbp\n"
          "mov rbp, rsp\n"
          "push rbx\n"
          "push r12\n"
          "sub rsp, 64\n"
          "and rsp, -16\n"
          "xor edi, edi\n"
          "1:\n"
          "mov rsi, rsp\n"
          "mov eax, " KVMKIT_TEXT(KVMKIT_NR_call_next) "\n"
          "syscall\n"
          "cmp rax, -38\n"
          "je 2f\n"
          "test rax, rax\n"
          "js 1b\n"
          "movsd xmm0, qword ptr [rsp + 0]\n"
          "movsd xmm1, qword ptr [rsp + 8]\n"
          "movsd xmm2, qword ptr [rsp + 16]\n"
          "movsd xmm3, qword ptr [rsp + 24]\n"
          "movsd xmm4, qword ptr [rsp + 32]\n"
          "movsd xmm5, qword ptr [rsp + 40]\n"
          "movsd xmm6, qword ptr [rsp + 48]\n"
          "movsd xmm7, qword ptr [rsp + 56]\n"
          "mov rcx, r10\n"
          "mov r11, rax\n"
          "mov rbx, rsp\n"
          "mov rsp, r12\n"
          "mov eax, 8\n"
          "call r11\n"
          "mov rsp, rbx\n"
          "movsd qword ptr [rsp + 0], xmm0\n"
          "mov rdi, rax\n"
          "jmp 1b\n"
          "2:\n"
          "lea rsp, [rbp - 16]\n"
          "pop r12\n"
          "pop rbx\n"
          "pop rbp\n"
          "ret\n"
          ".att_syntax prefix\n");
}
#undef KVMKIT_TEXT
#undef KVMKIT_TEXT_

#endif
