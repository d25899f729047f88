/* 10,000 calls, each answer checked: numbers in, out, deleted, and counted. */
#include "freestanding.h"
#include "hypercalls.h"

enum { KEYS = 3332 };

static uint32_t calls;

static void check(int is, const char *what, uint32_t key)
{
  calls++;
  if (is) return;
  kvmkit_print(what);
  kvmkit_print(" failed for key ");
  kvmkit_print_number(key);
  kvmkit_print("\n");
  kvmkit_exit(1);
}

static uint64_t value_of(uint32_t key) { return key * 0x9e3779b97f4a7c15ull; }

int main(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  for (uint32_t key = 1; key <= KEYS; key++) {
    uint64_t value = value_of(key);
    check(kv_put(&key, sizeof key, &value, sizeof value) == 0, "put", key);
  }
  for (uint32_t key = 1; key <= KEYS; key++) {
    uint64_t value = 0;
    check(kv_get(&key, sizeof key, &value, sizeof value) == sizeof value && value == value_of(key), "get", key);
  }
  for (uint32_t key = 1; key <= KEYS; key++) {
    int is_odd = key % 2;
    if (is_odd) check(kv_delete(&key, sizeof key) == 0, "delete", key);
    else check(kv_delete("none", 4) == -ENOENT, "delete of none", key);
  }
  check(kv_count() == KEYS / 2, "count", 0);
  check(kv_commit() == 0, "commit", 0);
  uint32_t deleted = 1;
  check(kv_get(&deleted, sizeof deleted, &deleted, sizeof deleted) == -ENOENT, "get of a deleted key", 1);
  check(kv_put("", 0, "x", 1) == -EINVAL, "put of no key", 0);
  kvmkit_print_number(calls);
  kvmkit_print(" calls\n");
  return 0;
}
