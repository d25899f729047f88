/**
 * Packs the instruction table, for the generator; form-table.ts unpacks it, a mnemonic at a time.
 *
 * Mnemonics whose forms differ in nothing but a constant added to every opcode, and one to every byte of the ModRM
 * field that means something, are a family, and its forms are written once: CMOVcc, SETcc, the shifts, most of SSE.
 *
 * A form is three bytes and more: indices into the lists of distinct upper halves of the opcode word and of
 * distinct flags words, the opcode, the byte of the ModRM field where it has a meaning, and for each operand an
 * index into the list of distinct operands. An operand is four numbers: bits, slot, check, fixed register. Bytes
 * travel as base64, so that the module is plain ASCII.
 */
import type { Form, FormOperand } from "./notation.js";
import { FormFlag, ModrmKind, OpcodeField } from "./operand-bits.js";

export interface PackedTable {
  /**
   * Runs of mnemonics of one family, separated by semicolons; blanks separate the names of a run. A run begins with
   * the number of its family or, where that is new, with `forms*base64`. A name has behind it what is added to the
   * family's opcodes, and to its ModRM bytes, in hexadecimal: `2*AwAB sete setz setne:1`, `4*KTcF rol ror:.1`.
   */
  readonly mnemonics: string;
  /** Numbers, separated by commas, as the two below: arrays would be printed a number a line. */
  readonly operands: string;
  /** Opcode words without their low 16 bits. */
  readonly kinds: string;
  readonly flags: string;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function opcodeWord(form: Form): number {
  return (
    (form.opcode << OpcodeField.opcode) |
    (form.modrm << OpcodeField.modrm) |
    (form.map << OpcodeField.map) |
    (form.prefix << OpcodeField.prefix) |
    (form.modrmKind << OpcodeField.modrmKind) |
    (Number(form.rexW) << OpcodeField.rexW) |
    (form.operandSize << OpcodeField.operandSize) |
    (form.addressSize << OpcodeField.addressSize) |
    (Number(form.plusRegister) << OpcodeField.plusRegister)
  );
}

function flagsWord(form: Form): number {
  return (
    form.modes |
    form.flags |
    (form.kind << FormFlag.kindShift) |
    (form.operands.length << FormFlag.countShift)
  );
}

/** Forms by mnemonic, in the order in which they are packed: within a mnemonic they keep their order. */
export function groupForms(forms: readonly Form[]): ReadonlyMap<string, readonly Form[]> {
  const byMnemonic = new Map<string, Form[]>();
  for (const form of forms) {
    const group = byMnemonic.get(form.mnemonic);
    if (group) group.push(...withoutOptional(form));
    else byMnemonic.set(form.mnemonic, withoutOptional(form));
  }
  return byMnemonic;
}

/** Distinct keys, numbered from 0. */
class Dictionary {
  readonly keys: string[] = [];

  /** The number of a key. Throws `RangeError` where there are more than a byte counts. */
  indexOf(key: string): number {
    const index = this.keys.indexOf(key);
    if (index >= 0) return index;
    if (this.keys.length > 255)
      throw new RangeError("more than 256 distinct parts of forms; a byte holds 256");
    return this.keys.push(key) - 1;
  }
}

/** Mnemonics that share their forms. */
interface Family {
  readonly number: number;
  readonly opcode: number;
  readonly modrm: number;
}

/** Packs forms; those of one mnemonic need not stand together. */
export function packTable(forms: readonly Form[]): PackedTable {
  const operands = new Dictionary();
  const kinds = new Dictionary();
  const flags = new Dictionary();
  const families = new Map<string, Family>();
  const runs: string[] = [];
  let last = -1;
  for (const [name, group] of groupForms(forms)) {
    const packed = group.map((form) => {
      const opcode = opcodeWord(form);
      const flag = flagsWord(form);
      const parts = form.operands.map((operand) => operands.indexOf(packOperand(operand).join()));
      return {
        shape: [kinds.indexOf(String(opcode & ~0xffff)), flags.indexOf(String(flag))],
        opcode: opcode & 255,
        modrm: hasModrmByte(opcode, flag) ? [(opcode >> OpcodeField.modrm) & 255] : [],
        parts,
      };
    });
    const opcode = packed[0]!.opcode;
    const modrm = packed.flatMap((form) => form.modrm)[0] ?? 0;
    const key = JSON.stringify(
      packed.map((form) => [
        form.shape,
        (form.opcode - opcode) & 255,
        form.modrm.map((byte) => (byte - modrm) & 255),
        form.parts,
      ]),
    );
    const known = families.get(key);
    const family = known ?? { number: families.size, opcode, modrm };
    families.set(key, family);
    if (known === undefined) {
      const bytes = packed.flatMap((form) => [...form.shape, form.opcode, ...form.modrm, ...form.parts]);
      runs.push(`${packed.length}*${toBase64(bytes)}`);
    } else if (family.number !== last) runs.push(String(family.number));
    last = family.number;
    runs[runs.length - 1] += ` ${name}${difference(opcode - family.opcode, modrm - family.modrm)}`;
  }
  return {
    mnemonics: runs.join(";"),
    operands: operands.keys.join(),
    kinds: kinds.keys.join(),
    flags: flags.keys.join(),
  };
}

/** What stands behind the name of a mnemonic whose bytes are not its family's. */
function difference(opcode: number, modrm: number): string {
  const hex = (value: number) => (value === 0 ? "" : (value & 255).toString(16));
  if (opcode === 0 && modrm === 0) return "";
  return modrm === 0 ? `:${hex(opcode)}` : `:${hex(opcode)}.${hex(modrm)}`;
}

/** Whether the ModRM field of a form says anything: a digit, a second opcode byte, or a last byte. */
export function hasModrmByte(opcode: number, flags: number): boolean {
  return ((opcode >> OpcodeField.modrmKind) & 3) >= ModrmKind.digit || (flags & FormFlag.suffix) !== 0;
}

/** A form with a last operand that may be left out is two forms. */
function withoutOptional(form: Form): Form[] {
  if (!form.operands.at(-1)?.optional) return [form];
  return [form, { ...form, operands: form.operands.slice(0, -1) }];
}

function packOperand(operand: FormOperand): number[] {
  return [operand.accepts, operand.slot, operand.check, Math.max(operand.fixed, 0)];
}

/** Base64 without padding. */
function toBase64(bytes: readonly number[]): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const digits = Math.min(4, bytes.length - i + 1);
    for (let digit = 0; digit < digits; digit++) text += BASE64[(group >> (18 - 6 * digit)) & 63];
  }
  return text;
}
