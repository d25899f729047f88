/** Notes to bytes, for a build ID of one's own or for a core file. gABI, "Note Section". */
import { concatBytes } from "./file-builder.js";
import { viewOf } from "./header.js";
import { byteArray, nameText, unsigned } from "./model-check.js";
import { encodeStruct, NHDR } from "./structs.js";

export interface NoteModel {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

/** The bytes of a PT_NOTE segment or SHT_NOTE section of alignment 4. Errors: ERR_ELF_MODEL. */
export function writeNotes(notes: readonly NoteModel[], littleEndian = true): Uint8Array {
  return concatBytes(notes.flatMap((note, i) => noteParts(note, `notes[${i}]`, littleEndian)));
}

function noteParts(
  { owner, type, description }: NoteModel,
  path: string,
  littleEndian: boolean,
): Uint8Array[] {
  const name = new TextEncoder().encode(`${nameText(`${path}.owner`, owner)}\0`);
  const header = new Uint8Array(NHDR.elf64.sizeBytes);
  encodeStruct(NHDR, { is64: true, littleEndian }, viewOf(header), 0, {
    n_namesz: name.length,
    n_descsz: byteArray(`${path}.description`, description).length,
    n_type: Number(unsigned(`${path}.type`, type, 32)),
  });
  return [header, name, padding(name), description, padding(description)];
}

function padding(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(-bytes.length & 3);
}
