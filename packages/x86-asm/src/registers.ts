/** Every register of the core entry, with its name and encoding (SDM Vol. 2A, "Registers in ModR/M, SIB and Opcode"). */
import { OperandBit } from "./operand-bits.js";

export type RegisterFile =
  | "r8"
  | "r16"
  | "r32"
  | "r64"
  | "sreg"
  | "cr"
  | "dr"
  | "st"
  | "mm"
  | "xmm"
  | "ymm"
  | "zmm"
  | "k"
  | "bnd"
  | "tmm"
  | "tr";

/** What a register asks of the REX prefix. */
export const RexNeed = {
  none: 0,
  /** SPL, BPL, SIL, DIL exist only with a REX prefix. */
  required: 1,
  /** AH, CH, DH, BH exist only without one. */
  forbidden: 2,
  /** XMM16 to XMM31 exist only with an EVEX prefix. */
  evex: 4,
} as const;

/** A register. Compare by identity. */
export class Register<File extends RegisterFile = RegisterFile, Name extends string = string> {
  readonly kind = "register";
  readonly file: File;
  readonly name: Name;
  /** Number in the encoding; AH to BH have 4 to 7. */
  readonly number: number;
  /** `OperandBit` of its file. */
  readonly bits: number;
  /** `RexNeed` */
  readonly rex: number;

  constructor(file: File, name: Name, number: number, rex: number = RexNeed.none) {
    this.file = file;
    this.name = name;
    this.number = number;
    this.bits = OperandBit[file];
    this.rex = rex;
  }

  toString(): string {
    return this.name;
  }
}

export const al = new Register("r8", "al", 0);
export const cl = new Register("r8", "cl", 1);
export const dl = new Register("r8", "dl", 2);
export const bl = new Register("r8", "bl", 3);
export const ah = new Register("r8", "ah", 4, RexNeed.forbidden);
export const ch = new Register("r8", "ch", 5, RexNeed.forbidden);
export const dh = new Register("r8", "dh", 6, RexNeed.forbidden);
export const bh = new Register("r8", "bh", 7, RexNeed.forbidden);
export const spl = new Register("r8", "spl", 4, RexNeed.required);
export const bpl = new Register("r8", "bpl", 5, RexNeed.required);
export const sil = new Register("r8", "sil", 6, RexNeed.required);
export const dil = new Register("r8", "dil", 7, RexNeed.required);
export const r8b = new Register("r8", "r8b", 8);
export const r9b = new Register("r8", "r9b", 9);
export const r10b = new Register("r8", "r10b", 10);
export const r11b = new Register("r8", "r11b", 11);
export const r12b = new Register("r8", "r12b", 12);
export const r13b = new Register("r8", "r13b", 13);
export const r14b = new Register("r8", "r14b", 14);
export const r15b = new Register("r8", "r15b", 15);

export const ax = new Register("r16", "ax", 0);
export const cx = new Register("r16", "cx", 1);
export const dx = new Register("r16", "dx", 2);
export const bx = new Register("r16", "bx", 3);
export const sp = new Register("r16", "sp", 4);
export const bp = new Register("r16", "bp", 5);
export const si = new Register("r16", "si", 6);
export const di = new Register("r16", "di", 7);
export const r8w = new Register("r16", "r8w", 8);
export const r9w = new Register("r16", "r9w", 9);
export const r10w = new Register("r16", "r10w", 10);
export const r11w = new Register("r16", "r11w", 11);
export const r12w = new Register("r16", "r12w", 12);
export const r13w = new Register("r16", "r13w", 13);
export const r14w = new Register("r16", "r14w", 14);
export const r15w = new Register("r16", "r15w", 15);

export const eax = new Register("r32", "eax", 0);
export const ecx = new Register("r32", "ecx", 1);
export const edx = new Register("r32", "edx", 2);
export const ebx = new Register("r32", "ebx", 3);
export const esp = new Register("r32", "esp", 4);
export const ebp = new Register("r32", "ebp", 5);
export const esi = new Register("r32", "esi", 6);
export const edi = new Register("r32", "edi", 7);
export const r8d = new Register("r32", "r8d", 8);
export const r9d = new Register("r32", "r9d", 9);
export const r10d = new Register("r32", "r10d", 10);
export const r11d = new Register("r32", "r11d", 11);
export const r12d = new Register("r32", "r12d", 12);
export const r13d = new Register("r32", "r13d", 13);
export const r14d = new Register("r32", "r14d", 14);
export const r15d = new Register("r32", "r15d", 15);

export const rax = new Register("r64", "rax", 0);
export const rcx = new Register("r64", "rcx", 1);
export const rdx = new Register("r64", "rdx", 2);
export const rbx = new Register("r64", "rbx", 3);
export const rsp = new Register("r64", "rsp", 4);
export const rbp = new Register("r64", "rbp", 5);
export const rsi = new Register("r64", "rsi", 6);
export const rdi = new Register("r64", "rdi", 7);
export const r8 = new Register("r64", "r8", 8);
export const r9 = new Register("r64", "r9", 9);
export const r10 = new Register("r64", "r10", 10);
export const r11 = new Register("r64", "r11", 11);
export const r12 = new Register("r64", "r12", 12);
export const r13 = new Register("r64", "r13", 13);
export const r14 = new Register("r64", "r14", 14);
export const r15 = new Register("r64", "r15", 15);

export const es = new Register("sreg", "es", 0);
export const cs = new Register("sreg", "cs", 1);
export const ss = new Register("sreg", "ss", 2);
export const ds = new Register("sreg", "ds", 3);
export const fs = new Register("sreg", "fs", 4);
export const gs = new Register("sreg", "gs", 5);

export const cr0 = new Register("cr", "cr0", 0);
export const cr1 = new Register("cr", "cr1", 1);
export const cr2 = new Register("cr", "cr2", 2);
export const cr3 = new Register("cr", "cr3", 3);
export const cr4 = new Register("cr", "cr4", 4);
export const cr5 = new Register("cr", "cr5", 5);
export const cr6 = new Register("cr", "cr6", 6);
export const cr7 = new Register("cr", "cr7", 7);
export const cr8 = new Register("cr", "cr8", 8);
export const cr9 = new Register("cr", "cr9", 9);
export const cr10 = new Register("cr", "cr10", 10);
export const cr11 = new Register("cr", "cr11", 11);
export const cr12 = new Register("cr", "cr12", 12);
export const cr13 = new Register("cr", "cr13", 13);
export const cr14 = new Register("cr", "cr14", 14);
export const cr15 = new Register("cr", "cr15", 15);

export const dr0 = new Register("dr", "dr0", 0);
export const dr1 = new Register("dr", "dr1", 1);
export const dr2 = new Register("dr", "dr2", 2);
export const dr3 = new Register("dr", "dr3", 3);
export const dr4 = new Register("dr", "dr4", 4);
export const dr5 = new Register("dr", "dr5", 5);
export const dr6 = new Register("dr", "dr6", 6);
export const dr7 = new Register("dr", "dr7", 7);
export const dr8 = new Register("dr", "dr8", 8);
export const dr9 = new Register("dr", "dr9", 9);
export const dr10 = new Register("dr", "dr10", 10);
export const dr11 = new Register("dr", "dr11", 11);
export const dr12 = new Register("dr", "dr12", 12);
export const dr13 = new Register("dr", "dr13", 13);
export const dr14 = new Register("dr", "dr14", 14);
export const dr15 = new Register("dr", "dr15", 15);

/** Test registers of the 386 and 486. */
export const tr0 = new Register("tr", "tr0", 0);
export const tr1 = new Register("tr", "tr1", 1);
export const tr2 = new Register("tr", "tr2", 2);
export const tr3 = new Register("tr", "tr3", 3);
export const tr4 = new Register("tr", "tr4", 4);
export const tr5 = new Register("tr", "tr5", 5);
export const tr6 = new Register("tr", "tr6", 6);
export const tr7 = new Register("tr", "tr7", 7);

export const st0 = new Register("st", "st(0)", 0);
export const st1 = new Register("st", "st(1)", 1);
export const st2 = new Register("st", "st(2)", 2);
export const st3 = new Register("st", "st(3)", 3);
export const st4 = new Register("st", "st(4)", 4);
export const st5 = new Register("st", "st(5)", 5);
export const st6 = new Register("st", "st(6)", 6);
export const st7 = new Register("st", "st(7)", 7);
export const mm0 = new Register("mm", "mm0", 0);
export const mm1 = new Register("mm", "mm1", 1);
export const mm2 = new Register("mm", "mm2", 2);
export const mm3 = new Register("mm", "mm3", 3);
export const mm4 = new Register("mm", "mm4", 4);
export const mm5 = new Register("mm", "mm5", 5);
export const mm6 = new Register("mm", "mm6", 6);
export const mm7 = new Register("mm", "mm7", 7);
export const xmm0 = new Register("xmm", "xmm0", 0);
export const xmm1 = new Register("xmm", "xmm1", 1);
export const xmm2 = new Register("xmm", "xmm2", 2);
export const xmm3 = new Register("xmm", "xmm3", 3);
export const xmm4 = new Register("xmm", "xmm4", 4);
export const xmm5 = new Register("xmm", "xmm5", 5);
export const xmm6 = new Register("xmm", "xmm6", 6);
export const xmm7 = new Register("xmm", "xmm7", 7);
export const xmm8 = new Register("xmm", "xmm8", 8);
export const xmm9 = new Register("xmm", "xmm9", 9);
export const xmm10 = new Register("xmm", "xmm10", 10);
export const xmm11 = new Register("xmm", "xmm11", 11);
export const xmm12 = new Register("xmm", "xmm12", 12);
export const xmm13 = new Register("xmm", "xmm13", 13);
export const xmm14 = new Register("xmm", "xmm14", 14);
export const xmm15 = new Register("xmm", "xmm15", 15);

export const bnd0 = new Register("bnd", "bnd0", 0);
export const bnd1 = new Register("bnd", "bnd1", 1);
export const bnd2 = new Register("bnd", "bnd2", 2);
export const bnd3 = new Register("bnd", "bnd3", 3);

/** RIP, as the base of a memory operand. */
export const rip = { kind: "rip", name: "rip" } as const;
