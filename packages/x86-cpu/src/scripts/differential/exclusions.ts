/**
 * What is never compared, and why. Host: a KVM host without hardware virtualization runs ring 3 on the real processor, where
 * CPUID, RDTSC, `int n` and system-call instructions do not behave as in a virtual machine.
 */
import { coreForms, EncodingKind, OpcodeMap } from "@kvmkit/x86-asm/table";
import { type Decoded, decode } from "../../decode.js";
import { Prefix } from "../../forms.js";
import { HIDDEN } from "../../generated/forms.js";
import { type Instruction, OperandKind } from "../../instruction.js";
import { TAKEN } from "./image.js";
import { SHOWS_FLAGS, spoilsSequences } from "./undefined.js";

/** Mnemonics, with the reason. */
export const EXCLUDED: Readonly<Record<string, string>> = {
  cpuid: "ring 3 sees the host's values",
  rdtsc: "the host's counter",
  int: "`int n` arrives as #UD where ring 3 is native",
  into: "not in 64-bit mode",
  syscall: "arrives as #PF where ring 3 is native",
  sysenter: "differs by vendor, and where ring 3 is native",
  sysexit: "privileged, differs by vendor",
  sysexitq: "privileged, differs by vendor",
  sysret: "privileged; #UD or #GP by the host's EFER.SCE",
  sysretd: "privileged; #UD or #GP by the host's EFER.SCE",
  sysretq: "privileged; #UD or #GP by the host's EFER.SCE",
  sgdt: "the host's table, or #GP by its UMIP",
  sidt: "the host's table, or #GP by its UMIP",
  sldt: "the host's table, or #GP by its UMIP",
  str: "the host's table, or #GP by its UMIP",
  smsw: "the host's CR0, or #GP by its UMIP",
  lar: "the host's descriptors",
  lsl: "the host's descriptors",
  verr: "the host's descriptors",
  verw: "the host's descriptors",
  wrfsbase: "the next cases of a batch would have its base",
  wrgsbase: "as wrfsbase",
  int1: "the frame's RIP where ring 3 is native",
  maskmovq: "what is stored before a fault is left to the processor (SDM Vol. 2B, MASKMOVQ)",
  maskmovdqu: "as maskmovq",
  fxsave: "a misaligned one is emulated by the host; the harness runs aligned ones for every case",
  fxsave64: "as fxsave",
  fxrstor: "as fxsave",
  fxrstor64: "as fxsave",
  retf: "the host's descriptors",
  retfw: "the host's descriptors",
  retfd: "the host's descriptors",
  retfq: "the host's descriptors",
  iret: "the host's descriptors",
  iretw: "the host's descriptors",
  iretd: "the host's descriptors",
  iretq: "the host's descriptors",
};

/** Mnemonics of no case for other reasons. */
export const NEVER_DECODED: Readonly<Record<string, string>> = {
  popfq: "the table's second name of POPF in 64-bit mode",
  pushfq: "the table's second name of PUSHF in 64-bit mode",
  leaveq: "the table's second name of LEAVE in 64-bit mode",
  retw: "near branches ignore the operand size on Intel, and do not on AMD",
  clac: "#UD in ring 3, where the host's AC is not the guest's",
  stac: "as clac",
  lss: "the host's descriptors",
  lfs: "the host's descriptors",
  lgs: "the host's descriptors",
};

/** Operations with a segment register or a far pointer look at descriptors, which are the host's. */
const FAR = /^(l?jmp|l?call) m16:|, sreg|^mov sreg|^(push|pop) [fg]s|^l[sfg]s/;

/** A 16-bit double shift by more than 16 stores an undefined value, possibly over what other cases look at. */
const UNDEFINED_STORE = /^sh[lr]d r\/m16/;

/** Opcodes of features that are hidden here but that the real processor may have. */
const hiddenOpcodes = new Set<number>();
for (const form of coreForms()) {
  if (form.kind !== EncodingKind.legacy || !HIDDEN.includes(form.feature)) continue;
  if (form.map === OpcodeMap["3DNow"]) continue;
  for (let n = 0; n < (form.plusRegister ? 8 : 1); n++) hiddenOpcodes.add(form.map * 256 + form.opcode + n);
}
/** CLZERO, RDPRU, MONITORX and their kin share 0F 01 with what is privileged. */
const GROUP_7 = 256 + 0x01;
/** LLDT, VERW and their kin, also where a LOCK prefix makes them undefined: the host emulates some of them. */
const GROUP_6 = 256 + 0x00;
const PRIVILEGED = ["lgdt", "lidt", "lmsw", "invlpg", "swapgs", "lldt", "ltr"];

/** Whether an instruction has a prefix, not its own, with which its opcode belongs to a hidden feature. */
function meansSomethingElse({ form, repeat }: Instruction, key: number, bytes: readonly number[]): boolean {
  if (!hiddenOpcodes.has(key) || /^endbr/.test(form.mnemonic)) return false;
  const operandSize = bytes.slice(0, 4).includes(0x66) ? Prefix["66"] : 0;
  const given = [operandSize, repeat === 0xf3 ? Prefix.F3 : 0, repeat === 0xf2 ? Prefix.F2 : 0];
  return given.some((prefix) => prefix !== 0 && prefix !== form.prefix);
}

function opcodeOf(bytes: readonly number[]): { map: number; opcode: number; modrm: number; at: number } {
  let at = 0;
  while (/^(66|67|f0|f2|f3|2e|36|3e|26|64|65|4.)$/.test((bytes[at] ?? 0).toString(16).padStart(2, "0"))) at++;
  let map = 0;
  if (bytes[at] === 0x0f) {
    at++;
    map = 1;
    if (bytes[at] === 0x38 || bytes[at] === 0x3a) {
      map = bytes[at] === 0x38 ? 2 : 3;
      at++;
    }
  }
  return { map, opcode: bytes[at] ?? 0, modrm: bytes[at + 1] ?? 0, at };
}

/** VEX, EVEX, XOP, and 3DNow!. */
function isOtherEncoding(map: number, opcode: number, modrm: number): boolean {
  if (map === 1) return opcode === 0x0f;
  if (map > 0) return false;
  if (opcode === 0xc4 || opcode === 0xc5 || opcode === 0x62 || opcode === 0xd5) return true;
  return opcode === 0x8f && ((modrm >> 3) & 7) !== 0;
}

/** Near branches with a 66 prefix: ignored on Intel, 16 bits wide on AMD (SDM Vol. 1 and APM Vol. 3 differ). */
function isNarrowBranch(bytes: readonly number[], map: number, opcode: number, modrm: number): boolean {
  if (!bytes.slice(0, bytes.indexOf(opcode)).includes(0x66)) return false;
  if (map === 1) return opcode >= 0x80 && opcode <= 0x8f;
  const isGroup5 = opcode === 0xff && ((modrm >> 3) & 7) >= 2 && ((modrm >> 3) & 7) <= 5;
  return (
    isGroup5 ||
    (opcode & 0xf0) === 0x70 ||
    (opcode >= 0xe0 && opcode <= 0xeb) ||
    opcode === 0xc2 ||
    opcode === 0xc3
  );
}

/**
 * AMD: non-temporal stores take a register (SDM Vol. 2B, "MOVNTDQ": #UD), 0F 0D takes none, MOVNTI takes F3, reserved NOPs take LOCK (Vol. 2A, "LOCK": #UD), and
 * MOVSXD of 16 bits reads 32, a REP prefix turns LOOPE and LOOPNE into one another (Vol. 2B, "REP": undefined).
 */
function isVendorQuirk(bytes: readonly number[], map: number, opcode: number, modrm: number): boolean {
  const prefixes = bytes.slice(0, bytes.indexOf(opcode));
  if (map === 0 && (opcode === 0xe0 || opcode === 0xe1))
    return prefixes.includes(0xf2) || prefixes.includes(0xf3);
  if (map === 0 && opcode === 0x63) return prefixes.includes(0x66);
  if (map !== 1) return false;
  if (opcode === 0xe7 || opcode === 0x2b) return modrm >= 0xc0;
  if (opcode === 0x0d) return modrm >= 0xc0 || prefixes.includes(0xf0);
  if (opcode === 0xc3) return prefixes.includes(0xf2) || prefixes.includes(0xf3) || prefixes.includes(0x66);
  return (
    ((opcode >= 0x18 && opcode <= 0x1f) || opcode === 0x0d) &&
    bytes.slice(0, bytes.indexOf(0x0f)).includes(0xf0)
  );
}

/** Far returns, INT and system calls with a LOCK prefix: #UD, but #GP where the host emulates them. */
const RETURNS: readonly number[] = [0x05, 0x07, 0x34, 0x35, 0xca, 0xcb, 0xcd, 0xcf];

/** Whether one instruction may not be run, or not be compared. */
function isExcludedAt(slot: Uint8Array, from: number, decoded: Decoded): boolean {
  const bytes = [...slot.subarray(from, from + 15)];
  const { map, opcode, modrm } = opcodeOf(bytes);
  if (isOtherEncoding(map, opcode, modrm) || isNarrowBranch(bytes, map, opcode, modrm)) return true;
  const key = map * 256 + opcode;
  if (isVendorQuirk(bytes, map, opcode, modrm)) return true;
  const isShared = key === GROUP_7 || key === GROUP_6;
  if (isShared && !(typeof decoded === "object" && PRIVILEGED.includes(decoded.form.mnemonic))) return true;
  if (typeof decoded !== "object") return hiddenOpcodes.has(key) || RETURNS.includes(opcode);
  const { mnemonic, operands } = decoded.form;
  const text = `${mnemonic} ${operands.map(({ notation }) => notation).join(", ")}`;
  if (mnemonic in EXCLUDED || FAR.test(text) || UNDEFINED_STORE.test(text)) return true;
  return meansSomethingElse(decoded, key, bytes);
}

/** Whether a case may not be run: looks at every instruction in its slot, up to the jump back. */
export function isExcluded(slot: Uint8Array, end: number): boolean {
  const starts = new Set([TAKEN, end]);
  const targets: number[] = [];
  let spoiled = false;
  for (let at = 0; at < end; ) {
    const decoded = decode(slot, at, slot.length, 8);
    if (isExcludedAt(slot, at, decoded)) return true;
    // Bytes that were mutated into several instructions: one may show what another in front of it leaves undefined.
    if (spoiled || (at > 0 && typeof decoded === "object" && SHOWS_FLAGS.test(decoded.form.mnemonic)))
      return true;
    // What is behind it is unknown, but a branch may go there.
    if (typeof decoded !== "object") return targets.length > 0;
    starts.add(at);
    at += decoded.length;
    spoiled ||= spoilsSequences(decoded.form.mnemonic);
    if (decoded.a.kind === OperandKind.relative) {
      // Loops are no place to go.
      if (decoded.a.lo < 0) return true;
      targets.push(at + decoded.a.lo);
    }
    // The jump back was swallowed in part: what its rest means is of no interest.
    if (at > end) return true;
  }
  // Into the middle of an instruction, or another case's slot.
  return targets.some((target) => !starts.has(target));
}
