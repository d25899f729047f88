/** The dynamic section: what the dynamic linker is told. gABI, "Dynamic Section". */
import { DT, nameOf } from "./constants.js";
import { viewOf } from "./header.js";
import type { StringTable } from "./strings.js";
import { DYN, decodeStruct, type Encoding, layoutOf } from "./structs.js";

export interface DynamicEntry {
  readonly d_tag: bigint;
  /** d_val or d_ptr. */
  readonly d_val: bigint;
  /** `"DT_NEEDED"`; `undefined` for a tag that is not known. */
  readonly tagName: string | undefined;
}

export class DynamicTable {
  /** The entries up to DT_NULL, which is left out. */
  readonly entries: readonly DynamicEntry[];
  readonly #strings: () => StringTable | undefined;

  constructor(bytes: Uint8Array, encoding: Encoding, strings: () => StringTable | undefined) {
    this.entries = readEntries(bytes, encoding);
    this.#strings = strings;
  }

  /** The value of the first entry with that tag. */
  get(tag: number): bigint | undefined {
    return this.entries.find(({ d_tag }) => d_tag === BigInt(tag))?.d_val;
  }

  /** DT_NEEDED: the names of the libraries, in order. Errors: ERR_ELF_STRING. */
  get needed(): string[] {
    return this.#texts(DT.DT_NEEDED);
  }

  /** DT_SONAME. Errors: ERR_ELF_STRING. */
  get soname(): string | undefined {
    return this.#texts(DT.DT_SONAME)[0];
  }

  /** DT_RUNPATH, or else DT_RPATH. Errors: ERR_ELF_STRING. */
  get runpath(): string | undefined {
    return this.#texts(DT.DT_RUNPATH)[0] ?? this.#texts(DT.DT_RPATH)[0];
  }

  #texts(tag: number): string[] {
    const strings = this.#strings();
    return this.entries
      .filter(({ d_tag }) => d_tag === BigInt(tag))
      .map(({ d_val }) => strings?.get(Number(d_val)) ?? "");
  }
}

function readEntries(bytes: Uint8Array, encoding: Encoding): DynamicEntry[] {
  const { sizeBytes } = layoutOf(DYN, encoding);
  const view = viewOf(bytes);
  const entries: DynamicEntry[] = [];
  for (let at = 0; at + sizeBytes <= bytes.length; at += sizeBytes) {
    const { d_tag, d_val } = decodeStruct(DYN, encoding, view, at);
    if (d_tag === 0n) break;
    entries.push({ d_tag, d_val, tagName: nameOf(DT, d_tag) });
  }
  return entries;
}
