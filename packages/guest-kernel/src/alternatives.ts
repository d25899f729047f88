/**
 * Instructions that exist only where CPUID shows a feature: linked as NOPs, replaced once at boot.
 *
 * STAC and CLAC open and close user memory to ring 0 where SMAP is on. Where it is not they are #UD, and a test
 * before each would cost more than they do. Source: SDM Vol. 2B, "STAC", "CLAC"; Vol. 3A, "Access Rights".
 */
import { type Assembler, al, ax, cr0, mem, rax, rdi, rdx, rsi, sym } from "@kvmkit/x86-asm";
import { CR0 } from "./abi/index.js";
import { fn, SECTION } from "./emit.js";

/** `nop dword ptr [rax]`: as long as what replaces it. */
const NOP3 = [0x0f, 0x1f, 0x00] as const;
const STAC = [0x0f, 0x01, 0xcb] as const;
const CLAC = [0x0f, 0x01, 0xca] as const;

/** A row of the table: where (u64), and the three bytes (in a u64). */
const ROW = { site: 0, bytes: 8, size: 16 } as const;

/** User memory is open to ring 0 from here. `name` makes the place unique. */
export function emitStac(a: Assembler, name: string): void {
  emitSite(a, `${name}.stac`, STAC);
}

/** User memory is closed to ring 0 from here. `name` makes the place unique. */
export function emitClac(a: Assembler, name: string): void {
  emitSite(a, `${name}.clac`, CLAC);
}

function emitSite(a: Assembler, site: string, bytes: readonly [number, number, number]): void {
  a.label(site);
  a.db(...NOP3);
  a.section(SECTION.alternatives);
  a.dq(sym(site));
  a.db(...bytes, 0, 0, 0, 0, 0);
  a.section(SECTION.text);
}

/**
 * apply_alternatives: replaces every site. The text is read-only, also to ring 0, so CR0.WP is off meanwhile; the
 * write to CR0 at the end serializes, so that no old bytes are executed afterwards.
 * Clobbers rax, rdx, rsi, rdi, RFLAGS.
 */
export function emitApplyAlternatives(a: Assembler): void {
  fn(a, "apply_alternatives");
  a.mov(rdx, cr0);
  a.mov(rax, rdx);
  a.and(rax, ~Number(CR0.WP));
  a.mov(cr0, rax);
  a.mov(rsi, sym("alternatives"));
  a.label("apply_alternatives.row");
  a.cmp(rsi, sym("alternatives_end"));
  a.jae("apply_alternatives.done");
  a.mov(rdi, mem.qword(rsi, ROW.site));
  a.mov(ax, mem.word(rsi, ROW.bytes));
  a.mov(mem.word(rdi), ax);
  a.mov(al, mem.byte(rsi, ROW.bytes + 2));
  a.mov(mem.byte(rdi, 2), al);
  a.add(rsi, ROW.size);
  a.jmp("apply_alternatives.row");
  a.label("apply_alternatives.done");
  a.mov(cr0, rdx);
  a.ret();
}
