/**
 * The first instructions: from the state that the `kvmkit` boot protocol promises to a kernel that can take faults
 * and hand out pages. Then exec.ts maps the program and enters it.
 *
 * Entry (abi/boot-info.ts): long mode, the host's first tables, rdi = Gva of the boot information, interrupts off.
 */
import { type Assembler, ecx, mem, r12d, rax, rbx, rcx, rdi, rsp, sym } from "@kvmkit/x86-asm";
import {
  BOOT_FLAGS,
  BOOT_INFO,
  BOOT_INFO_MAGIC,
  BOOT_INFO_VERSION,
  CR4,
  DIRECT_MAP_BASE,
  PAGE_SIZE,
  USER_MMAP_TOP,
} from "./abi/index.js";
import { emitApplyAlternatives } from "./alternatives.js";
import { VECTOR } from "./arch/idt.js";
import { fn, global, SECTION, variable } from "./emit.js";
import { emitPanic } from "./panic.js";
import { CPU, KERNEL_STACK_SIZE, MM, RLIMIT_COUNT, SIGHAND_SIZE, TASK } from "./structs.js";

/** Process id of the first program, as in a container. */
const FIRST_PID = 1;

/** sigaltstack(2): there is none. */
const SS_DISABLE = 2;

export const ENTRY = "kernel_start";

/** `hostPaging`: in place of what BOOT_FLAGS.HOST_PAGING says. */
export function emitBoot(a: Assembler, hostPaging: boolean | undefined): void {
  emitFirstAddressSpace(a);
  emitFirstLimits(a);
  variable(a, "sighand_0", SIGHAND_SIZE);
  variable(a, "boot_info");
  variable(a, "total_memory");

  fn(a, ENTRY);
  a.global(ENTRY);
  a.mov(rsp, sym("kernel_stack_0").plus(KERNEL_STACK_SIZE - TASK.size));
  a.mov(rbx, rdi);
  a.movabs(rax, BOOT_INFO_MAGIC);
  a.cmp(mem.qword(rbx, BOOT_INFO.magic), rax);
  a.jne("kernel_start.foreign");
  a.cmp(mem.dword(rbx, BOOT_INFO.version), BOOT_INFO_VERSION);
  a.jne("kernel_start.foreign");
  a.mov(global("boot_info"), rbx);
  emitFlags(a, hostPaging);
  a.lea(rax, mem(rbx, BOOT_INFO.host_request));
  a.mov(global("cpu0", CPU.host_request), rax);
  a.mov(rdi, sym("cpu0"));
  a.push(rbx);
  a.call("cpu_init");
  a.pop(rbx);
  a.test(r12d, Number(CR4.SMAP));
  a.jz("kernel_start.no_smap");
  a.call("apply_alternatives");
  a.label("kernel_start.no_smap");
  emitPools(a);
  emitFirstTask(a);
  a.jmp("exec_program");

  a.label("kernel_start.foreign");
  emitPanic(a, "kernel_start.foreign", "rdi does not point to boot information of this kernel's version");
  emitApplyAlternatives(a);
}

/** Boot flags as bytes that one compare tests; and the gate of #PF where `syscall` arrives there. */
function emitFlags(a: Assembler, hostPaging: boolean | undefined): void {
  a.mov(rcx, mem.qword(rbx, BOOT_INFO.flags));
  if (hostPaging === undefined) {
    a.test(ecx, Number(BOOT_FLAGS.HOST_PAGING));
    a.setnz(mem.byte(sym("host_paging")));
  } else a.mov(mem.byte(sym("host_paging")), hostPaging ? 1 : 0);
  a.test(ecx, Number(BOOT_FLAGS.RING0_EMULATED));
  a.setnz(mem.byte(sym("ring0_emulated")));
  a.jz("kernel_start.processor");
  for (const half of [0, 8]) {
    a.mov(rax, global("syscall_fault_gate", half));
    a.mov(global("idt", VECTOR.PF * 16 + half), rax);
  }
  a.label("kernel_start.processor");
}

/** The page pools, and how much memory there is. */
function emitPools(a: Assembler): void {
  const moves: readonly (readonly [string, number])[] = [
    ["pool_low", BOOT_INFO.pool_start],
    ["pool_high", BOOT_INFO.pool_end],
    ["pool_1_low", BOOT_INFO.pool_1_start],
    ["pool_1_high", BOOT_INFO.pool_1_end],
  ];
  for (const [variableName, field] of moves) {
    a.mov(rax, mem.qword(rbx, field));
    a.mov(global(variableName), rax);
  }
  a.mov(rax, mem.qword(rbx, BOOT_INFO.memory_range_0_size));
  a.add(rax, mem.qword(rbx, BOOT_INFO.memory_range_1_size));
  a.mov(global("total_memory"), rax);
}

/** mm0: the address space of the first program, complete but for what the boot information tells. */
function emitFirstAddressSpace(a: Assembler): void {
  a.section(SECTION.data);
  a.align(8);
  a.label("mm0");
  const fields: Record<number, ReturnType<typeof sym> | number | bigint> = {
    [MM.area_capacity]: PAGE_SIZE / 8,
    [MM.last_area]: sym("no_area"),
    [MM.mmap_hint]: USER_MMAP_TOP,
  };
  for (let field = 0; field < MM.size; field += 8) a.dq(fields[field] ?? 0);
}

/** rlimits_0: soft and hard limits of the first process (getrlimit(2)); Linux's defaults where there are some. */
function emitFirstLimits(a: Assembler): void {
  const infinity = 0xffff_ffff_ffff_ffffn;
  const limits: Record<number, readonly [bigint, bigint]> = {
    // RLIMIT_STACK, RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO
    3: [0x80_0000n, infinity],
    4: [0n, infinity],
    7: [1024n, 4096n],
    8: [0x80_0000n, 0x80_0000n],
    12: [819200n, 819200n],
    13: [0n, 0n],
    14: [0n, 0n],
  };
  a.section(SECTION.data);
  a.align(8);
  a.label("rlimits_0");
  for (let i = 0; i < RLIMIT_COUNT; i++) a.dq(...(limits[i] ?? [infinity, infinity]));
}

/** The first task, above the stack that the boot code runs on, and the rest of its address space. */
function emitFirstTask(a: Assembler): void {
  const task = (field: number) => mem.qword(rsp, field);
  a.mov(task(TASK.mm), sym("mm0"));
  a.mov(task(TASK.cpu), sym("cpu0"));
  a.mov(task(TASK.sighand), sym("sighand_0"));
  a.mov(task(TASK.rlimits), sym("rlimits_0"));
  a.mov(task(TASK.tgid), FIRST_PID);
  a.mov(task(TASK.tid), FIRST_PID);
  a.mov(task(TASK.altstack + 8), SS_DISABLE);
  a.mov(rax, mem.qword(rbx, BOOT_INFO.page_table_root));
  a.mov(global("mm0", MM.root), rax);
  a.mov(rax, mem.qword(rbx, BOOT_INFO.program_brk));
  a.mov(global("mm0", MM.start_brk), rax);
  a.mov(global("mm0", MM.brk), rax);
  a.call("alloc_page");
  a.test(rax, rax);
  a.jz("exec_program.no_memory");
  a.movabs(rcx, DIRECT_MAP_BASE);
  a.add(rax, rcx);
  a.mov(global("mm0", MM.areas), rax);
}
