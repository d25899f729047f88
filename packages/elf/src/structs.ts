/**
 * The structures of an ELF file as tables: field, gABI data type, and the order of the fields.
 *
 * gABI, "ELF Header", "Section Header", "Symbol Table", "Relocation", "Program Header", "Note Section",
 * "Dynamic Section"; LSB Core, "Symbol Versioning".
 */

/** gABI, "Data Representation": bytes in ELF32 and ELF64, and whether a value may need 64 bits. */
const DATA_TYPES = {
  uchar: { width: [1, 1] },
  Half: { width: [2, 2] },
  Word: { width: [4, 4] },
  Addr: { width: [4, 8] },
  Off: { width: [4, 8] },
  /** Elf64_Xword; Elf32 has an Elf32_Word in its place. */
  Xword: { width: [4, 8] },
  /** Elf64_Sxword; Elf32 has an Elf32_Sword in its place. */
  Sxword: { width: [4, 8] },
} as const;

export type FieldType = keyof typeof DATA_TYPES;
type WideType = "Addr" | "Off" | "Xword" | "Sxword";

type Fields = Readonly<Record<string, FieldType>>;

interface FieldLayout {
  readonly name: string;
  readonly type: FieldType;
  readonly offset: number;
}

export interface StructLayout {
  readonly sizeBytes: number;
  readonly fields: readonly FieldLayout[];
  /** Offset of each field by name. */
  readonly offsets: Readonly<Record<string, number>>;
}

export interface Struct<F extends Fields = Fields> {
  readonly fields: F;
  readonly elf32: StructLayout;
  readonly elf64: StructLayout;
}

/** The decoded form: 64-bit fields are `bigint` in both classes, the others `number`. */
export type StructValue<S> =
  S extends Struct<infer F> ? { -readonly [K in keyof F]: F[K] extends WideType ? bigint : number } : never;

/** The class and byte order of a file: EI_CLASS and EI_DATA. */
export interface Encoding {
  readonly is64: boolean;
  readonly littleEndian: boolean;
}

function struct<const F extends Fields>(
  fields: F,
  order32: readonly (keyof F & string)[] = Object.keys(fields),
): Struct<F> {
  return {
    fields,
    elf32: layout(order32, fields, 0),
    elf64: layout(Object.keys(fields), fields, 1),
  };
}

/** Every gABI structure is naturally aligned as it is listed, so offsets are running sums. */
function layout(order: readonly string[], types: Fields, column: 0 | 1): StructLayout {
  const fields: FieldLayout[] = [];
  const offsets: Record<string, number> = {};
  let offset = 0;
  for (const name of order) {
    const type = types[name]!;
    fields.push({ name, type, offset });
    offsets[name] = offset;
    offset += DATA_TYPES[type].width[column];
  }
  return { sizeBytes: offset, fields, offsets };
}

export function layoutOf(definition: Struct, encoding: Encoding): StructLayout {
  return encoding.is64 ? definition.elf64 : definition.elf32;
}

/** The values that a field can hold. */
export function fieldRange(
  type: FieldType,
  { is64 }: Encoding,
): { readonly min: bigint; readonly max: bigint } {
  const bits = BigInt(DATA_TYPES[type].width[is64 ? 1 : 0] * 8);
  if (type === "Sxword") return { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n };
  return { min: 0n, max: (1n << bits) - 1n };
}

/** What follows e_ident; offsets count from the end of e_ident (EI_NIDENT = 16). */
export const EHDR = /* @__PURE__ */ struct({
  e_type: "Half",
  e_machine: "Half",
  e_version: "Word",
  e_entry: "Addr",
  e_phoff: "Off",
  e_shoff: "Off",
  e_flags: "Word",
  e_ehsize: "Half",
  e_phentsize: "Half",
  e_phnum: "Half",
  e_shentsize: "Half",
  e_shnum: "Half",
  e_shstrndx: "Half",
});

export const PHDR = /* @__PURE__ */ struct(
  {
    p_type: "Word",
    p_flags: "Word",
    p_offset: "Off",
    p_vaddr: "Addr",
    p_paddr: "Addr",
    p_filesz: "Xword",
    p_memsz: "Xword",
    p_align: "Xword",
  },
  ["p_type", "p_offset", "p_vaddr", "p_paddr", "p_filesz", "p_memsz", "p_flags", "p_align"],
);

export const SHDR = /* @__PURE__ */ struct({
  sh_name: "Word",
  sh_type: "Word",
  sh_flags: "Xword",
  sh_addr: "Addr",
  sh_offset: "Off",
  sh_size: "Xword",
  sh_link: "Word",
  sh_info: "Word",
  sh_addralign: "Xword",
  sh_entsize: "Xword",
});

export const SYM = /* @__PURE__ */ struct(
  {
    st_name: "Word",
    st_info: "uchar",
    st_other: "uchar",
    st_shndx: "Half",
    st_value: "Addr",
    st_size: "Xword",
  },
  ["st_name", "st_value", "st_size", "st_info", "st_other", "st_shndx"],
);

export const REL = /* @__PURE__ */ struct({ r_offset: "Addr", r_info: "Xword" });
export const RELA = /* @__PURE__ */ struct({ r_offset: "Addr", r_info: "Xword", r_addend: "Sxword" });

export const DYN = /* @__PURE__ */ struct({ d_tag: "Sxword", d_val: "Xword" });

export const NHDR = /* @__PURE__ */ struct({ n_namesz: "Word", n_descsz: "Word", n_type: "Word" });

/** Symbol versions have the same structures in both classes. */
export const VERDEF = /* @__PURE__ */ struct({
  vd_version: "Half",
  vd_flags: "Half",
  vd_ndx: "Half",
  vd_cnt: "Half",
  vd_hash: "Word",
  vd_aux: "Word",
  vd_next: "Word",
});
export const VERDAUX = /* @__PURE__ */ struct({ vda_name: "Word", vda_next: "Word" });
export const VERNEED = /* @__PURE__ */ struct({
  vn_version: "Half",
  vn_cnt: "Half",
  vn_file: "Word",
  vn_aux: "Word",
  vn_next: "Word",
});
export const VERNAUX = /* @__PURE__ */ struct({
  vna_hash: "Word",
  vna_flags: "Half",
  vna_other: "Half",
  vna_name: "Word",
  vna_next: "Word",
});

/** Decodes one structure at `offset`; the caller has checked that it lies inside `view`. */
export function decodeStruct<S extends Struct>(
  definition: S,
  encoding: Encoding,
  view: DataView,
  offset: number,
): StructValue<S> {
  return decodeInto({}, definition, encoding, view, offset);
}

/** The same, with the fields added to an object that has others already. */
export function decodeInto<T extends object, S extends Struct>(
  target: T,
  definition: S,
  encoding: Encoding,
  view: DataView,
  offset: number,
): T & StructValue<S> {
  const value = target as Record<string, unknown>;
  for (const field of layoutOf(definition, encoding).fields) {
    value[field.name] = readField(view, offset + field.offset, field.type, encoding);
  }
  return value as T & StructValue<S>;
}

function readField(
  view: DataView,
  at: number,
  type: FieldType,
  { is64, littleEndian }: Encoding,
): bigint | number {
  switch (type) {
    case "uchar":
      return view.getUint8(at);
    case "Half":
      return view.getUint16(at, littleEndian);
    case "Word":
      return view.getUint32(at, littleEndian);
    case "Sxword":
      return is64 ? view.getBigInt64(at, littleEndian) : BigInt(view.getInt32(at, littleEndian));
    default:
      return is64 ? view.getBigUint64(at, littleEndian) : BigInt(view.getUint32(at, littleEndian));
  }
}

/** Encodes one structure at `offset`; the caller has checked that every value fits its field. */
export function encodeStruct<S extends Struct>(
  definition: S,
  encoding: Encoding,
  view: DataView,
  offset: number,
  value: Readonly<StructValue<S>>,
): void {
  for (const field of layoutOf(definition, encoding).fields) {
    const fieldValue = (value as Record<string, bigint | number>)[field.name]!;
    writeField(view, offset + field.offset, field.type, encoding, fieldValue);
  }
}

function writeField(
  view: DataView,
  at: number,
  type: FieldType,
  { is64, littleEndian }: Encoding,
  value: bigint | number,
): void {
  switch (type) {
    case "uchar":
      view.setUint8(at, Number(value));
      break;
    case "Half":
      view.setUint16(at, Number(value), littleEndian);
      break;
    case "Word":
      view.setUint32(at, Number(value), littleEndian);
      break;
    default:
      if (is64) view.setBigUint64(at, BigInt(value), littleEndian);
      else view.setUint32(at, Number(BigInt.asUintN(32, BigInt(value))), littleEndian);
  }
}
