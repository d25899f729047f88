/** What stands before an opcode byte: legacy prefixes and REX, then VEX, EVEX or XOP, or the escape bytes of a map. */
import { EncodingKind, OpcodeMap } from "../operand-bits.js";
import { cs, ds, es, fs, gs, type Register, ss } from "../registers.js";

/** Legacy prefixes and REX, as found. */
export interface FoundPrefixes {
  /** Every prefix byte in order, each at its offset from the start. */
  bytes: number[];
  /** Offset of what follows them. */
  end: number;
  /** Offsets from the start of the last F0, F2 or F3, 66, 67, 3E and REX, and of the segment that counts; -1: none. */
  lock: number;
  /** The last F2 and the last F3. */
  f2: number;
  f3: number;
  data: number;
  address: number;
  segmentAt: number;
  segment: Register<"sreg"> | null;
  rexAt: number;
  /** The whole REX byte; 0 if none. */
  rex: number;
  /** A REX prefix stands before another prefix: it says nothing, and what it was meant for begins behind it. */
  isRexAlone: boolean;
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

/** Reads prefixes from `start` on. REX exists in 64-bit mode, where only FS and GS override a segment. */
export function readPrefixes(bytes: Uint8Array, start: number, bits: number): FoundPrefixes {
  const found: FoundPrefixes = {
    bytes: [],
    end: start,
    lock: -1,
    f2: -1,
    f3: -1,
    data: -1,
    address: -1,
    segmentAt: -1,
    segment: null,
    rexAt: -1,
    rex: 0,
    isRexAlone: false,
  };
  for (let i = 0; i < MAX_LENGTH && found.end < bytes.length; i++, found.end++) {
    const byte = bytes[found.end]!;
    const isRex = bits === 64 && (byte & 0xf0) === 0x40;
    if (!isRex && !isPrefix(byte)) break;
    if (found.rexAt >= 0) {
      found.isRexAlone = true;
      break;
    }
    found.bytes.push(byte);
    if (isRex) {
      found.rex = byte;
      found.rexAt = i;
    } else note(found, byte, i, bits);
  }
  return found;
}

function isPrefix(byte: number): boolean {
  return (
    byte === 0x66 || byte === 0x67 || byte === 0xf0 || byte === 0xf2 || byte === 0xf3 || byte in SEGMENTS
  );
}

function note(found: FoundPrefixes, byte: number, at: number, bits: number): void {
  if (byte === 0x66) found.data = at;
  else if (byte === 0x67) found.address = at;
  else if (byte === 0xf0) found.lock = at;
  else if (byte === 0xf2) found.f2 = at;
  else if (byte === 0xf3) found.f3 = at;
  else if (bits !== 64 || byte === 0x64 || byte === 0x65) {
    found.segment = SEGMENTS[byte]!;
    found.segmentAt = at;
  }
}

/** How GNU as spells a prefix byte that stands by itself. */
export function prefixName(byte: number, bits: number): string {
  if (byte === 0x66) return bits === 16 ? "data32" : "data16";
  if (byte === 0x67) return bits === 32 ? "addr16" : "addr32";
  if (byte === 0xf0) return "lock";
  if (byte === 0xf2) return "repnz";
  if (byte === 0xf3) return "repz";
  const segment = SEGMENTS[byte];
  if (segment !== undefined) return segment.name;
  const letters = ["W", "R", "X", "B"].filter((_, i) => (byte & (8 >> i)) !== 0).join("");
  return letters === "" ? "rex" : `rex.${letters}`;
}

/** An opcode and what its prefix says with it; register numbers as what is added to the three bits of ModR/M and SIB. */
export interface Opcode {
  /** `EncodingKind`, legacy for all legacy ones. */
  readonly kind: number;
  readonly map: number;
  readonly byte: number;
  /** Offset of what follows. */
  readonly end: number;
  /** Of VEX, EVEX and XOP: implied prefix as VEX.pp numbers it, W, length. */
  readonly pp: number;
  readonly w: number;
  readonly length: number;
  readonly reg: number;
  readonly index: number;
  readonly base: number;
  /** Added to ModRM.rm where it is a register: EVEX.X extends it. */
  readonly rm: number;
  /** Whole; 0 where none is encoded. */
  readonly vvvv: number;
  /** Added to an index vector. */
  readonly indexHigh: number;
  /** EVEX: mask, zeroing, broadcast or rounding. */
  readonly mask: number;
  readonly zeroing: boolean;
  readonly b: boolean;
}

const PLAIN = { pp: 0, w: 0, length: 0, vvvv: 0, indexHigh: 0, mask: 0, zeroing: false, b: false };

/** The opcode behind the prefixes, or `undefined` if the bytes end before it, or a reserved bit is wrong. */
export function readOpcode(bytes: Uint8Array, at: number, bits: number, rex: number): Opcode | undefined {
  const first = bytes[at];
  const next = bytes[at + 1];
  if (first === undefined) return undefined;
  if (next !== undefined) {
    // Outside 64-bit mode these bytes are LDS, LES and BOUND where a memory operand follows.
    const isExtended = bits === 64 || next >= 0xc0;
    if (first === 0xc5 && isExtended) return readVex2(bytes, at, bits);
    if (first === 0xc4 && isExtended) return readVex3(bytes, at, bits, EncodingKind.vex);
    if (first === 0x62 && isExtended) return readEvex(bytes, at, bits);
    // 8F is POP, whose digit is 0; XOP has its map from 8 on there.
    if (first === 0x8f && (next & 0x1f) >= 8) return readVex3(bytes, at, bits, EncodingKind.xop);
  }
  return readLegacy(bytes, at, rex);
}

function readLegacy(bytes: Uint8Array, start: number, rex: number): Opcode | undefined {
  let at = start;
  let map: number = OpcodeMap.one;
  let byte = bytes[at++];
  if (byte === 0x0f) {
    map = OpcodeMap["0F"];
    byte = bytes[at++];
    if (byte === 0x38 || byte === 0x3a) {
      map = byte === 0x38 ? OpcodeMap["0F38"] : OpcodeMap["0F3A"];
      byte = bytes[at++];
    }
  }
  if (byte === undefined) return undefined;
  const base = (rex & 1) << 3;
  const [reg, index, w] = [(rex & 4) << 1, (rex & 2) << 2, (rex >> 3) & 1];
  return { ...PLAIN, kind: EncodingKind.legacy, map, byte, end: at, w, reg, index, base, rm: base };
}

/** R, X and B are inverted, and say nothing outside 64-bit mode, nor does the top bit of vvvv. */
function extended(bits: number, inverted: number, mask: number): number {
  return bits === 64 && (inverted & mask) === 0 ? 8 : 0;
}

function vvvvOf(bits: number, third: number): number {
  return ~(third >> 3) & 15 & (bits === 64 ? 15 : 7);
}

function readVex2(bytes: Uint8Array, at: number, bits: number): Opcode | undefined {
  const second = bytes[at + 1]!;
  const byte = bytes[at + 2];
  if (byte === undefined) return undefined;
  return {
    ...PLAIN,
    kind: EncodingKind.vex,
    map: OpcodeMap["0F"],
    byte,
    end: at + 3,
    pp: second & 3,
    length: (second >> 2) & 1,
    vvvv: vvvvOf(bits, second),
    reg: extended(bits, second, 0x80),
    index: 0,
    base: 0,
    rm: 0,
  };
}

function readVex3(bytes: Uint8Array, at: number, bits: number, kind: number): Opcode | undefined {
  const second = bytes[at + 1]!;
  const third = bytes[at + 2];
  const byte = bytes[at + 3];
  if (third === undefined || byte === undefined) return undefined;
  const base = extended(bits, second, 0x20);
  return {
    ...PLAIN,
    kind,
    map: second & 0x1f,
    byte,
    end: at + 4,
    pp: third & 3,
    w: third >> 7,
    length: (third >> 2) & 1,
    vvvv: vvvvOf(bits, third),
    reg: extended(bits, second, 0x80),
    index: extended(bits, second, 0x40),
    base,
    rm: base,
  };
}

function readEvex(bytes: Uint8Array, at: number, bits: number): Opcode | undefined {
  const [, first = 0, second = 0, third = 0] = bytes.subarray(at, at + 4);
  const byte = bytes[at + 4];
  // Bit 3 of the first byte is 0 and bit 2 of the second 1; elements are zeroed under a mask only.
  if (byte === undefined || (first & 8) !== 0 || (second & 4) === 0) return undefined;
  const mask = third & 7;
  const zeroing = (third & 0x80) !== 0;
  if (zeroing && mask === 0) return undefined;
  const index = extended(bits, first, 0x40);
  const base = extended(bits, first, 0x20);
  const high = extended(bits, third, 8) << 1;
  return {
    kind: EncodingKind.evex,
    map: first & 7,
    byte,
    end: at + 5,
    pp: second & 3,
    w: second >> 7,
    length: (third >> 5) & 3,
    vvvv: vvvvOf(bits, second) | high,
    reg: extended(bits, first, 0x80) | (extended(bits, first, 0x10) << 1),
    index,
    base,
    rm: base | (index << 1),
    indexHigh: high,
    mask,
    zeroing,
    b: (third & 0x10) !== 0,
  };
}
