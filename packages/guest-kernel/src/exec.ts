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
import { AREA_FLAGS, AREA as BOOT_AREA, BOOT_INFO, PAGE_SIZE, USER_MAX, USER_MIN } from "./abi/index.js";
import { bits, RFLAGS } from "./arch/control-registers.js";
import { PAGE_SHIFT } from "./arch/paging.js";
import { mm } from "./areas.js";
import { fn, global, SECTION } from "./emit.js";
import { emitPanic } from "./panic.js";
import { AREA, MM, VM_FLAGS } from "./structs.js";

/** FCW and MXCSR as a process starts: all exceptions masked, round to nearest, 64-bit x87 precision. */
const FXSAVE_IMAGE = { fcw: 0, mxcsr: 24, size: 512 } as const;
const INITIAL_FCW = 0x37f;
const INITIAL_MXCSR = 0x1f80;

/** exec_program: Entry: the first task's stack and address space. Leaves to ring 3. */
export function emitExec(a: Assembler): void {
  emitInitialFpu(a);
  fn(a, "exec_program");
  a.mov(rbx, sym("mm0"));
  a.mov(r12, global("boot_info"));
  a.mov(r14, mem.qword(r12, BOOT_INFO.areas));
  a.mov(r15, mem.qword(r12, BOOT_INFO.area_count));
  a.label("exec_program.area");
  a.sub(r15, 1);
  a.jc("exec_program.enter");
  emitMapArea(a);
  a.add(r14, BOOT_AREA.size);
  a.jmp("exec_program.area");
  emitEnter(a);
  emitRefusals(a);
}

/** r14 = Gva of the AREA record. */
function emitMapArea(a: Assembler): void {
  a.mov(rdi, mem.qword(r14, BOOT_AREA.start));
  a.mov(rsi, mem.qword(r14, BOOT_AREA.end));
  a.mov(rax, rdi);
  a.or(rax, rsi);
  a.test(eax, PAGE_SIZE - 1);
  a.jnz("exec_program.bad_area");
  a.cmp(rdi, Number(USER_MIN));
  a.jb("exec_program.bad_area");
  a.cmp(rdi, rsi);
  a.jae("exec_program.bad_area");
  a.movabs(rax, USER_MAX);
  a.cmp(rsi, rax);
  a.ja("exec_program.bad_area");
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae("exec_program.free");
  a.cmp(mem.qword(rdx, AREA.start), rsi);
  a.jb("exec_program.bad_area");
  a.label("exec_program.free");

  a.push(rdi);
  a.call("areas_reserve");
  a.pop(rdi);
  a.jc("exec_program.no_memory");
  a.mov(rax, mem.qword(r14, BOOT_AREA.flags));
  a.mov(r10, rax);
  a.and(r10d, VM_FLAGS.READ | VM_FLAGS.WRITE | VM_FLAGS.EXEC);
  a.test(eax, Number(AREA_FLAGS.STACK));
  a.jz("exec_program.map");
  a.or(r10d, VM_FLAGS.GROWSDOWN);
  a.label("exec_program.map");
  a.call("area_find");
  a.call("area_map");

  // The prepared pages: from the start, or a stack's up to its end.
  a.mov(rdx, mem.qword(r14, BOOT_AREA.backed_bytes));
  a.test(r10d, VM_FLAGS.GROWSDOWN);
  a.jz("exec_program.backed");
  a.mov(rdi, rsi);
  a.sub(rdi, rdx);
  a.label("exec_program.backed");
  a.mov(rsi, mem.qword(r14, BOOT_AREA.backing));
  a.and(r10d, 7);
  a.mov(r10, mem.qword(sym("entry_flags_of_prot"), r10, 8));
  a.shr(rdx, PAGE_SHIFT);
  a.call("map_frames");
  a.jc("exec_program.no_memory");
}

/** SYSRET: rip = rcx, rflags = r11. What the program must not see of the kernel, and what it may rely on, is 0. */
function emitEnter(a: Assembler): void {
  a.label("exec_program.enter");
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
    bad_area: "boot information: an area is empty, unaligned, outside user space, or overlaps another",
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
