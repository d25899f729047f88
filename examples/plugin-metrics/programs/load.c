/* 10,000 calls through a C library: each result is checked, and the sums are known. */
#include <errno.h>
#include <stdio.h>
#include "hypercalls.h"

enum { ROUNDS = 2499 };

static int calls;

static int failed(int64_t result, const char *what)
{
  calls++;
  if (result == 0) return 0;
  fprintf(stderr, "%s: %ld\n", what, (long)result);
  return 1;
}

int main(void)
{
  const double bounds[] = {0.25, 0.5, 0.75};
  metric_handle counter = (metric_handle)metrics_counter("load_rounds_total", "Rounds.");
  metric_handle gauge = (metric_handle)metrics_gauge("load_round", "The round.\nOn two lines, with a \\.");
  metric_handle histogram = (metric_handle)metrics_histogram("load_fraction", "Fractions.", bounds, sizeof bounds);
  calls += 3;
  for (int round = 1; round <= ROUNDS; round++) {
    double value = 0;
    if (failed(metrics_add(counter, 1), "add") || failed(metrics_set(gauge, -round), "set") ||
        failed(metrics_observe(histogram, (round % 4) / 4.0), "observe") ||
        failed(metrics_value(gauge, &value), "value") || value != -round)
      return 1;
  }
  calls++;
  if (metrics_add(counter, -1) != -EINVAL) return 1;
  printf("%d calls\n", calls);
  return 0;
}
