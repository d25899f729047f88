/** Data: numbers, strings, floating-point numbers, files. */
import { asmError } from "../errors.js";
import { encodeFloat, FLOAT_FORMATS } from "./floats.js";
import type { TextAssembler } from "./text-assembler.js";

const COMMA = 44;
const MAX_COUNT = 2 ** 28;

/** Values of `size` bytes, separated by commas. */
export function integers(size: number): (a: TextAssembler) => void {
  return (a) => {
    if (a.atEnd()) return;
    do a.program.datum(a.readExpression(), size);
    while (a.accept(COMMA));
  };
}

/** NASM's `db` to `dz`: expressions, strings and floating-point numbers. */
export function values(size: number): (a: TextAssembler) => void {
  return (a) => {
    do {
      if (!(a.atQuote() && readString(a, size)) && !readFloat(a, size))
        a.program.datum(a.readExpression(), size);
    } while (a.accept(COMMA));
  };
}

/** A string that is a datum by itself; `false` if it is part of an expression. */
function readString(a: TextAssembler, size: number): boolean {
  const start = a.at;
  const bytes = a.readString();
  if (a.atEnd() || a.peek() === COMMA) {
    a.program.raw(toBytes(bytes), size);
    return true;
  }
  a.at = start;
  return false;
}

/** A number with a point or an exponent, where the width is that of a floating-point format. */
function readFloat(a: TextAssembler, size: number): boolean {
  const format = FLOAT_FORMATS[size];
  if (format === undefined) return false;
  a.skipBlanks();
  const match =
    /^(?:[-+]?\d[\d_]*(?:\.[\d_]*(?:e[-+]?\d+)?|e[-+]?\d+)|[-+]?__\??(?:infinity|[qs]?nan)\??__)(?=[\s,;]|$)/i.exec(
      a.text.slice(a.at, a.at + 200),
    );
  if (match === null) return false;
  const bits = encodeFloat(match[0].replace(/__\??|\??__/g, "").replace(/[qs]nan/i, "nan"), format);
  if (bits === undefined) return false;
  a.at += match[0].length;
  a.program.raw(littleEndian(bits, size));
  return true;
}

/** GNU as's `.float` and its kin. */
export function floats(size: number): (a: TextAssembler) => void {
  return (a) => {
    if (a.atEnd()) return;
    do {
      a.skipBlanks();
      const match = /^(?:0[a-z])?([-+]?[\w.]+(?:e[-+]\d+)?)/i.exec(a.text.slice(a.at, a.at + 200));
      const bits = match === null ? undefined : encodeFloat(match[1]!, FLOAT_FORMATS[size]!);
      if (bits === undefined) throw a.unexpected("a floating-point number");
      a.at += match![0].length;
      a.program.raw(littleEndian(bits, size));
    } while (a.accept(COMMA));
  };
}

function littleEndian(bits: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n));
}

/** Strings, each character `unit` bytes wide, with a zero behind each string if `terminated`. */
export function strings(unit: number, terminated: boolean): (a: TextAssembler) => void {
  return (a) => {
    if (a.atEnd()) return;
    do {
      if (a.next() !== 34) throw a.unexpected("a string in double quotes");
      let bytes = a.readString();
      while (a.next() === 34) bytes += a.readString();
      const text = terminated ? `${bytes}\0` : bytes;
      const out = new Uint8Array(text.length * unit);
      for (let i = 0; i < text.length; i++) out[i * unit] = text.charCodeAt(i);
      a.program.raw(out);
    } while (a.accept(COMMA));
  };
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `count` times `unit` bytes of zeros, reserved. */
export function reserve(unit: number): (a: TextAssembler) => void {
  return (a) => {
    const count = a.readExpression();
    if (typeof count === "object") a.program.fill(count, new Uint8Array(unit));
    else if (count < 0 || count > MAX_COUNT)
      throw asmError("ERR_ASM_RANGE", `a count is 0 to 2^28, not ${count}`);
    else a.program.zeros(Number(count) * unit, 0);
  };
}

/** GNU as's `.skip count, value`. */
export function skip(a: TextAssembler): void {
  const count = a.readExpression();
  const value = a.accept(COMMA) ? Number(a.readConstant("a fill value")) : 0;
  fillWith(a, count, Uint8Array.of(value));
}

/** GNU as's `.fill count, size, value`. */
export function fill(a: TextAssembler): void {
  const count = a.readExpression();
  const size = a.accept(COMMA) ? Math.min(8, a.readCount("a size", 255)) : 1;
  const value = a.accept(COMMA) ? BigInt.asUintN(32, BigInt(a.readConstant("a fill value"))) : 0n;
  fillWith(a, count, littleEndian(value, size));
}

function fillWith(
  a: TextAssembler,
  count: ReturnType<TextAssembler["readExpression"]>,
  pattern: Uint8Array,
): void {
  if (pattern.length === 0) return;
  if (typeof count === "object") a.program.fill(count, pattern);
  else if (count < 0 || count > MAX_COUNT)
    throw asmError("ERR_ASM_RANGE", `a count is 0 to 2^28, not ${count}`);
  else a.program.repeat(pattern, Number(count));
}

/** `.uleb128` and `.sleb128` (DWARF, "Variable Length Data"). */
export function leb128(signed: boolean): (a: TextAssembler) => void {
  return (a) => {
    do {
      let value = BigInt(a.readConstant("a LEB128 number"));
      if (!signed && value < 0n) throw asmError("ERR_ASM_RANGE", `${value} is negative`);
      const bytes: number[] = [];
      for (let more = true; more; ) {
        const low = Number(value & 127n);
        value >>= 7n;
        more = signed ? !((value === 0n && low < 64) || (value === -1n && low >= 64)) : value !== 0n;
        bytes.push(more ? low | 128 : low);
      }
      a.program.raw(Uint8Array.from(bytes));
    } while (a.accept(COMMA));
  };
}

/** A file's bytes: `incbin "path", skip, count`. */
export function incbin(a: TextAssembler): void {
  const path = quotedPath(a);
  const bytes = a.files.bytes(path, a.frame.file);
  const skipped = a.accept(COMMA) ? a.readCount("the bytes to skip", bytes.length) : 0;
  const rest = bytes.length - skipped;
  const count = a.accept(COMMA) ? a.readCount("the bytes to take", rest) : rest;
  a.program.raw(bytes.subarray(skipped, skipped + count));
}

/** Reads another source file here. */
export function include(a: TextAssembler): void {
  const path = quotedPath(a);
  const text = a.prepare(a.files.text(path, a.frame.file));
  a.openFrame({ file: path, firstLine: 1, name: "include", text });
}

function quotedPath(a: TextAssembler): string {
  if (!a.atQuote()) throw a.unexpected("a path in quotes");
  const path = a.readString();
  // Bytes back to text: a path may have any characters.
  return decodeURIComponent(
    path.replace(/[%\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`),
  );
}
