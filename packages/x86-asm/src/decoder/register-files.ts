/** Registers by file and number, as a decoder asks for them. */
import { OperandBit } from "../operand-bits.js";
import { allRegisters, type Register, type RegisterFile, RexNeed } from "../registers.js";

const files = new Map<string, Register[]>();
/** Without a REX prefix, byte registers 4 to 7 are AH to BH. */
const highBytes: Register[] = [];

for (const value of allRegisters) {
  if (value.rex === RexNeed.forbidden) highBytes[value.number] = value;
  else {
    const file = files.get(value.file);
    if (file) file[value.number] = value;
    else files.set(value.file, placed(value));
  }
}

function placed(register: Register): Register[] {
  const file: Register[] = [];
  file[register.number] = register;
  return file;
}

const FILES: readonly (readonly [bit: number, file: RegisterFile])[] = (
  ["r8", "r16", "r32", "r64", "sreg", "cr", "dr", "st", "mm", "xmm", "ymm", "zmm", "k", "bnd", "tr"] as const
).map((file) => [OperandBit[file], file]);

/** Files that REX does not extend. */
const EIGHT_ONLY = OperandBit.mm | OperandBit.sreg | OperandBit.st | OperandBit.k | OperandBit.tr;

/** The register of that number in the file that `accepts` names, or `undefined` if there is none. */
export function registerOf(accepts: number, number: number, hasRex: boolean): Register | undefined {
  for (const [bit, file] of FILES) {
    if ((accepts & bit) === 0) continue;
    if (bit === OperandBit.r8 && !hasRex && number >= 4 && number < 8) return highBytes[number];
    return files.get(file)?.[(EIGHT_ONLY & bit) !== 0 ? number & 7 : number];
  }
  return undefined;
}
