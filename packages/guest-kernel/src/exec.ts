/**
 * From the program as the host planned it to its first instruction: one area for each AREA record of the boot
 * information, the pages that the host prepared, and clean registers. Source: psABI 3.4.1, "Initial Stack and
 * Register State"; execve(2).
 */
import {
  type Assembler,
  eax,
  ebp,
  ebx,
  ecx,
  edi,
  edx,
  esi,
  mem,
  r8d,
  r9d,
  r10,
  r10d,
  r11d,
  r12,
  r12d,
  r13,
  r13d,
  r14,
  r14d,
  r15,
  r15d,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
  sym,
} from "@kvmkit/x86-asm";
import {
  AREA_FLAGS,
  AREA as BOOT_AREA,
  BOOT_INFO,
  PAGE_SIZE,
  RFLAGS,
  USER_MAX,
  USER_MIN,
} from "./abi/index.js";
import { bits } from "./arch/bits.js";
import { PAGE_SHIFT } from "./arch/paging.js";
import { emitSetPermissions, mm } from "./areas.js";
import { fn, global, SECTION } from "./emit.js";
import { emitPanic } from "./panic.js";
import { AREA, MM, VM_FLAGS } from "./structs.js";

/** FCW and MXCSR as a process starts: all exceptions masked, round to nearest, 64-bit x87 precision. */
const FXSAVE_IMAGE = { fcw: 0, mxcsr: 24, size: 512 } as const;
const INITIAL_FCW = 0x37f;
const INITIAL_MXCSR = 0x1f80;

/** What fits into the first page of the array of areas, with room for what the program adds before it grows. */
const MAX_AREAS = PAGE_SIZE / 8 - 12;

/**
 * exec_program: Entry: the first task's stack and address space. Leaves to ring 3.
 * Registers within: rbx = MM, r12 = boot information, r13 = the area before, r14 = AREA record, r15 = records left.
 */
export function emitExec(a: Assembler): void {
  emitInitialFpu(a);
  emitBelowFirst(a);
  fn(a, "exec_program");
  a.mov(rbx, sym("mm0"));
  a.mov(r12, global("boot_info"));
  a.mov(r13, sym("below_first_area"));
  a.mov(r14, mem.qword(r12, BOOT_INFO.areas));
  a.mov(r15, mem.qword(r12, BOOT_INFO.area_count));
  a.cmp(r15, MAX_AREAS);
  a.ja("exec_program.bad_area");
  a.label("exec_program.area");
  a.sub(r15, 1);
  a.jc("exec_program.mapped");
  emitMapArea(a);
  emitMapPreparedPages(a);
  a.add(r14, BOOT_AREA.size);
  a.jmp("exec_program.area");
  a.label("exec_program.mapped");
  a.movabs(rax, USER_MAX);
  a.cmp(mem.qword(r13, AREA.end), rax);
  a.ja("exec_program.bad_area");
  emitEnter(a);
  emitRefusals(a);
}

/** What stands before the first area: it ends where user space begins, and agrees with none. */
function emitBelowFirst(a: Assembler): void {
  a.section(SECTION.rodata);
  a.align(8);
  a.label("below_first_area");
  for (let field = 0; field < AREA.size; field += 8) a.dq(field === AREA.end ? USER_MIN : 0);
  a.section(SECTION.text);
}

/** An area for the record, or more of the one before. The records ascend, so each goes to the end of the array. */
function emitMapArea(a: Assembler): void {
  a.mov(rdi, mem.qword(r14, BOOT_AREA.start));
  a.mov(rsi, mem.qword(r14, BOOT_AREA.end));
  a.mov(rax, rdi);
  a.or(rax, rsi);
  a.test(eax, PAGE_SIZE - 1);
  a.jnz("exec_program.bad_area");
  a.cmp(rdi, rsi);
  a.jae("exec_program.bad_area");
  // r10 = VM_FLAGS: the permissions as they are, and one bit where the record says stack.
  a.mov(rax, mem.qword(r14, BOOT_AREA.flags));
  a.mov(r10d, eax);
  a.and(r10d, VM_FLAGS.READ | VM_FLAGS.WRITE | VM_FLAGS.EXEC);
  a.and(eax, Number(AREA_FLAGS.STACK));
  a.shr(eax, Math.log2(Number(AREA_FLAGS.STACK) / VM_FLAGS.GROWSDOWN));
  a.or(r10d, eax);
  a.cmp(rdi, mem.qword(r13, AREA.end));
  a.jb("exec_program.bad_area");
  a.jne("exec_program.new_area");
  a.cmp(r10, mem.qword(r13, AREA.flags));
  a.jne("exec_program.new_area");
  a.mov(mem.qword(r13, AREA.end), rsi);
  a.jmp("exec_program.extended");

  a.label("exec_program.new_area");
  a.mov(ecx, 1);
  a.call("area_cache_reserve");
  a.jc("exec_program.no_memory");
  a.call("area_cache_alloc");
  a.mov(rdx, rax);
  a.mov(r13, rax);
  a.mov(mem.qword(rdx, AREA.start), rdi);
  a.mov(mem.qword(rdx, AREA.end), rsi);
  a.mov(mem.qword(rdx, AREA.flags), r10);
  a.mov(mem.qword(rdx, AREA.next_fault), 0);
  a.mov(ecx, r10d);
  a.and(ecx, VM_FLAGS.READ | VM_FLAGS.WRITE | VM_FLAGS.EXEC);
  emitSetPermissions(a, rcx);
  a.mov(rcx, mm(MM.area_count));
  a.mov(rax, mm(MM.areas));
  a.mov(mem.qword(rax, rcx, 8), rdx);
  a.inc(mm(MM.area_count));
  a.label("exec_program.extended");
}

/** The pages that the host prepared: from the record's start, or a stack's up to its end. */
function emitMapPreparedPages(a: Assembler): void {
  a.mov(rdx, mem.qword(r14, BOOT_AREA.backed_bytes));
  a.test(rdx, rdx);
  a.jz("exec_program.prepared");
  a.test(mem.dword(r14, BOOT_AREA.flags), Number(AREA_FLAGS.STACK));
  a.jz("exec_program.from_start");
  a.mov(rdi, rsi);
  a.sub(rdi, rdx);
  a.label("exec_program.from_start");
  a.mov(rsi, mem.qword(r14, BOOT_AREA.backing));
  a.mov(r10, mem.qword(r13, AREA.entry_flags));
  a.shr(rdx, PAGE_SHIFT);
  a.call("map_frames");
  a.jc("exec_program.no_memory");
  a.label("exec_program.prepared");
}

/** SYSRET: rip = rcx, rflags = r11. What the program must not see of the kernel, and what it may rely on, is 0. */
function emitEnter(a: Assembler): void {
  a.mov(rcx, mem.qword(r12, BOOT_INFO.program_entry));
  a.test(rcx, rcx);
  a.jz("exec_program.no_program");
  a.movabs(rax, USER_MAX);
  a.cmp(rcx, rax);
  a.jae("exec_program.bad_entry");
  a.fxrstor64(mem(sym("initial_fpu")));
  a.mov(rsp, mem.qword(r12, BOOT_INFO.program_stack));
  a.mov(r11d, bits(RFLAGS.IF, RFLAGS.RESERVED_1));
  for (const register of [eax, ebx, edx, esi, edi, ebp, r8d, r9d, r10d, r12d, r13d, r14d, r15d]) {
    a.xor(register, register);
  }
  a.sysretq();
  // A kernel without a program has nothing to do, ever.
  a.label("exec_program.no_program");
  a.cli();
  a.hlt();
  a.jmp("exec_program.no_program");
}

function emitRefusals(a: Assembler): void {
  const refusals = {
    bad_area:
      "boot information: the areas are too many, or one is empty, unaligned, out of order or out of place",
    bad_entry: "boot information: the program's entry is outside user space",
    no_memory: "there is not enough memory for the program's page tables",
  };
  for (const [label, message] of Object.entries(refusals)) {
    a.label(`exec_program.${label}`);
    emitPanic(a, `exec_program.${label}`, message);
  }
}

function emitInitialFpu(a: Assembler): void {
  a.section(SECTION.rodata, { align: 16 });
  a.align(16);
  a.label("initial_fpu");
  a.dw(INITIAL_FCW);
  a.zero(FXSAVE_IMAGE.mxcsr - FXSAVE_IMAGE.fcw - 2);
  a.dd(INITIAL_MXCSR);
  a.zero(FXSAVE_IMAGE.size - FXSAVE_IMAGE.mxcsr - 4);
  a.section(SECTION.text);
}
