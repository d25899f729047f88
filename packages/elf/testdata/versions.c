/* Two versions of one function, a copy relocation's worth of data, a thread-local variable, an IFUNC. */
__asm__(".symver old_answer, answer@V1");
__asm__(".symver new_answer, answer@@V2");

int old_answer(void) { return 41; }
int new_answer(void) { return 42; }

int table[4] = {1, 2, 3, 4};
__thread int per_thread = 7;
static int plain(void) { return 1; }
static void *choose(void) { return plain; }
int chosen(void) __attribute__((ifunc("choose")));
int *pointer = &table[1];
extern int missing(int) __attribute__((weak));
int call(int x) { return missing ? missing(x) + per_thread : chosen(); }
