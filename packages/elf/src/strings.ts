/** String tables: names on demand from a view of the table. gABI, "String Table". */
import { ElfError } from "./errors.js";

/** Bytes that a search for the end of a string looks at before it asks the block index. */
const BLOCK = 4096;

/** Every name is decoded apart then, and many names may end in one long string. */
const MAX_UTF8_BYTES = 65536;

const utf8 = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

export class StringTable {
  readonly bytes: Uint8Array;
  /** File offset of the table, for errors. */
  readonly offset: number;
  readonly #where: string;
  /** The table as one string where it is ASCII: a name is then a slice that copies nothing. */
  #ascii: string | null | undefined;
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
    if (this.#ascii === undefined) this.#ascii = decodeAscii(bytes);
    if (this.#ascii !== null) return this.#ascii.slice(index, end);
    if (end - index > MAX_UTF8_BYTES) {
      const allowed = `at most ${MAX_UTF8_BYTES} bytes in a table that is not ASCII`;
      throw this.#error(this.offset + index, `a string of ${end - index} bytes`, allowed);
    }
    return utf8.decode(bytes.subarray(index, end));
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

/**
 * The bytes as a string of the same length, or `null` if some byte is not ASCII.
 * A UTF-8 sequence of several bytes decodes to fewer code units, and a stray byte to U+FFFD.
 */
function decodeAscii(bytes: Uint8Array): string | null {
  const text = utf8.decode(bytes);
  return text.length === bytes.length && !text.includes("\ufffd") ? text : null;
}
