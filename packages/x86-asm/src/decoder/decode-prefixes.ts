/** The prefixes before an opcode. */
import { cs, ds, es, fs, gs, type Register, ss } from "../registers.js";

/** What was found before an opcode. */
export interface FoundPrefixes {
  /** Offset of the opcode. */
  end: number;
  lock: boolean;
  /** F2 or F3, whichever stood last; 0 if none. */
  repeat: number;
  /** 66 and 67. */
  data: boolean;
  address: boolean;
  segment: Register<"sreg"> | null;
  /** The whole REX byte; 0 if none. */
  rex: number;
}

const SEGMENTS: Readonly<Record<number, Register<"sreg">>> = {
  [0x26]: es,
  [0x2e]: cs,
  [0x36]: ss,
  [0x3e]: ds,
  [0x64]: fs,
  [0x65]: gs,
};

/** The longest instruction (SDM Vol. 2A, "Instruction Format"). */
export const MAX_LENGTH = 15;

/** Reads prefixes from `start` on. REX counts only in 64-bit mode, and only right before the opcode. */
export function readPrefixes(bytes: Uint8Array, start: number, bits: number): FoundPrefixes {
  const found: FoundPrefixes = {
    end: start,
    lock: false,
    repeat: 0,
    data: false,
    address: false,
    segment: null,
    rex: 0,
  };
  for (; found.end < bytes.length && found.end - start < MAX_LENGTH; found.end++) {
    const byte = bytes[found.end]!;
    if (bits === 64 && (byte & 0xf0) === 0x40) {
      found.rex = byte;
      continue;
    }
    if (byte === 0x66) found.data = true;
    else if (byte === 0x67) found.address = true;
    else if (byte === 0xf0) found.lock = true;
    else if (byte === 0xf2 || byte === 0xf3) found.repeat = byte;
    else if (byte in SEGMENTS) found.segment = SEGMENTS[byte]!;
    else break;
    found.rex = 0;
  }
  return found;
}
