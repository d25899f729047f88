/**
 * Generates, from the instruction table, what the assembler loads and what its builder's types are:
 * packed tables and method types in src/generated/, for the core entry and for the vector entry. Runs after `tsc -b tsconfig.table.json`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packTable } from "../dist/packing.js";
import { coreForms, vectorForms } from "../dist/table.js";
import { instructionTypes } from "../dist/table-types.js";

const generated = join(dirname(fileURLToPath(import.meta.url)), "../src/generated");
const header = "// Generated from the instruction rows by scripts/generate.mjs.\n";

mkdirSync(generated, { recursive: true });
update("core-table.ts", tableModule("coreTable", coreForms()));
update("vector-table.ts", tableModule("vectorTable", vectorForms()));
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
