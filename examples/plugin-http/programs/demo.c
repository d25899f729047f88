/* Fetches the URL in its first argument, and prints what came back. */
#include "freestanding.h"
#include "hypercalls.h"

static char body[1 << 16];

int main(int argc, char **argv)
{
  const char *url = argc > 1 ? argv[1] : "http://127.0.0.1/";
  struct http_info info;
  int64_t size = http_get(url, body, sizeof body, &info);
  if (size == -EACCES) {
    kvmkit_print(url);
    kvmkit_print(" is not on the list\n");
    return 0;
  }
  if (kvmkit_failed(size)) {
    kvmkit_print("failed: ");
    kvmkit_print_number(size);
    kvmkit_print("\n");
    return 1;
  }
  kvmkit_print("status ");
  kvmkit_print_number(info.status);
  kvmkit_print("\n");
  kvmkit_write(1, body, (size_t)size);
  return 0;
}
