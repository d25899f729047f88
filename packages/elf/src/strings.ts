/** String tables: names on demand from a view of the table. gABI, "String Table". */
import { ElfError } from "./errors.js";

/** Bytes that a search for the end of a string looks at before it asks the block index. */
const BLOCK = 4096;

/** Names that are not ASCII are decoded one by one, and many may end in the same long string. */
const MAX_UTF8_BYTES = 16_384;

const utf8 = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });
/** One character for each byte; those of ASCII are right. */
const singleBytes = /* @__PURE__ */ new TextDecoder("latin1");

export class StringTable {
  readonly bytes: Uint8Array;
  /** File offset of the table, for errors. */
  readonly offset: number;
  readonly #where: string;
  /** The table as one string with a character for each byte: an ASCII name is a slice that copies nothing. */
  #text: string | undefined;
  /** Where the bytes are that are not ASCII, ascending. */
  #beyondAscii: Uint32Array = new Uint32Array();
  /** For each block the position of the first NUL at or after its start, or the table's length. */
  #nextNul: Float64Array | undefined;

  constructor(bytes: Uint8Array, offset: number, where: string) {
    this.bytes = bytes;
    this.offset = offset;
    this.#where = where;
  }

  /**
   * The string that starts at `index`.
   * Errors: ERR_ELF_STRING if it starts outside the table or no NUL ends it.
   */
  get(index: number): string {
    const { bytes } = this;
    if (index === 0 && bytes.length === 0) return "";
    if (!(index < bytes.length)) {
      throw this.#error(this.offset + bytes.length, `string ${index}`, `below ${bytes.length}`);
    }
    const end = this.#end(index);
    if (end === bytes.length) {
      throw this.#error(this.offset + index, `string ${index} without an end`, "a NUL inside the table");
    }
    this.#text ??= this.#readText();
    return isBetween(this.#beyondAscii, index, end) ? this.#decode(index, end) : this.#text.slice(index, end);
  }

  /** Most tables are ASCII: a UTF-8 sequence decodes to fewer characters than bytes, a stray byte to U+FFFD. */
  #readText(): string {
    const text = utf8.decode(this.bytes);
    if (text.length === this.bytes.length && !text.includes("\ufffd")) return text;
    this.#beyondAscii = positionsBeyondAscii(this.bytes);
    return singleBytes.decode(this.bytes);
  }

  #decode(index: number, end: number): string {
    if (end - index > MAX_UTF8_BYTES) {
      const found = `a string of ${end - index} bytes`;
      throw this.#error(
        this.offset + index,
        found,
        `at most ${MAX_UTF8_BYTES} bytes where they are not ASCII`,
      );
    }
    return utf8.decode(this.bytes.subarray(index, end));
  }

  /**
   * A table whose strings are long, and shared by many symbols, must not cost a scan of the table for each
   * of them: past the first block the end comes from an index that is built once.
   */
  #end(index: number): number {
    const { bytes } = this;
    const blockEnd = (Math.floor(index / BLOCK) + 1) * BLOCK;
    const limit = Math.min(blockEnd, bytes.length);
    for (let at = index; at < limit; at++) if (bytes[at] === 0) return at;
    if (limit === bytes.length) return limit;
    this.#nextNul ??= indexNuls(bytes);
    return this.#nextNul[blockEnd / BLOCK]!;
  }

  #error(offset: number, found: string, allowed: string): ElfError {
    return new ElfError("ERR_ELF_STRING", { where: this.#where, field: "name", offset, found, allowed });
  }
}

function indexNuls(bytes: Uint8Array): Float64Array {
  const index = new Float64Array(Math.ceil(bytes.length / BLOCK) + 1).fill(bytes.length);
  for (let block = index.length - 2; block >= 0; block--) {
    const start = block * BLOCK;
    const found = bytes.subarray(start, start + BLOCK).indexOf(0);
    index[block] = found < 0 ? index[block + 1]! : start + found;
  }
  return index;
}

function positionsBeyondAscii(bytes: Uint8Array): Uint32Array {
  let count = 0;
  for (const byte of bytes) count += byte >> 7;
  const positions = new Uint32Array(count);
  for (let at = 0, i = 0; at < bytes.length; at++) if (bytes[at]! >= 0x80) positions[i++] = at;
  return positions;
}

/** Whether one of the ascending positions is at least `start` and below `end`. */
function isBetween(positions: Uint32Array, start: number, end: number): boolean {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low < positions.length && positions[low]! < end;
}
