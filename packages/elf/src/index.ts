export {
  DT,
  EI_ABIVERSION,
  EI_CLASS,
  EI_DATA,
  EI_NIDENT,
  EI_OSABI,
  EI_VERSION,
  ELFCLASS,
  ELFDATA,
  ELFMAG,
  ELFOSABI,
  EM,
  ET,
  EV_CURRENT,
  nameOf,
  PF,
  PN_XNUM,
  PROT,
  PT,
  SHF,
  SHN,
  SHT,
  STB,
  STT,
  STV,
  VER_FLG,
  VER_NDX,
  VERSYM_HIDDEN,
} from "./constants.js";
export { type DynamicEntry, DynamicTable } from "./dynamic.js";
export {
  ElfError,
  type ElfErrorCode,
  type ElfErrorFacts,
  ERROR_TABLE,
  type ErrorRow,
  type Fact,
} from "./errors.js";
export type { ElfHeader } from "./header.js";
export { type FileContent, type FileLayout, readLayout } from "./layout.js";
export { type LoadOptions, type LoadPiece, type LoadPlan, planLoad } from "./loader.js";
export type {
  ElfModel,
  ExecutableModel,
  Integer,
  NameOf,
  ObjectModel,
  ObjectSectionModel,
  RelocationModel,
  SectionModel,
  SectionRights,
  SegmentModel,
  SymbolModel,
} from "./model.js";
export { type NoteModel, writeNotes } from "./note-writer.js";
export { type ElfNote, type GnuProperty, NT_GNU, readGnuProperties, readNotes } from "./notes.js";
export type { ElfSection, ElfSegment } from "./places.js";
export { ElfFile, openElf, openElfAsync, readElf } from "./reader.js";
export { relocationTypeNumber, relocationTypes } from "./relocation-types.js";
export { type ElfRelocation, RelocationTable, relrOffsets } from "./relocations.js";
export type { AsyncElfSource, ElfSource } from "./source.js";
export { StringTable } from "./strings.js";
export type { Encoding } from "./structs.js";
export type { SymbolizedAddress } from "./symbolize.js";
export { type ElfSymbol, SymbolTable } from "./symbols.js";
export {
  type NeededVersion,
  type SymbolVersion,
  SymbolVersions,
  type VersionDefinition,
  type VersionNeed,
} from "./versions.js";
export { writeElf } from "./writer.js";
