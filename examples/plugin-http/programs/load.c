/* 10,000 requests to a server that doubles numbers; each answer is checked. The URL is the first argument. */
#include "freestanding.h"
#include "hypercalls.h"

enum { REQUESTS = 10000 };

int main(int argc, char **argv)
{
  if (argc < 2) return 2;
  for (uint64_t number = 1; number <= REQUESTS; number++) {
    uint64_t answer = 0;
    struct http_info info;
    int64_t size = http_post(argv[1], &number, sizeof number, &answer, sizeof answer, &info);
    if (size == sizeof answer && answer == 2 * number && info.status == 200 && info.body_size == sizeof answer) continue;
    kvmkit_print("wrong answer for ");
    kvmkit_print_number((int64_t)number);
    kvmkit_print(": ");
    kvmkit_print_number(size);
    kvmkit_print("\n");
    return 1;
  }
  kvmkit_print_number(REQUESTS);
  kvmkit_print(" calls\n");
  return 0;
}
