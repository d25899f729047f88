/**
 * The only code that touches a program's memory. Every instruction that does has a row in the exception table: where
 * it faults on a page that no area permits, it goes on at its fixup; a page that an area permits is made present by
 * page_fault as for the program itself. All refuse what leaves the user half, so that nothing here can fault on an
 * address that is not canonical, or read the kernel.
 *
 * Results: as Linux's functions of the same names, but CF = 1 says -EFAULT where the value itself is in rax.
 */
import { type Assembler, cl, eax, ecx, mem, r8, r9, rax, rcx, rdi, rdx, rsi } from "@kvmkit/x86-asm";
import { ERRNO, USER_MAX } from "./abi/index.js";
import { emitClac, emitStac } from "./alternatives.js";
import { emitExtableRow, fn, type Register64 } from "./emit.js";

export function emitUserAccess(a: Assembler): void {
  emitGetUser(a, "get_user_u8", 1, () => a.movzx(eax, mem.byte(rdi)));
  emitGetUser(a, "get_user_u32", 4, () => a.mov(eax, mem.dword(rdi)));
  emitGetUser(a, "get_user_u64", 8, () => a.mov(rax, mem.qword(rdi)));
  emitGetUser(a, "put_user_u64", 8, () => a.mov(mem.qword(rdi), rax));
  emitCopy(a, "copy_from_user", "source");
  emitCopy(a, "copy_to_user", "destination");
  emitStrncpy(a);
}

/**
 * get_user_u8, _u32, _u64: Entry: rdi = Gva. Exit: rax = the value, zero-extended; CF = 1 if it cannot be read.
 * put_user_u64: Entry: rdi = Gva, rax = the value. Exit: CF = 1 if it cannot be written.
 * Clobbers rcx, RFLAGS.
 */
function emitGetUser(a: Assembler, name: string, sizeBytes: number, access: () => void): void {
  fn(a, name);
  a.movabs(rcx, USER_MAX - BigInt(sizeBytes));
  a.cmp(rcx, rdi);
  a.jc(`${name}.refuse`);
  emitStac(a, name);
  emitExtableRow(a, `${name}.access`, `${name}.fault`);
  access();
  emitClac(a, name);
  a.clc();
  a.label(`${name}.refuse`);
  a.ret();
  a.label(`${name}.fault`);
  emitClac(a, `${name}.fault`);
  a.stc();
  a.ret();
}

/**
 * copy_from_user, copy_to_user: copies until the first byte that faults.
 * Entry: rdi = destination, rsi = source, rdx = length in bytes. Exit: rax = bytes not copied, 0 on success.
 * Clobbers rcx, rdx, rsi, rdi, RFLAGS.
 */
function emitCopy(a: Assembler, name: string, user: "source" | "destination"): void {
  fn(a, name);
  emitRangeCheck(a, user === "source" ? rsi : rdi, `${name}.refuse`);
  emitStac(a, name);
  // Quadwords first: where ring 0 is emulated an element costs the same, whatever its size.
  a.mov(rcx, rdx);
  a.shr(rcx, 3);
  emitExtableRow(a, `${name}.quadwords`, `${name}.quadword_fault`);
  a.rep.movsq();
  a.mov(ecx, 7);
  a.and(rcx, rdx);
  emitExtableRow(a, `${name}.bytes`, `${name}.fault`);
  a.rep.movsb();
  a.label(`${name}.fault`);
  emitClac(a, name);
  a.mov(rax, rcx);
  a.ret();
  // rcx quadwords were left, and the bytes after them. Up to seven bytes before the page's end may be among them.
  a.label(`${name}.quadword_fault`);
  a.and(rdx, 7);
  a.lea(rcx, mem(rdx, rcx, 8));
  emitExtableRow(a, `${name}.tail`, `${name}.fault`);
  a.rep.movsb();
  a.jmp(`${name}.fault`);
  a.label(`${name}.refuse`);
  a.mov(rax, rdx);
  a.ret();
}

/** Jumps to `refuse` unless [start, start + rdx) lies in the user half and does not wrap. Clobbers rax, RFLAGS. */
function emitRangeCheck(a: Assembler, start: Register64, refuse: string): void {
  a.movabs(rax, USER_MAX);
  a.cmp(rdx, rax);
  a.ja(refuse);
  a.sub(rax, rdx);
  a.cmp(start, rax);
  a.ja(refuse);
}

/**
 * strncpy_from_user: copies a string with its NUL, or its first `rdx` bytes.
 * Entry: rdi = destination in the kernel, rsi = Gva of the string, rdx = bytes of room.
 * Exit: rax = length without the NUL (rdx if there was none), or -EFAULT. Clobbers rcx, rsi, rdi, r8, r9, RFLAGS.
 */
function emitStrncpy(a: Assembler): void {
  const name = "strncpy_from_user";
  fn(a, name);
  a.movabs(r8, USER_MAX);
  a.mov(r9, rdx);
  a.xor(eax, eax);
  emitStac(a, name);
  a.label(`${name}.byte`);
  a.cmp(rax, r9);
  a.jae(`${name}.out`);
  a.cmp(rsi, r8);
  a.jae(`${name}.fault`);
  emitExtableRow(a, `${name}.load`, `${name}.fault`);
  a.mov(cl, mem.byte(rsi));
  a.mov(mem.byte(rdi, rax), cl);
  a.test(cl, cl);
  a.jz(`${name}.out`);
  a.inc(rsi);
  a.inc(rax);
  a.jmp(`${name}.byte`);
  a.label(`${name}.fault`);
  a.mov(rax, -ERRNO.EFAULT);
  a.label(`${name}.out`);
  emitClac(a, name);
  a.ret();
}
