/**
 * Generates, from the instruction table, what the assembler loads and what its builder's types are:
 * packed tables, traits for the decoder and method types in src/generated/, for the core entry and for the vector entry. Runs after `tsc -b tsconfig.table.json`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decoderRows, vectorDecoderRows } from "../dist/decoder/rows.js";
import { packTraits } from "../dist/decoder/traits.js";
import { groupForms, packTable } from "../dist/packing.js";
import { coreForms, parseRows, vectorForms } from "../dist/table.js";
import { instructionTypes } from "../dist/table-types.js";

const generated = join(dirname(fileURLToPath(import.meta.url)), "../src/generated");
const header = "// Generated from the instruction rows by scripts/generate.mjs.\n";

mkdirSync(generated, { recursive: true });
update("core-table.ts", tableModule("coreTable", coreForms()));
update("vector-table.ts", tableModule("vectorTable", vectorForms()));
decoderModules("core", coreForms(), parseRows(decoderRows));
decoderModules("all", [...coreForms(), ...vectorForms()], parseRows([...decoderRows, ...vectorDecoderRows]));
update("instructions.ts", instructionTypes("Instructions", coreForms()));
update("vector-instructions.ts", instructionTypes("VectorInstructions", vectorForms()));

function tableModule(name, forms) {
  const packed = packTable(forms);
  return `import type { PackedTable } from "../packing.js";

export const ${name}: PackedTable = {
  mnemonics:
    ${JSON.stringify(packed.mnemonics)},
  operands: ${JSON.stringify(packed.operands)},
  kinds: ${JSON.stringify(packed.kinds)},
  flags: ${JSON.stringify(packed.flags)},
};
`;
}

/** What a decoder has beside the assembler's forms: their traits, forms of its own, and the traits of those. */
function decoderModules(name, forms, own) {
  update(`${name}-decoder-table.ts`, tableModule(`${name}DecoderTable`, own));
  update(`${name}-traits.ts`, traitsModule(`${name}Traits`, forms));
  update(`${name}-decoder-traits.ts`, traitsModule(`${name}DecoderTraits`, own));
}

function traitsModule(name, forms) {
  const traits = packTraits([...groupForms(forms).values()].flat());
  return `/** See traits.ts. */\nexport const ${name} =\n  ${JSON.stringify(traits)};\n`;
}

/** Writes a file only if it changes, so that `tsc -b` has nothing to do after an unchanged table. */
function update(name, text) {
  const path = join(generated, name);
  let before;
  try {
    before = readFileSync(path, "utf8");
  } catch {
    before = undefined;
  }
  if (before !== header + text) writeFileSync(path, header + text);
}
