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

/** The registers of a file whose names stand in a text, separated by blanks. */
type Named<File extends RegisterFile, Text extends string> = Text extends `${infer First} ${infer Rest}`
  ? [Register<File, First>, ...Named<File, Rest>]
  : [Register<File, Text>];

const made: Register[] = [];

/** Every register of the core entry. */
export const allRegisters: readonly Register[] = made;

/** Makes the registers of a file from number `first` on. */
function file<const File extends RegisterFile, const Names extends string>(
  of: File,
  names: Names,
  first = 0,
  rex: number = RexNeed.none,
): Readonly<Named<File, Names>> {
  const registers = names.split(" ").map((name, i) => new Register(of, name, first + i, rex));
  made.push(...registers);
  return registers as unknown as Named<File, Names>;
}

export const [al, cl, dl, bl] = file("r8", "al cl dl bl");
export const [ah, ch, dh, bh] = file("r8", "ah ch dh bh", 4, RexNeed.forbidden);
export const [spl, bpl, sil, dil] = file("r8", "spl bpl sil dil", 4, RexNeed.required);
export const [r8b, r9b, r10b, r11b, r12b, r13b, r14b, r15b] = file(
  "r8",
  "r8b r9b r10b r11b r12b r13b r14b r15b",
  8,
);
export const [ax, cx, dx, bx, sp, bp, si, di, r8w, r9w, r10w, r11w, r12w, r13w, r14w, r15w] = file(
  "r16",
  "ax cx dx bx sp bp si di r8w r9w r10w r11w r12w r13w r14w r15w",
);
export const [eax, ecx, edx, ebx, esp, ebp, esi, edi, r8d, r9d, r10d, r11d, r12d, r13d, r14d, r15d] = file(
  "r32",
  "eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d",
);
export const [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15] = file(
  "r64",
  "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15",
);
export const [es, cs, ss, ds, fs, gs] = file("sreg", "es cs ss ds fs gs");
export const [cr0, cr1, cr2, cr3, cr4, cr5, cr6, cr7, cr8, cr9, cr10, cr11, cr12, cr13, cr14, cr15] = file(
  "cr",
  "cr0 cr1 cr2 cr3 cr4 cr5 cr6 cr7 cr8 cr9 cr10 cr11 cr12 cr13 cr14 cr15",
);
export const [dr0, dr1, dr2, dr3, dr4, dr5, dr6, dr7, dr8, dr9, dr10, dr11, dr12, dr13, dr14, dr15] = file(
  "dr",
  "dr0 dr1 dr2 dr3 dr4 dr5 dr6 dr7 dr8 dr9 dr10 dr11 dr12 dr13 dr14 dr15",
);
// Test registers of the 386 and 486.
export const [tr0, tr1, tr2, tr3, tr4, tr5, tr6, tr7] = file("tr", "tr0 tr1 tr2 tr3 tr4 tr5 tr6 tr7");
export const [st0, st1, st2, st3, st4, st5, st6, st7] = file(
  "st",
  "st(0) st(1) st(2) st(3) st(4) st(5) st(6) st(7)",
);
export const [mm0, mm1, mm2, mm3, mm4, mm5, mm6, mm7] = file("mm", "mm0 mm1 mm2 mm3 mm4 mm5 mm6 mm7");
export const [
  xmm0,
  xmm1,
  xmm2,
  xmm3,
  xmm4,
  xmm5,
  xmm6,
  xmm7,
  xmm8,
  xmm9,
  xmm10,
  xmm11,
  xmm12,
  xmm13,
  xmm14,
  xmm15,
] = file("xmm", "xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 xmm12 xmm13 xmm14 xmm15");
export const [bnd0, bnd1, bnd2, bnd3] = file("bnd", "bnd0 bnd1 bnd2 bnd3");

/** RIP, as the base of a memory operand. */
export const rip = { kind: "rip", name: "rip" } as const;
