/*
 * The same work as bench/main.mjs, in C: the peer of the benchmark. It reads one command per line and answers with
 * nanoseconds of wall time and of CPU time, so that both can be measured in turns.
 *
 *   exits N    N port exits of a running guest
 *   create N   N times: virtual machine, 64 MiB, vCPU, registers, first exit; median and mean
 *   dispose N  N times: how long it takes to close what create made; median and mean
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY_BYTES = 64 << 20, ENTRY = 0x1000, MAX_ROUNDS = 10000 };

/* out 0xe4, al; jmp back */
static const uint8_t exits_code[] = {0xe6, 0xe4, 0xeb, 0xfc};

struct machine {
  int vm, vcpu;
  uint8_t *memory;
  struct kvm_run *run;
};

static int kvm;
static size_t run_size;
static struct kvm_cpuid2 *cpuid;

static void check(int ok, const char *what) {
  if (ok) return;
  perror(what);
  exit(1);
}

static int64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct moment {
  int64_t wall, cpu;
};

static struct moment moment(void) { return (struct moment){now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID)}; }

static struct moment since(struct moment start) {
  struct moment end = moment();
  return (struct moment){end.wall - start.wall, end.cpu - start.cpu};
}

static struct machine create(void) {
  struct machine machine;
  machine.vm = ioctl(kvm, KVM_CREATE_VM, 0);
  check(machine.vm >= 0, "KVM_CREATE_VM");
  machine.memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(machine.memory != MAP_FAILED, "mmap");
  struct kvm_userspace_memory_region region = {.memory_size = MEMORY_BYTES,
                                               .userspace_addr = (uint64_t)machine.memory};
  check(ioctl(machine.vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
  memcpy(machine.memory + ENTRY, exits_code, sizeof exits_code);
  machine.vcpu = ioctl(machine.vm, KVM_CREATE_VCPU, 0);
  check(machine.vcpu >= 0, "KVM_CREATE_VCPU");
  machine.run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vcpu, 0);
  check(machine.run != MAP_FAILED, "mmap vcpu");
  check(ioctl(machine.vcpu, KVM_SET_CPUID2, cpuid) == 0, "KVM_SET_CPUID2");
  struct kvm_sregs sregs;
  check(ioctl(machine.vcpu, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  check(ioctl(machine.vcpu, KVM_SET_SREGS, &sregs) == 0, "KVM_SET_SREGS");
  struct kvm_regs regs = {.rip = ENTRY, .rflags = 2};
  check(ioctl(machine.vcpu, KVM_SET_REGS, &regs) == 0, "KVM_SET_REGS");
  return machine;
}

static void run_to_exit(struct machine *machine) {
  check(ioctl(machine->vcpu, KVM_RUN, 0) == 0, "KVM_RUN");
  check(machine->run->exit_reason == KVM_EXIT_IO && machine->run->io.port == 0xe4, "exit");
}

static void dispose(struct machine *machine) {
  munmap(machine->run, run_size);
  close(machine->vcpu);
  close(machine->vm);
  munmap(machine->memory, MEMORY_BYTES);
}

static struct moment measure_exits(int count) {
  static struct machine machine;
  if (!machine.run) {
    machine = create();
    machine.run->kvm_valid_regs = KVM_SYNC_X86_REGS;
    run_to_exit(&machine);
  }
  struct moment start = moment();
  for (int i = 0; i < count; i++) {
    run_to_exit(&machine);
    check(machine.run->s.regs.regs.rip == ENTRY + 2, "rip");
  }
  return since(start);
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static struct moment measure_lives(int rounds, int disposal) {
  static int64_t walls[MAX_ROUNDS];
  int64_t cpu = 0;
  for (int i = 0; i < rounds; i++) {
    struct moment start = moment();
    struct machine machine = create();
    run_to_exit(&machine);
    struct moment living = since(start);
    start = moment();
    dispose(&machine);
    struct moment took = disposal ? since(start) : living;
    walls[i] = took.wall;
    cpu += took.cpu;
  }
  qsort(walls, (size_t)rounds, sizeof *walls, compare);
  return (struct moment){walls[rounds / 2], cpu / rounds};
}

int main(void) {
  kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  check(kvm >= 0, "/dev/kvm");
  run_size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  cpuid = calloc(1, sizeof *cpuid + 256 * sizeof cpuid->entries[0]);
  cpuid->nent = 256;
  check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0, "KVM_GET_SUPPORTED_CPUID");
  char command[16];
  int count;
  while (scanf("%15s %d", command, &count) == 2) {
    struct moment took = {-1, -1};
    if (count > 0 && strcmp(command, "exits") == 0) took = measure_exits(count);
    if (count > 0 && count <= MAX_ROUNDS && strcmp(command, "create") == 0) took = measure_lives(count, 0);
    if (count > 0 && count <= MAX_ROUNDS && strcmp(command, "dispose") == 0) took = measure_lives(count, 1);
    printf("%lld %lld\n", (long long)took.wall, (long long)took.cpu);
    fflush(stdout);
  }
  return 0;
}
