/** Writes relocatable object files. gABI, "Relocation"; psABI i386 keeps addends in the section (SHT_REL). */
import { EM, ET, SHF, SHN, SHT, STB, STT } from "./constants.js";
import { encodingOf, FileBuilder } from "./file-builder.js";
import { viewOf } from "./header.js";
import type { ObjectModel, RelocationModel, SectionModel, SymbolModel } from "./model.js";
import { modelError, signed, unsigned } from "./model-check.js";
import { relocationTypeNumber, relocationTypes } from "./relocation-types.js";
import { addSection } from "./section-writer.js";
import { encodeStruct, layoutOf, REL, RELA, type StructValue } from "./structs.js";
import { addSymbols } from "./symbol-writer.js";

/** Without this section GNU ld makes the stack of the whole program executable. */
const GNU_STACK_NOTE: SectionModel = { name: ".note.GNU-stack", bytes: new Uint8Array() };

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

  const { file, relocations = [] } = model;
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
  for (const [name, rows] of rowsBySection(model, relocations, sections, symbolIndex)) {
    const { sizeBytes } = layoutOf(definition, builder.encoding);
    const bytes = new Uint8Array(rows.length * sizeBytes);
    rows.forEach((row, i) => {
      encodeStruct(definition, builder.encoding, viewOf(bytes), i * sizeBytes, row);
    });
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
      bytes,
    );
  }
  return builder.finish(model, ET.ET_REL, 0n, []);
}

function machineOf({ machine, is64 = true }: ObjectModel): number {
  return machine ?? (is64 ? EM.EM_X86_64 : EM.EM_386);
}

function sectionModels(model: ObjectModel, addendsInSections: boolean): readonly SectionModel[] {
  const hasNote = model.sections.some(({ name }) => name === GNU_STACK_NOTE.name);
  const sections = hasNote ? model.sections : [...model.sections, GNU_STACK_NOTE];
  return addendsInSections ? sections.map((section) => withAddends(model, section)) : sections;
}

function fileSymbol(name: string): SymbolModel {
  return { name, value: 0, type: STT.STT_FILE, binding: STB.STB_LOCAL, section: "*ABS*" };
}

function sectionSymbol(section: string): SymbolModel {
  return { name: "", value: 0, type: STT.STT_SECTION, binding: STB.STB_LOCAL, section };
}

/** The relocations of each section in the order of the sections, offsets and symbols checked. */
function rowsBySection(
  model: ObjectModel,
  relocations: readonly RelocationModel[],
  sections: ReadonlyMap<string, number>,
  symbolIndex: (name: string) => number | undefined,
): ReadonlyMap<string, StructValue<typeof RELA>[]> {
  const bits = (model.is64 ?? true) ? 64 : 32;
  const rows = new Map<string, StructValue<typeof RELA>[]>();
  for (const name of sections.keys()) rows.set(name, []);
  relocations.forEach((relocation, i) => {
    const path = `relocations[${i}]`;
    const ofSection = rows.get(relocation.section);
    if (ofSection === undefined) {
      throw modelError(`${path}.section`, `"${relocation.section}"`, "the name of a section of the model");
    }
    const symbol = symbolIndex(relocation.symbol);
    if (symbol === undefined) {
      throw modelError(
        `${path}.symbol`,
        `"${relocation.symbol}"`,
        "the name of a symbol or a section of the model",
      );
    }
    const type = typeNumber(model, relocation, path);
    ofSection.push({
      r_offset: unsigned(`${path}.offset`, relocation.offset, bits),
      r_info:
        bits === 64 ? (BigInt(symbol) << 32n) | BigInt(type) : (BigInt(symbol) << 8n) | BigInt(type & 0xff),
      r_addend: signed(`${path}.addend`, relocation.addend ?? 0, bits),
    });
  });
  for (const [name, ofSection] of rows) if (ofSection.length === 0) rows.delete(name);
  return rows;
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
function withAddends(model: ObjectModel, section: SectionModel): SectionModel {
  const bytes = section.bytes.slice();
  (model.relocations ?? []).forEach((relocation, i) => {
    if (relocation.section !== section.name || relocation.addend === undefined) return;
    const path = `relocations[${i}]`;
    const name = relocationTypes(EM.EM_386).get(typeNumber(model, relocation, path)) ?? "";
    const width = /_(PC)?8$/.test(name) ? 1 : /_(PC)?16$/.test(name) ? 2 : 4;
    const offset = Number(unsigned(`${path}.offset`, relocation.offset, 32));
    if (offset + width > bytes.length) {
      throw modelError(`${path}.offset`, offset, `at most ${bytes.length - width}, so that the addend fits`);
    }
    let rest = signed(`${path}.addend`, relocation.addend, width * 8);
    for (let at = offset; at < offset + width; at++, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  });
  return { ...section, bytes };
}
