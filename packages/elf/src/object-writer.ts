/** Writes relocatable object files. gABI, "Relocation"; psABI i386 keeps addends in the section (SHT_REL). */
import { EM, ET, SHF, SHN, SHT, STB, STT } from "./constants.js";
import { encodingOf, FileBuilder } from "./file-builder.js";
import { encodeRows } from "./layout.js";
import type { ObjectModel, ObjectSectionModel, RelocationModel, SymbolModel } from "./model.js";
import { modelError, signed, unsigned } from "./model-check.js";
import { relocationTypeNumber, relocationTypes } from "./relocation-types.js";
import { addSection } from "./section-writer.js";
import { layoutOf, REL, RELA, type StructValue } from "./structs.js";
import { addSymbols } from "./symbol-writer.js";

/** Without this section GNU ld makes the stack of the whole program executable. */
const GNU_STACK_NOTE: ObjectSectionModel = { name: ".note.GNU-stack", bytes: new Uint8Array() };

/** Errors: ERR_ELF_MODEL. */
export function writeObject(model: ObjectModel): Uint8Array {
  const builder = new FileBuilder(encodingOf(model), 0);
  const inSections = machineOf(model) === EM.EM_386;
  const sections = new Map<string, number>();
  sectionModels(model, inSections).forEach((section, i) => {
    if (sections.has(section.name))
      throw modelError(`sections[${i}].name`, `"${section.name}"`, "a name used once");
    sections.set(section.name, addSection(builder, section, `sections[${i}]`));
  });

  const { file } = model;
  const fileSymbols: SymbolModel[] = file === undefined ? [] : [fileSymbol(file)];
  const ownSymbols = [...fileSymbols, ...Array.from(sections.keys(), sectionSymbol)];
  const symtab = addSymbols(
    builder,
    [...ownSymbols, ...(model.symbols ?? [])],
    sections,
    () => SHN.SHN_UNDEF,
  );
  const firstSectionSymbol = 1 + fileSymbols.length;
  const symbolIndex = (name: string): number | undefined => {
    const section = sections.get(name);
    return symtab.byName.get(name) ?? (section === undefined ? undefined : firstSectionSymbol + section - 1);
  };

  const definition = inSections ? REL : RELA;
  for (const [name, rows] of rowsBySection(model, symbolIndex)) {
    const { sizeBytes } = layoutOf(definition, builder.encoding);
    builder.add(
      {
        name: `${inSections ? ".rel" : ".rela"}${name}`,
        sh_type: inSections ? SHT.SHT_REL : SHT.SHT_RELA,
        sh_flags: BigInt(SHF.SHF_INFO_LINK),
        sh_link: symtab.index,
        sh_info: sections.get(name)!,
        sh_addralign: builder.encoding.is64 ? 8n : 4n,
        sh_entsize: BigInt(sizeBytes),
      },
      encodeRows(definition, builder.encoding, rows, (i) => `relocation ${i} of ${name}`),
    );
  }
  return builder.finish(model, ET.ET_REL, 0n, []);
}

function machineOf({ machine, is64 = true }: ObjectModel): number {
  return machine ?? (is64 ? EM.EM_X86_64 : EM.EM_386);
}

function sectionModels(model: ObjectModel, addendsInSections: boolean): readonly ObjectSectionModel[] {
  const hasNote = model.sections.some(({ name }) => name === GNU_STACK_NOTE.name);
  const sections = hasNote ? model.sections : [...model.sections, GNU_STACK_NOTE];
  if (!addendsInSections) return sections;
  return sections.map((section, i) => withAddends(model, section, `sections[${i}]`));
}

function fileSymbol(name: string): SymbolModel {
  return { name, value: 0, type: STT.STT_FILE, binding: STB.STB_LOCAL, section: "*ABS*" };
}

function sectionSymbol(section: string): SymbolModel {
  return { name: "", value: 0, type: STT.STT_SECTION, binding: STB.STB_LOCAL, section };
}

/** The relocations of each section that has any, in the order of the sections; offsets and symbols checked. */
function* rowsBySection(
  model: ObjectModel,
  symbolIndex: (name: string) => number | undefined,
): Generator<readonly [section: string, rows: StructValue<typeof RELA>[]], void> {
  for (const [i, { name, relocations = [] }] of model.sections.entries()) {
    const path = `sections[${i}].relocations`;
    const rows = relocations.map((relocation, j) =>
      relocationRow(model, relocation, `${path}[${j}]`, symbolIndex),
    );
    if (rows.length > 0) yield [name, rows];
  }
}

function relocationRow(
  model: ObjectModel,
  relocation: RelocationModel,
  path: string,
  symbolIndex: (name: string) => number | undefined,
): StructValue<typeof RELA> {
  const bits = (model.is64 ?? true) ? 64 : 32;
  const symbol = symbolIndex(relocation.symbol);
  if (symbol === undefined) {
    throw modelError(
      `${path}.symbol`,
      `"${relocation.symbol}"`,
      "the name of a symbol or a section of the model",
    );
  }
  const type = BigInt(typeNumber(model, relocation, path));
  return {
    r_offset: unsigned(`${path}.offset`, relocation.offset, bits),
    r_info: (BigInt(symbol) << (bits === 64 ? 32n : 8n)) | type,
    r_addend: signed(`${path}.addend`, relocation.addend ?? 0, bits),
  };
}

function typeNumber(model: ObjectModel, { type }: RelocationModel, path: string): number {
  const machine = machineOf(model);
  if (typeof type === "number") return Number(unsigned(`${path}.type`, type, (model.is64 ?? true) ? 32 : 8));
  const number = relocationTypeNumber(machine, type);
  if (number !== undefined) return number;
  throw modelError(
    `${path}.type`,
    `"${type}"`,
    [...relocationTypes(machine).values()].join(", ") || "a number",
  );
}

/** A copy of the section with the addends of its relocations in the places that they patch (SHT_REL). */
function withAddends(model: ObjectModel, section: ObjectSectionModel, path: string): ObjectSectionModel {
  // Not slice(): a Buffer's shares its memory.
  const bytes = new Uint8Array(section.bytes);
  (section.relocations ?? []).forEach((relocation, i) => {
    if (relocation.addend !== undefined) putAddend(model, bytes, relocation, `${path}.relocations[${i}]`);
  });
  return { ...section, bytes };
}

function putAddend(model: ObjectModel, bytes: Uint8Array, relocation: RelocationModel, path: string): void {
  const name = relocationTypes(EM.EM_386).get(typeNumber(model, relocation, path)) ?? "";
  const width = /_(PC)?8$/.test(name) ? 1 : /_(PC)?16$/.test(name) ? 2 : 4;
  const offset = Number(unsigned(`${path}.offset`, relocation.offset, 32));
  if (offset + width > bytes.length) {
    throw modelError(`${path}.offset`, offset, `at most ${bytes.length - width}, so that the addend fits`);
  }
  let rest = signed(`${path}.addend`, relocation.addend!, width * 8);
  for (let at = offset; at < offset + width; at++, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
}
