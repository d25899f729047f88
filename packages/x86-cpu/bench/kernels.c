/* Six small programs, each bound by the processor: `kernels NAME [ROUNDS]`. They print a checksum, so that a wrong
 * result shows and no work is optimized away. Compiled for SSE2 by the benchmark: see bench/run.mjs. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t sieve(int rounds) {
  enum { N = 1 << 19 };
  static uint8_t composite[N];
  uint64_t count = 0;
  for (int r = 0; r < rounds; r++) {
    memset(composite, 0, N);
    for (uint32_t i = 2; i < N; i++) {
      if (composite[i]) continue;
      count++;
      for (uint32_t j = i * 2; j < N; j += i) composite[j] = 1;
    }
  }
  return count;
}

struct record {
  struct record *next;
  int kind, value;
  char text[32];
};

static int compare_text(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a - *b;
}

static __attribute__((noinline)) void copy_record(struct record *to, const struct record *from) { *to = *from; }

static __attribute__((noinline)) int choose(int a, int b, int *out) {
  switch (a % 5) {
    case 0: *out = a + b; return 1;
    case 1: *out = a - b; return 2;
    case 2: *out = a * 3; return 3;
    case 3: *out = b / (a + 1); return 4;
    default: *out = a ^ b; return 5;
  }
}

/* Records, strings, switches and calls, in the proportions of Dhrystone. */
static uint64_t dhrystone_like(int rounds) {
  static struct record one, two;
  uint64_t sum = 0;
  int matrix[50][50] = {{0}};
  strcpy(one.text, "DHRYSTONE-LIKE, FIRST STRING");
  for (int r = 0; r < rounds * 20000; r++) {
    int out;
    one.next = &two;
    one.value = r;
    copy_record(&two, &one);
    two.text[13] = (char)('A' + r % 26);
    sum += (uint64_t)choose(r, two.value + 7, &out) + (uint64_t)(uint32_t)out;
    matrix[r % 50][(r * 7) % 50] += out;
    if (compare_text(one.text, two.text) < 0) sum += 3;
    sum += (uint64_t)(uint32_t)matrix[(r * 3) % 50][r % 50] & 0xff;
  }
  return sum;
}

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static inline uint32_t rotr(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }

static void sha256_block(uint32_t h[8], const uint8_t *p) {
  uint32_t w[64];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[i * 4] << 24 | (uint32_t)p[i * 4 + 1] << 16 | (uint32_t)p[i * 4 + 2] << 8 | p[i * 4 + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    uint32_t s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t v[8];
  memcpy(v, h, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t s1 = rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25);
    uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[i] + w[i];
    uint32_t s0 = rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22);
    uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    v[7] = v[6], v[6] = v[5], v[5] = v[4], v[4] = v[3] + t1, v[3] = v[2], v[2] = v[1], v[1] = v[0], v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) h[i] += v[i];
}

static uint64_t sha256(int rounds) {
  uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t block[64];
  for (int i = 0; i < 64; i++) block[i] = (uint8_t)(i * 7);
  for (int r = 0; r < rounds * 1000; r++) block[r % 64] ^= (uint8_t)h[r % 8], sha256_block(h, block);
  return (uint64_t)h[0] << 32 | h[7];
}

static double square_root(double x) {
  double r;
  __asm__("sqrtsd %1, %0" : "=x"(r) : "x"(x));
  return r;
}

static uint64_t nbody(int rounds) {
  double p[5][3], v[5][3], m[5];
  for (int i = 0; i < 5; i++) {
    m[i] = 1.0 / (i * i + 1);
    for (int k = 0; k < 3; k++) p[i][k] = (i + 1) * (k * 0.7 - 0.5) + i, v[i][k] = (k - i) * 0.05;
  }
  for (int r = 0; r < rounds * 2000; r++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double d[3], square = 0.01;
        for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], square += d[k] * d[k];
        double pull = 0.001 / (square * square_root(square));
        for (int k = 0; k < 3; k++) v[i][k] -= d[k] * m[j] * pull, v[j][k] += d[k] * m[i] * pull;
      }
    for (int i = 0; i < 5; i++)
      for (int k = 0; k < 3; k++) p[i][k] += v[i][k] * 0.001;
  }
  uint64_t bits;
  memcpy(&bits, &p[2][1], sizeof bits);
  return bits;
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static uint64_t sorting(int rounds) {
  enum { N = 20000 };
  static uint32_t numbers[N];
  uint32_t seed = 1;
  uint64_t sum = 0;
  for (int r = 0; r < rounds; r++) {
    for (int i = 0; i < N; i++) numbers[i] = seed = seed * 1664525 + 1013904223;
    qsort(numbers, N, sizeof *numbers, by_value);
    for (int i = 0; i < N; i += 1000) sum = sum * 31 + numbers[i];
  }
  return sum;
}

static uint64_t integer_loop(int rounds) {
  uint64_t a = 1, b = 0x9e3779b97f4a7c15, c = 0;
  for (int64_t i = 0; i < (int64_t)rounds * 300000; i++) {
    a += b ^ (a << 7);
    b = (b >> 3) - a;
    c ^= a + (uint64_t)i;
    if (c & 64) a -= 17;
  }
  return a ^ b ^ c;
}

static const struct {
  const char *name;
  uint64_t (*run)(int rounds);
} KERNELS[] = {
    {"sieve", sieve}, {"dhrystone", dhrystone_like}, {"sha256", sha256},
    {"nbody", nbody}, {"qsort", sorting},            {"integer", integer_loop},
};

int main(int argc, char **argv) {
  int rounds = argc > 2 ? atoi(argv[2]) : 1;
  for (unsigned i = 0; argc > 1 && i < sizeof KERNELS / sizeof *KERNELS; i++) {
    if (strcmp(KERNELS[i].name, argv[1])) continue;
    printf("%s %016llx\n", argv[1], (unsigned long long)KERNELS[i].run(rounds));
    return 0;
  }
  return 2;
}
