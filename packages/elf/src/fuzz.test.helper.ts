/** Damages ELF files at random from a seed, and reads everything of them. */
import { EI_CLASS, EI_DATA, EI_NIDENT } from "./constants.js";
import { ElfError } from "./errors.js";
import { viewOf } from "./header.js";
import { planLoad } from "./loader.js";
import { formatReadelf } from "./readelf/index.js";
import { type ElfFile, openElfAsync, readElf } from "./reader.js";
import { relrOffsets } from "./relocations.js";
import { EHDR, type Encoding, layoutOf, PHDR, SHDR, type Struct } from "./structs.js";

/** mulberry32: numbers from 0 to below `limit`, the same ones for a seed. */
export function randomFrom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

type Random = ReturnType<typeof randomFrom>;

/** A copy with one to four damages. */
export function damage(original: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(original);
  for (let n = 1 + random(4); n > 0; n--) bytes = DAMAGES[random(DAMAGES.length)]!(bytes, random);
  return bytes;
}

const DAMAGES: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  setField,
  setField,
  setField,
  setField,
  setWord,
  setByte,
  copyBlock,
  (bytes, random) => (random(4) === 0 ? bytes.slice(0, random(bytes.length + 1)) : bytes),
];

/** Values at which sizes, counts and offsets go wrong. */
function awkward(bytes: Uint8Array, random: Random): bigint {
  const size = BigInt(bytes.length);
  const values = [
    0n,
    1n,
    2n,
    7n,
    8n,
    23n,
    24n,
    0xffn,
    0x7fffn,
    0xff00n,
    0xffffn,
    0xffff_ffffn,
    0x8000_0000n,
    0x7fff_ffffn,
    size,
    size - 1n,
    size + 1n,
    size / 2n,
    1n << 32n,
    1n << 47n,
    1n << 63n,
    (1n << 64n) - 1n,
    (1n << 64n) - 4096n,
    BigInt(random(bytes.length + 1)),
    BigInt(random(64)),
  ];
  return values[random(values.length)]!;
}

function encodingOf(bytes: Uint8Array): Encoding {
  return { is64: bytes[EI_CLASS] !== 1, littleEndian: bytes[EI_DATA] !== 2 };
}

/** A field of the ELF header, of a program header or of a section header. */
function setField(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 64) return setByte(bytes, random);
  const encoding = encodingOf(bytes);
  const [definition, start] = randomHeader(bytes, encoding, random);
  const { fields } = layoutOf(definition, encoding);
  const field = fields[random(fields.length)]!;
  const next = fields[fields.indexOf(field) + 1];
  const width = (next?.offset ?? layoutOf(definition, encoding).sizeBytes) - field.offset;
  return put(bytes, start + field.offset, width, awkward(bytes, random), encoding);
}

function randomHeader(bytes: Uint8Array, encoding: Encoding, random: Random): readonly [Struct, number] {
  const kind = random(4);
  if (kind === 0) return [EHDR, EI_NIDENT];
  const isSection = kind > 1;
  const definition = isSection ? SHDR : PHDR;
  const header = layoutOf(EHDR, encoding).offsets;
  const at = EI_NIDENT + header[isSection ? "e_shoff" : "e_phoff"]!;
  const view = viewOf(bytes);
  const { is64, littleEndian } = encoding;
  const table = is64 ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian);
  const count = view.getUint16(EI_NIDENT + header[isSection ? "e_shnum" : "e_phnum"]!, littleEndian);
  return [definition, table + random(Math.min(count, 64) + 1) * layoutOf(definition, encoding).sizeBytes];
}

function put(bytes: Uint8Array, at: number, width: number, value: bigint, encoding: Encoding): Uint8Array {
  for (let i = 0, rest = value; i < width; i++, rest >>= 8n) {
    const to = at + (encoding.littleEndian ? i : width - 1 - i);
    if (to < bytes.length) bytes[to] = Number(rest & 0xffn);
  }
  return bytes;
}

function setWord(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length + 1) & ~3;
  return put(bytes, at, 4 << random(2), awkward(bytes, random), encodingOf(bytes));
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
  return bytes;
}

function copyBlock(bytes: Uint8Array, random: Random): Uint8Array {
  const from = random(bytes.length + 1);
  return bytes.copyWithin(random(bytes.length + 1), from, from + random(256));
}

/**
 * Reads all that can be read, each part for itself, and returns the codes of the errors.
 * Throws whatever is not an `ElfError`.
 */
export async function readAll(bytes: Uint8Array, random: Random): Promise<string[]> {
  const codes: string[] = [];
  const attempt = async <T>(body: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
      codes.push(error.code);
      return undefined;
    }
  };
  const read = (offset: number, length: number) => bytes.slice(offset, offset + length);
  const isAsync = random(8) === 0;
  const elf = await attempt(() => (isAsync ? openElfAsync({ size: bytes.length, read }) : readElf(bytes)));
  if (elf === undefined) return codes;
  for (const part of PARTS) await attempt(() => elf.load(part));
  const loadBias = BigInt(random(1 << 20)) << 12n;
  await attempt(() => elf.load(() => planLoad(elf, { loadBias })));
  await attempt(() => elf.load(() => planLoad(elf, { minAddress: 0n, maxAddress: 1n << 64n })));
  return codes;
}

const PARTS: readonly ((elf: ElfFile) => unknown)[] = [
  (elf) => elf.segments.map((segment) => elf.segmentData(segment)),
  (elf) => elf.sections.map((section) => elf.sectionData(section)),
  (elf) => elf.symbols && consume(elf.symbols),
  (elf) => elf.dynamicSymbols && consume(elf.dynamicSymbols),
  (elf) =>
    Array.from({ length: elf.dynamicSymbols?.length ?? 0 }, (_, i) => elf.dynamicSymbols!.versionedName(i)),
  (elf) => elf.relocationTables.map(consume),
  (elf) => elf.sections.map((section) => consume(relrOffsets(elf, section))),
  (elf) => elf.versions?.needs,
  (elf) => elf.notes,
  (elf) => elf.segments.map((segment) => consume(elf.notesIn(segment))),
  (elf) => elf.dynamic && [elf.dynamic.needed, elf.dynamic.soname, elf.dynamic.runpath],
  (elf) => elf.interpreter,
  (elf) => elf.symbolize(elf.header.e_entry),
  (elf) => consume(formatReadelf(elf)),
];

/** More than the largest file here has of anything: whoever yields more does not end. */
const MAX_ITEMS = 1_000_000;

function consume(items: Iterable<unknown>): number {
  let count = 0;
  for (const _ of items) if (++count > MAX_ITEMS) throw new RangeError(`more than ${MAX_ITEMS} items`);
  return count;
}
