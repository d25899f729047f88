/** Symbols of a model to `.symtab` and `.strtab`. gABI, "Symbol Table": local symbols come first. */
import { SHN, SHT, STB, STT, STV } from "./constants.js";
import { type FileBuilder, StringTableBuilder } from "./file-builder.js";
import { encodeRows } from "./layout.js";
import type { SymbolModel } from "./model.js";
import { enumerated, modelError, nameText, unsigned } from "./model-check.js";
import { layoutOf, type StructValue, SYM } from "./structs.js";

/** Symbols that belong to no section, by the names that objdump gives their places. */
const SPECIAL_SECTIONS: Readonly<Record<string, number>> = {
  "*UND*": SHN.SHN_UNDEF,
  "*ABS*": SHN.SHN_ABS,
  "*COM*": SHN.SHN_COMMON,
};

export interface WrittenSymbols {
  /** Section index of `.symtab`. */
  readonly index: number;
  readonly byName: ReadonlyMap<string, number>;
}

type Row = Omit<StructValue<typeof SYM>, "st_name"> & { readonly name: string };

/** Adds `.symtab` and `.strtab`. `sectionOf` gives the index for a symbol that names no section. */
export function addSymbols(
  builder: FileBuilder,
  symbols: readonly SymbolModel[],
  sections: ReadonlyMap<string, number>,
  sectionOf: (symbol: SymbolModel, value: bigint) => number,
): WrittenSymbols {
  const { encoding } = builder;
  const rows = symbols.map((symbol, i) =>
    symbolRow(symbol, `symbols[${i}]`, encoding.is64 ? 64 : 32, sections, sectionOf),
  );
  const isLocal = ({ st_info }: Row): boolean => st_info >> 4 === STB.STB_LOCAL;
  const nullSymbol: Row = { name: "", st_info: 0, st_other: 0, st_shndx: 0, st_value: 0n, st_size: 0n };
  const locals = [nullSymbol, ...rows.filter(isLocal)];
  const sorted = [...locals, ...rows.filter((row) => !isLocal(row))];

  const { sizeBytes } = layoutOf(SYM, encoding);
  const strings = new StringTableBuilder();
  const named = sorted.map(({ name, ...row }) => ({ ...row, st_name: strings.add(name) }));
  const index = builder.add(
    {
      name: ".symtab",
      sh_type: SHT.SHT_SYMTAB,
      sh_link: builder.nextIndex + 1,
      sh_info: locals.length,
      sh_addralign: encoding.is64 ? 8n : 4n,
      sh_entsize: BigInt(sizeBytes),
    },
    encodeRows(SYM, encoding, named, (i) => `symbol ${i}`),
  );
  builder.add({ name: ".strtab", sh_type: SHT.SHT_STRTAB, sh_addralign: 1n }, strings.bytes());
  return { index, byName: indexByName(sorted) };
}

/** The first of each name; section symbols have none and go by their section's. */
function indexByName(rows: readonly Row[]): ReadonlyMap<string, number> {
  return new Map(rows.map(({ name }, i): [string, number] => [name, i]).toReversed());
}

function symbolRow(
  symbol: SymbolModel,
  path: string,
  bits: number,
  sections: ReadonlyMap<string, number>,
  sectionOf: (symbol: SymbolModel, value: bigint) => number,
): Row {
  const binding = enumerated(`${path}.binding`, symbol.binding ?? STB.STB_GLOBAL, STB, 15);
  const type = enumerated(`${path}.type`, symbol.type ?? STT.STT_NOTYPE, STT, 15);
  const st_value = unsigned(`${path}.value`, symbol.value, bits);
  return {
    name: nameText(`${path}.name`, symbol.name),
    st_info: (binding << 4) | type,
    st_other: enumerated(`${path}.visibility`, symbol.visibility ?? STV.STV_DEFAULT, STV, 3),
    st_shndx: sectionIndex(symbol, path, sections) ?? sectionOf(symbol, st_value),
    st_value,
    st_size: unsigned(`${path}.sizeBytes`, symbol.sizeBytes ?? 0, bits),
  };
}

function sectionIndex(
  { section }: SymbolModel,
  path: string,
  sections: ReadonlyMap<string, number>,
): number | undefined {
  if (section === undefined) return undefined;
  if (section === null) return SHN.SHN_ABS;
  const index = sections.get(section) ?? SPECIAL_SECTIONS[section];
  if (index === undefined)
    throw modelError(`${path}.section`, `"${section}"`, "the name of a section of the model");
  return index;
}
