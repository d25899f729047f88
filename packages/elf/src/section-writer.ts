/** A section of a model to its header and its bytes. gABI, "Special Sections" gives types to names. */
import { SHF, SHT } from "./constants.js";
import type { FileBuilder } from "./file-builder.js";
import type { SectionModel, SectionRights } from "./model.js";
import { byteArray, modelError, nameText, powerOfTwo, unsigned } from "./model-check.js";

const TYPES_BY_NAME: readonly (readonly [prefix: string, type: number])[] = [
  [".note.GNU-stack", SHT.SHT_PROGBITS],
  [".note", SHT.SHT_NOTE],
  [".init_array", SHT.SHT_INIT_ARRAY],
  [".fini_array", SHT.SHT_FINI_ARRAY],
  [".preinit_array", SHT.SHT_PREINIT_ARRAY],
];

/** Adds the section and returns its index. Errors: ERR_ELF_MODEL. */
export function addSection(builder: FileBuilder, section: SectionModel, path: string): number {
  const bits = builder.encoding.is64 ? 64 : 32;
  const name = nameText(`${path}.name`, section.name);
  const bytes = byteArray(`${path}.bytes`, section.bytes);
  const sh_size = unsigned(`${path}.sizeBytes`, section.sizeBytes ?? bytes.length, bits);
  const flags = flagBits(section.flags ?? 0);
  const sh_type = Number(unsigned(`${path}.type`, section.type ?? defaultType(section, bytes, sh_size), 32));
  if (sh_type === SHT.SHT_NOBITS ? bytes.length > 0 : sh_size !== BigInt(bytes.length)) {
    throw modelError(`${path}.sizeBytes`, sh_size, `${bytes.length}, the length of bytes, or no bytes`);
  }
  const header = {
    name,
    sh_type,
    sh_flags: unsigned(`${path}.flags`, flags, 32),
    sh_size,
    sh_addralign: powerOfTwo(`${path}.align`, section.align ?? 1, bits),
    sh_entsize: unsigned(`${path}.entrySizeBytes`, section.entrySizeBytes ?? 0, bits),
  };
  if ((header.sh_flags & BigInt(SHF.SHF_MERGE)) !== 0n && header.sh_entsize === 0n) header.sh_entsize = 1n;
  return builder.add(header, bytes);
}

function flagBits(flags: number | SectionRights): number {
  if (typeof flags === "number") return flags;
  return (
    (flags.alloc ? SHF.SHF_ALLOC : 0) |
    (flags.write ? SHF.SHF_WRITE : 0) |
    (flags.execute ? SHF.SHF_EXECINSTR : 0)
  );
}

function defaultType({ name, flags }: SectionModel, bytes: Uint8Array, sizeBytes: bigint): number {
  const nobits = typeof flags === "object" && flags.nobits === true;
  if (bytes.length === 0 && (sizeBytes > 0n || nobits)) return SHT.SHT_NOBITS;
  const row = TYPES_BY_NAME.find(([prefix]) => name === prefix || name.startsWith(`${prefix}.`));
  return row?.[1] ?? SHT.SHT_PROGBITS;
}
