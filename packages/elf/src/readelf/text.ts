/** Numbers and columns as printf writes them. */
import type { Encoding } from "../structs.js";

export function hex(value: bigint | number): string {
  return value.toString(16);
}

/** `%0*lx`: a fixed number of digits. */
export function digits(value: bigint | number, width: number): string {
  return value.toString(16).padStart(width, "0");
}

/** `%#lx`: no prefix before zero. */
export function prefixed(value: bigint | number): string {
  return BigInt(value) === 0n ? "0" : `0x${value.toString(16)}`;
}

/** `%#06lx`: padded with zeros to the width, prefix included, which zero does not have. */
export function prefixedWide(value: number, width: number): string {
  return value === 0 ? "0".repeat(width) : `0x${value.toString(16).padStart(width - 2, "0")}`;
}

/** An address with all the digits of its class. */
export function address(value: bigint | number, { is64 }: Encoding): string {
  return digits(value, is64 ? 16 : 8);
}

/** Control characters in caret notation, as a terminal should see them. */
export function printable(text: string): string {
  return UNSAFE.test(text) ? Array.from(text, caret).join("") : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f]/;

function caret(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x20 || code === 0x7f ? `^${String.fromCharCode(code ^ 0x40)}` : character;
}

export function entries(count: number): string {
  return `${count} ${count === 1 ? "entry" : "entries"}`;
}
