/* Functions that a host would rather not run in its own process: whatever they do wrong, they do it in here. */
#include "freestanding.h"
#include "hypercalls.h"

struct histogram {
  uint32_t darkest, brightest;
  double mean;
};

/* Makes each pixel brighter by `percent`, in place; returns how many were cut off at 255. */
uint32_t brighten(uint8_t *pixels, size_t size, double percent)
{
  uint32_t cut = 0;
  for (size_t n = 0; n < size; n++) {
    double value = pixels[n] * (1 + percent / 100);
    cut += value > 255;
    pixels[n] = value > 255 ? 255 : (uint8_t)value;
  }
  return cut;
}

void histogram(const uint8_t *pixels, size_t size, struct histogram *result)
{
  double sum = 0;
  result->darkest = 255;
  result->brightest = 0;
  for (size_t n = 0; n < size; n++) {
    sum += pixels[n];
    if (pixels[n] < result->darkest) result->darkest = pixels[n];
    if (pixels[n] > result->brightest) result->brightest = pixels[n];
  }
  result->mean = size == 0 ? 0 : sum / (double)size;
}

/* Words in a text, as wc(1) counts them. */
long count_words(const char *text)
{
  long words = 0;
  for (int inside = 0; *text != 0; text++) {
    int is_space = *text == ' ' || (*text >= '\t' && *text <= '\r');
    words += !is_space && !inside;
    inside = !is_space;
  }
  return words;
}

/* Trusts its caller. */
int read_anything(const int *address) { return *address; }

int main(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  /* Whatever a program prepares once for all calls stands here. */
  if (kvmkit_serve_calls() == -ENOSYS) kvmkit_print("nobody calls: see src/main.ts\n");
  return 0;
}
