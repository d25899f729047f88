/* Counts its own runs, and keeps a few words. */
#include "freestanding.h"
#include "hypercalls.h"

static int64_t put(const char *key, const char *value)
{
  return kv_put(key, kvmkit_length(key), value, kvmkit_length(value));
}

int main(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  uint64_t runs = 0;
  int64_t size = kv_get("runs", 4, &runs, sizeof runs);
  if (size != (int64_t)sizeof runs && size != -ENOENT) return 1;
  runs++;
  if (kvmkit_failed(kv_put("runs", 4, &runs, sizeof runs))) return 1;

  kvmkit_print("run ");
  kvmkit_print_number((int64_t)runs);
  kvmkit_print("\n");

  put("word/two", "deux");
  put("word/one", "un");
  put("word/three", "trois");

  int64_t cursor = kv_scan("word/", 5);
  char key[64], value[64];
  struct kv_sizes sizes;
  while (kv_next((kv_cursor_handle)cursor, key, sizeof key, value, sizeof value, &sizes) == 0) {
    kvmkit_write(1, key, sizes.key);
    kvmkit_print(" = ");
    kvmkit_write(1, value, sizes.value);
    kvmkit_print("\n");
  }
  kv_close((kv_cursor_handle)cursor);
  return 0;
}
