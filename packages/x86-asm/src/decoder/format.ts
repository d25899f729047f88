/** Instructions as text: as objdump prints them (and GNU as reads them), or as NASM reads them. */
import { type Decorations, Rounding } from "../decorations.js";
import type { Integer } from "../integers.js";
import { ANY_VSIB } from "../operand-bits.js";
import { AddressKind, type Memory } from "../operands.js";
import type { DialectName } from "../text/dialect.js";
import type { DecodedInstruction, DecodedOperand } from "./instruction.js";

type MemoryOperand = Extract<DecodedOperand, { kind: "memory" }>;

export interface FormatOptions {
  /** Spelling; `gas` if not given. */
  readonly dialect?: DialectName;
  /** Names an address: what it returns stands for a branch target or a RIP-relative address. */
  readonly nameOf?: (address: bigint) => string | undefined;
}

const GAS_WIDTHS: Readonly<Record<number, string>> = {
  0: "",
  8: "BYTE",
  16: "WORD",
  32: "DWORD",
  48: "FWORD",
  64: "QWORD",
  80: "TBYTE",
  128: "XMMWORD",
  256: "YMMWORD",
  512: "ZMMWORD",
};
const NASM_WIDTHS: Readonly<Record<number, string>> = {
  0: "",
  8: "byte ",
  16: "word ",
  32: "dword ",
  48: "",
  64: "qword ",
  80: "tword ",
  128: "oword ",
  256: "yword ",
  512: "zword ",
};
/** Where objdump says another width than the table, or none. */
const WORDS_AS_PRINTED: Readonly<Record<string, string>> = {
  cmpxchg16b: "OWORD",
  invept: "OWORD",
  invvpid: "OWORD",
  invlpg: "BYTE",
  invpcid: "",
  lddqu: "",
  vlddqu: "",
  enqcmd: "",
  enqcmds: "",
  movdir64b: "",
  ldtilecfg: "",
  sttilecfg: "",
};
const ROUNDING_NAMES = ["rn-sae", "rd-sae", "ru-sae", "rz-sae", "sae"];

/** One line of text for an instruction, without its address and bytes. */
export function format(instruction: DecodedInstruction, options: FormatOptions = {}): string {
  const { mnemonic, operands, prefixes, hint } = instruction;
  const isNasm = options.dialect === "nasm";
  if (isNasm && STRINGS.has(mnemonic)) return nasmString(instruction);
  const texts = operands.map((operand) => formatOperand(operand, instruction, options));
  if (isNasm && mnemonic === "movabs" && operands[1]?.kind === "immediate")
    texts[1] = `strict qword ${texts[1]}`;
  if (isNasm && mnemonic === "mov" && isLongMove(operands)) texts[1] = `strict dword ${texts[1]}`;
  const names = isNasm ? prefixes.map((prefix) => NASM_PREFIXES[prefix] ?? prefix) : prefixes;
  const name = isNasm ? nasmName(instruction) : mnemonic;
  return [...names, hint && `{${hint}}`, name, texts.join(isNasm ? ", " : ",")]
    .filter((part) => part !== "")
    .join(" ");
}

/** NASM would make MOV R32, IMM32 of it. */
function isLongMove([first, second]: readonly DecodedOperand[]): boolean {
  if (first?.kind !== "register" || first.register.file !== "r64") return false;
  return second?.kind === "immediate" && second.value >= 0;
}

const STRINGS: ReadonlySet<string> = new Set("movs cmps stos lods scas ins outs xlat".split(" "));
const WIDTH_LETTERS: Readonly<Record<number, string>> = { 8: "b", 16: "w", 32: "d", 64: "q" };
const DI_NUMBER = 7;

/** NASM's string instructions have no operands: width, address size and segment stand around the mnemonic. */
function nasmString({ mnemonic, operands, prefixes, bits }: DecodedInstruction): string {
  const memories = operands.filter((operand) => operand.kind === "memory").map(({ memory }) => memory);
  const [{ width, base }] = memories as [Memory];
  const addressBits = base!.file === "r64" ? 64 : base!.file === "r32" ? 32 : 16;
  const source = memories.find((memory) => memory.segment !== null && memory.base!.number !== DI_NUMBER);
  const names = prefixes.map((prefix) => NASM_PREFIXES[prefix] ?? prefix);
  if (addressBits !== bits) names.push(`a${addressBits}`);
  if (source) names.push(source.segment!.name);
  return [...names, `${mnemonic}${mnemonic === "xlat" ? "b" : WIDTH_LETTERS[width]}`].join(" ");
}

/** GNU as's suffixes that NASM does not have: the width is a prefix, or a word before the operand. */
const SUFFIXED = /^(leave|enter|[sl][gi]dt|fldenv|fn?stenv|fn?save|frstor|ret|pop|push|jmp|call)([wd])$/;
const NASM_NAMES: Readonly<Record<string, string>> = {
  sysexitd: "sysexit",
  sysexitq: "o64 sysexit",
  sysretd: "sysret",
  sysretq: "o64 sysret",
};

function nasmName({ mnemonic, operands, bits }: DecodedInstruction): string {
  const [first] = operands;
  if (mnemonic === "sysretd" && bits === 16) return "o32 sysret";
  if (mnemonic === "movabs" && operands[1]?.kind === "immediate") return "mov";
  const [, stem, letter] = SUFFIXED.exec(mnemonic) ?? [];
  if (stem === undefined) return NASM_NAMES[mnemonic] ?? mnemonic;
  const isWord = /^(push|jmp|call)$/.test(stem) && first?.kind !== "register";
  if (isWord) return `${stem} ${letter === "w" ? "word" : "dword"}`;
  return `${letter === "w" ? "o16" : "o32"} ${stem}`;
}

const NASM_PREFIXES: Readonly<Record<string, string>> = {
  repnz: "repne",
  repz: "repe",
  data16: "o16",
  data32: "o32",
  addr16: "a16",
  addr32: "a32",
};

function formatOperand(
  operand: DecodedOperand,
  instruction: DecodedInstruction,
  options: FormatOptions,
): string {
  const isNasm = options.dialect === "nasm";
  switch (operand.kind) {
    case "register":
      return registerName(operand, isNasm) + decorated(operand.decorations, isNasm);
    case "immediate":
      if (operand.isFixed) return String(operand.value);
      return hex(operand.value < 0 ? BigInt.asUintN(operand.bits, BigInt(operand.value)) : operand.value);
    case "target":
      return options.nameOf?.(operand.address) ?? hex(operand.address);
    case "far":
      return `${hex(operand.pointer.selector as Integer)}:${hex(operand.pointer.offset as Integer)}`;
    default:
      return (
        formatMemory(operand, instruction, options) +
        elements(operand, isNasm) +
        decorated(operand.decorations, isNasm)
      );
  }
}

/** `{1to4}`: NASM always has it, objdump where the other operands do not say it. */
function elements({ decorations, countsElements }: MemoryOperand, isNasm: boolean): string {
  if (!decorations?.broadcast) return "";
  return isNasm || countsElements ? `{1to${decorations.elements}}` : "";
}

/** Mask, zeroing and rounding mode behind an operand; in NASM's spelling the last is an operand of its own. */
function decorated(decorations: Decorations | null, isNasm: boolean): string {
  if (decorations === null) return "";
  const { mask, zeroing, rounding = Rounding.none } = decorations;
  return [
    mask ? `{${mask.name}}` : "",
    zeroing ? "{z}" : "",
    rounding === Rounding.none ? "" : `${isNasm ? ", " : ""}{${ROUNDING_NAMES[rounding]}}`,
  ].join("");
}

/** The top of the x87 stack has no number where the opcode implies it; NASM numbers them all, without brackets. */
function registerName(
  { register, isFixed }: Extract<DecodedOperand, { kind: "register" }>,
  isNasm: boolean,
): string {
  if (register.file !== "st") return register.name;
  return isNasm ? `st${register.number}` : isFixed ? "st" : register.name;
}

function formatMemory(
  operand: MemoryOperand,
  instruction: DecodedInstruction,
  options: FormatOptions,
): string {
  const { memory } = operand;
  const isNasm = options.dialect === "nasm";
  const width = widthWord(operand, instruction, isNasm);
  const segment = segmentOf(memory, instruction);
  if (memory.address === AddressKind.ripRelative) {
    const target = instruction.address + BigInt(instruction.length) + BigInt(memory.displacement);
    const name = options.nameOf?.(BigInt.asUintN(64, target));
    const base = memory.addressBits === 32 ? "eip" : "rip";
    if (isNasm && name === undefined && memory.addressBits === 64) {
      // NASM has no RIP in addresses; $ is where the instruction begins.
      const distance = instruction.length + Number(memory.displacement);
      return bracket(width, segment, `rel $${signedHex(distance)}`, true);
    }
    if (name !== undefined) return isNasm ? `${width}[rel ${name}]` : `${width}${segment}[${base}+${name}]`;
    // objdump prints this displacement as the unsigned number that it adds.
    const offset = isNasm
      ? signedHex(memory.displacement)
      : `+${hex(BigInt.asUintN(64, BigInt(memory.displacement)))}`;
    return bracket(width, segment, base + offset, isNasm);
  }
  const registers = addressRegisters(operand, instruction.bits, isNasm);
  if (registers === "") {
    const offset = hex(wrapped(memory));
    return isNasm ? bracket(width, segment, offset, true) : `${width}${segment || "ds:"}${offset}`;
  }
  const shown = operand.displacementBytes > 0 && (memory.displacement !== 0 || !isNasm);
  // NASM would read [rax*2] as [rax+rax].
  const isVector = (memory.bits & ANY_VSIB) !== 0;
  const keep = isNasm && memory.base === null && !isVector ? "nosplit " : "";
  return bracket(width, segment, keep + registers + (shown ? signedHex(memory.displacement) : ""), isNasm);
}

/** The word for the width, with what goes with it. A bare offset needs none: the register says it. */
function widthWord(
  { memory, isOffset, isFar, decorations, needsWidth }: MemoryOperand,
  { mnemonic, operands }: DecodedInstruction,
  isNasm: boolean,
): string {
  if (isOffset) return "";
  if (!isNasm) {
    const word = WORDS_AS_PRINTED[mnemonic] ?? GAS_WIDTHS[memory.width] ?? "";
    return word === "" ? "" : `${word} ${decorations?.broadcast ? "BCST" : "PTR"} `;
  }
  // NASM gives no width to an element that is broadcast: how many there are says it.
  if (decorations?.broadcast) return "";
  if (!needsWidth && isMediaOrAlone(operands)) return "";
  if (isFar) return `far ${NASM_WIDTHS[memory.width - 16] ?? ""}`;
  return NASM_WIDTHS[memory.width] ?? "";
}

/** Where NASM's templates often have no width: vector instructions, and those on memory alone. */
function isMediaOrAlone(operands: readonly DecodedOperand[]): boolean {
  const registers = operands.filter((operand) => operand.kind === "register");
  return registers.length === 0 || registers.some(({ register }) => MEDIA_FILES.has(register.file));
}

const MEDIA_FILES: ReadonlySet<string> = new Set(["mm", "xmm", "ymm", "zmm", "k", "bnd", "tmm"]);

function bracket(width: string, segment: string, inner: string, isNasm: boolean): string {
  return isNasm ? `${width}[${segment}${inner}]` : `${width}${segment}[${inner}]`;
}

/** The segment with its colon, where it is not the one that the address implies; string operands always show it. */
function segmentOf(memory: Memory, { mnemonic }: DecodedInstruction): string {
  if (memory.segment !== null) return `${memory.segment.name}:`;
  return /^(movs|cmps|lods|outs|xlat)$/.test(mnemonic) ? "ds:" : "";
}

/** Base and index as they stand in the brackets. */
function addressRegisters({ memory, hasSib }: MemoryOperand, bits: number, isNasm: boolean): string {
  const { base, index, scale } = memory;
  const parts: string[] = [];
  if (base !== null) parts.push(base.name);
  if (index !== null) parts.push(index.file === "r16" ? index.name : `${index.name}*${scale}`);
  // A SIB byte without an index: objdump shows it, unless the base asks for one, or it is how 64-bit mode says a bare
  // 32-bit offset.
  if (hasSib && index === null && !isNasm) {
    const isPlain = base !== null ? (base.number & 7) === 4 : bits === 64 && memory.addressBits !== 32;
    if (!isPlain || scale !== 1) {
      parts.push(`${memory.addressBits === 32 || base?.file === "r32" ? "eiz" : "riz"}*${scale}`);
    }
  }
  return parts.join("+");
}

/** An absolute address as unsigned number of the address size. */
function wrapped(memory: Memory): Integer {
  const { displacement } = memory;
  return displacement < 0 ? BigInt.asUintN(memory.addressBits || 64, BigInt(displacement)) : displacement;
}

function signedHex(value: Integer): string {
  return value < 0 ? `-${hex(-value)}` : `+${hex(value)}`;
}

function hex(value: Integer): string {
  return `0x${value.toString(16)}`;
}
