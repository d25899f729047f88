/**
 * Guest strings as JavaScript strings, without loss.
 *
 * Linux's strings are bytes, mostly UTF-8. A byte that is not part of valid UTF-8 becomes the lone surrogate U+DC80 to
 * U+DCFF (as PEP 383 does in Python) and turns back into that byte, so that every file name survives the round trip.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const ESCAPE = 0xdc00;
const escaped = /[\udc80-\udcff]/;

/** Decodes bytes. Every byte sequence has a string, and no two have the same. */
export function decodeText(bytes: Uint8Array): string {
  // TextDecoder refuses views of shared memory in some engines; a guest's strings are short.
  const copy = bytes.slice();
  try {
    return strict.decode(copy);
  } catch {
    return decodeWithEscapes(copy);
  }
}

/** Whether a string stands for bytes that are no UTF-8. */
export const hasEscapedBytes = (text: string): boolean => escaped.test(text);

/** Encodes a string; the inverse of `decodeText`. */
export function encodeText(text: string): Uint8Array {
  if (!hasEscapedBytes(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) bytes.push(code - ESCAPE);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

function decodeWithEscapes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text +=
      length === 0
        ? String.fromCharCode(ESCAPE + bytes[at]!)
        : strict.decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length <= 1 || at + length > bytes.length) return length <= 1 ? length : 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
