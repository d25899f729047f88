/* Needs versions of another file, and has its table copied into its bss. */
extern int answer(void), table[4];
int main(void) { return answer() + table[1]; }
void _start(void) { main(); __builtin_trap(); }
