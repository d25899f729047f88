/** Registers by file and number, as a decoder asks for them. */
import { OperandBit } from "../operand-bits.js";
import { allRegisters, type Register, type RegisterFile, RexNeed } from "../registers.js";

const FILES: readonly (readonly [bit: number, file: RegisterFile])[] = (
  ["r8", "r16", "r32", "r64", "sreg", "cr", "dr", "st", "mm", "xmm", "ymm", "zmm", "k", "bnd"] as const
).map((file) => [OperandBit[file], file]);

/** Files that no prefix extends: the rest of the number is passed over. */
const EIGHT_ONLY = OperandBit.mm | OperandBit.st | OperandBit.sreg;

/** The registers of the core entry, and those that an instruction set adds. */
export class RegisterFiles {
  private readonly files = new Map<string, Register[]>();
  /** Without a REX prefix, byte registers 4 to 7 are AH to BH. */
  private readonly highBytes: Register[] = [];

  constructor(added: readonly Register[]) {
    for (const value of [...allRegisters, ...added]) {
      if (value.rex === RexNeed.forbidden) this.highBytes[value.number] = value;
      else {
        const file = this.files.get(value.file) ?? [];
        file[value.number] = value;
        this.files.set(value.file, file);
      }
    }
  }

  /** The register of that number in the file that `accepts` names, or `undefined` if there is none. */
  find(accepts: number, number: number, hasRex: boolean, bits: number): Register | undefined {
    // Tiles exist in 64-bit mode only, test registers in the others; they share the bit.
    if ((accepts & OperandBit.tr) !== 0) return this.files.get(bits === 64 ? "tmm" : "tr")?.[number];
    for (const [bit, file] of FILES) {
      if ((accepts & bit) === 0) continue;
      if (bit === OperandBit.r8 && !hasRex && number >= 4 && number < 8) return this.highBytes[number];
      return this.files.get(file)?.[(EIGHT_ONLY & bit) !== 0 ? number & 7 : number];
    }
    return undefined;
  }
}
