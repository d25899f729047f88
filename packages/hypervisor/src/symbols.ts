/** Names for addresses: the symbol tables of the kernel and the program, read when a run ends badly. */
import { ElfError, ET, readElf, SHN, STB, STT } from "@kvmkit/elf";
import { KERNEL_BASE, USER_DYN_BASE, USER_MAX } from "@kvmkit/guest-kernel/abi";
import type { BacktraceEntry, RunOutcome, SymbolPlace } from "./result.js";

interface Symbols {
  /** Ascending. */
  readonly addresses: readonly bigint[];
  readonly sizes: readonly bigint[];
  readonly names: readonly string[];
}

const NONE: Symbols = { addresses: [], sizes: [], names: [] };
/** Symbols without a size reach to the next one, but no further than this. */
const MAX_REACH = 0x10000n;

export class Symbolizer {
  readonly #images: Readonly<Record<SymbolPlace["image"], Uint8Array | undefined>>;
  readonly #symbols = new Map<SymbolPlace["image"], Symbols>();

  constructor(kernel: Uint8Array | undefined, program: Uint8Array | undefined) {
    this.#images = { kernel, program };
  }

  /** The symbol that `address` lies in, or undefined. */
  find(address: bigint): SymbolPlace | undefined {
    const image = address >= KERNEL_BASE ? "kernel" : address < USER_MAX ? "program" : undefined;
    if (image === undefined) return undefined;
    const { addresses, sizes, names } = this.#of(image);
    const index = lastAtMost(addresses, address);
    if (index < 0) return undefined;
    const offset = address - addresses[index]!;
    if (offset >= (sizes[index] || MAX_REACH)) return undefined;
    return { name: names[index]!, offset: Number(offset), image };
  }

  /** The outcome with symbols where it has addresses. */
  annotate(outcome: RunOutcome): RunOutcome {
    if (outcome.kind === "killed") return { ...outcome, symbol: this.find(outcome.rip) };
    if (outcome.kind !== "panic") return outcome;
    const named = ({ address }: BacktraceEntry, index: number): BacktraceEntry => {
      // A return address may be the first byte of the next function: the call lies before it.
      const symbol = this.find(index === 0 ? address : address - 1n);
      return { address, symbol: symbol && index > 0 ? { ...symbol, offset: symbol.offset + 1 } : symbol };
    };
    return { ...outcome, backtrace: outcome.backtrace.map(named) };
  }

  #of(image: SymbolPlace["image"]): Symbols {
    let symbols = this.#symbols.get(image);
    if (symbols === undefined) {
      symbols = readSymbols(this.#images[image]);
      this.#symbols.set(image, symbols);
    }
    return symbols;
  }
}

/** Code symbols of an ELF file; none where it has no readable symbol table. */
function readSymbols(image: Uint8Array | undefined): Symbols {
  if (image === undefined) return NONE;
  try {
    const elf = readElf(image);
    const table = elf.symbols ?? elf.dynamicSymbols;
    if (table === undefined) return NONE;
    const bias = elf.header.e_type === ET.ET_DYN ? USER_DYN_BASE : 0n;
    const indices: number[] = [];
    for (let index = 1; index < table.length; index++) {
      const type = table.info(index) & 0xf;
      if ((type === STT.STT_FUNC || type === STT.STT_NOTYPE) && table.shndx(index) !== SHN.SHN_UNDEF)
        indices.push(index);
    }
    const rows = indices
      .map((index) => ({
        address: table.value(index) + bias,
        size: table.size(index),
        name: table.name(index),
      }))
      .filter(({ name }) => name !== "")
      .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : Number(a.size - b.size)));
    return {
      addresses: rows.map(({ address }) => address),
      sizes: rows.map(({ size }) => size),
      names: rows.map(({ name }) => name),
    };
  } catch (error) {
    if (error instanceof ElfError) return NONE;
    throw error;
  }
}

/** What a program lets others call: its global and weak functions, by name. Empty where it has no symbol table. */
export function exportedFunctions(image: Uint8Array): ReadonlyMap<string, bigint> {
  const functions = new Map<string, bigint>();
  const elf = readElf(image);
  const table = elf.symbols ?? elf.dynamicSymbols;
  const bias = elf.header.e_type === ET.ET_DYN ? USER_DYN_BASE : 0n;
  for (let index = 1; index < (table?.length ?? 0); index++) {
    const info = table!.info(index);
    const isFunction = (info & 0xf) === STT.STT_FUNC || (info & 0xf) === STT.STT_NOTYPE;
    if (isFunction && info >> 4 !== STB.STB_LOCAL && isInSection(table!.shndx(index))) {
      functions.set(table!.name(index), table!.value(index) + bias);
    }
  }
  return functions;
}

/** Not undefined, and not an absolute number. */
const isInSection = (shndx: number): boolean => shndx !== SHN.SHN_UNDEF && shndx < SHN.SHN_LORESERVE;

/** Index of the last element that is at most `value`, or -1. */
function lastAtMost(sorted: readonly bigint[], value: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
