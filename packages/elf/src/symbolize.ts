/** From an address to `name + offset`, for panics and traces. */
import { PT, SHF, SHN, STB, STT } from "./constants.js";
import type { ElfFile } from "./reader.js";
import type { ElfSymbol, SymbolTable } from "./symbols.js";

export interface SymbolizedAddress {
  readonly name: string;
  /** Distance from the symbol's value. */
  readonly offset: bigint;
  readonly symbol: ElfSymbol;
}

/** Symbols with an address in memory, by ascending address. */
export class AddressIndex {
  readonly #table: SymbolTable;
  readonly #values: BigUint64Array;
  readonly #symbols: Uint32Array;

  constructor(table: SymbolTable) {
    const candidates: number[] = [];
    for (let i = 1; i < table.length; i++) if (hasAddress(table, i)) candidates.push(i);
    const values = new BigUint64Array(table.length);
    for (const i of candidates) values[i] = table.value(i);
    candidates.sort((a, b) =>
      values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : rank(table, a) - rank(table, b),
    );
    this.#table = table;
    this.#symbols = Uint32Array.from(candidates);
    this.#values = BigUint64Array.from(candidates, (i) => values[i]!);
  }

  /** The nearest symbol at or below `address`; of several there, the most telling one. */
  find(address: bigint): SymbolizedAddress | undefined {
    let low = 0;
    let high = this.#values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#values[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const symbol = this.#table.get(this.#symbols[low - 1]!);
    return { name: symbol.name, offset: address - symbol.st_value, symbol };
  }
}

/** Sections and files have no address to name; the value of a TLS symbol is an offset. */
function hasAddress(table: SymbolTable, index: number): boolean {
  const type = table.info(index) & 0xf;
  const shndx = table.shndx(index);
  const named = type !== STT.STT_SECTION && type !== STT.STT_FILE && type !== STT.STT_TLS;
  return named && shndx !== SHN.SHN_UNDEF && shndx !== SHN.SHN_ABS && shndx !== SHN.SHN_COMMON;
}

/** Of symbols with one address the last one is taken: functions after data and labels, global after local. */
function rank(table: SymbolTable, index: number): number {
  const info = table.info(index);
  const type = info & 0xf;
  const binding = info >> 4;
  const isFunction = type === STT.STT_FUNC || type === STT.STT_GNU_IFUNC;
  const bindingRank = binding === STB.STB_GLOBAL ? 2 : binding === STB.STB_LOCAL ? 0 : 1;
  return (isFunction ? 8 : type === STT.STT_OBJECT ? 4 : 0) + bindingRank;
}

/** Whether an address lies in a section that is in memory, or, in a file without sections, in a segment. */
export function isInMemory({ sections, segments }: ElfFile, address: bigint): boolean {
  const holds = (start: bigint, size: bigint): boolean => start <= address && address < start + size;
  return (
    sections.some(({ sh_flags, sh_addr, sh_size }) => sh_flags & ALLOC && holds(sh_addr, sh_size)) ||
    segments.some(({ p_type, p_vaddr, p_memsz }) => p_type === PT.PT_LOAD && holds(p_vaddr, p_memsz))
  );
}

const ALLOC = BigInt(SHF.SHF_ALLOC);
