/* Counts primes, and how long the gaps between them are. */
#include "freestanding.h"
#include "hypercalls.h"

static int is_prime(uint32_t number)
{
  for (uint32_t divisor = 2; divisor * divisor <= number; divisor++)
    if (number % divisor == 0) return 0;
  return number > 1;
}

int main(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  const double bounds[] = {1, 2, 4, 8};
  int64_t found = metrics_counter("primes_found_total", "Primes that were found.");
  int64_t last = metrics_gauge("primes_last", "The prime that was found last.");
  int64_t gaps = metrics_histogram("primes_gap", "Differences between neighbouring primes.", bounds, sizeof bounds);
  if (kvmkit_failed(found) || kvmkit_failed(last) || kvmkit_failed(gaps)) return 1;

  uint32_t before = 0;
  for (uint32_t number = 2; number < 100; number++) {
    if (!is_prime(number)) continue;
    metrics_add((metric_handle)found, 1);
    metrics_set((metric_handle)last, number);
    if (before != 0) metrics_observe((metric_handle)gaps, number - before);
    before = number;
  }

  double count = 0;
  metrics_value((metric_handle)found, &count);
  kvmkit_print("primes below 100: ");
  kvmkit_print_number((int64_t)count);
  kvmkit_print("\n");
  return 0;
}
