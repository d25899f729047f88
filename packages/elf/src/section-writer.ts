/** A section of a model to its header and its bytes. gABI, "Special Sections" gives types to names. */
import { SHF, SHT } from "./constants.js";
import type { FileBuilder } from "./file-builder.js";
import type { SectionModel } from "./model.js";
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
  if (sh_size < bytes.length)
    throw modelError(`${path}.sizeBytes`, sh_size, `at least the ${bytes.length} of bytes`);
  const sh_type = Number(unsigned(`${path}.type`, section.type ?? defaultType(name, bytes, sh_size), 32));
  const header = {
    name,
    sh_type,
    sh_flags: unsigned(`${path}.flags`, section.flags ?? 0, 32),
    sh_size,
    sh_addralign: powerOfTwo(`${path}.align`, section.align ?? 1, bits),
    sh_entsize: unsigned(`${path}.entrySizeBytes`, section.entrySizeBytes ?? 0, bits),
  };
  const needsEntrySize = (section.flags ?? 0) & SHF.SHF_MERGE;
  if (needsEntrySize && header.sh_entsize === 0n) header.sh_entsize = 1n;
  return builder.add(header, sh_type === SHT.SHT_NOBITS ? new Uint8Array() : padded(bytes, sh_size, path));
}

function defaultType(name: string, bytes: Uint8Array, sizeBytes: bigint): number {
  if (bytes.length === 0 && sizeBytes > 0n) return SHT.SHT_NOBITS;
  const row = TYPES_BY_NAME.find(([prefix]) => name === prefix || name.startsWith(`${prefix}.`));
  return row?.[1] ?? SHT.SHT_PROGBITS;
}

function padded(bytes: Uint8Array, sizeBytes: bigint, path: string): Uint8Array {
  if (sizeBytes === BigInt(bytes.length)) return bytes;
  const limit = 2 ** 32;
  if (sizeBytes > limit)
    throw modelError(`${path}.sizeBytes`, sizeBytes, `at most ${limit} where there are bytes`);
  const whole = new Uint8Array(Number(sizeBytes));
  whole.set(bytes);
  return whole;
}
