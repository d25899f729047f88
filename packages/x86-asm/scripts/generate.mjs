/**
 * Generates, from the instruction table, what the assembler loads and what its builder's types are:
 * src/generated/core-table.ts and src/generated/instructions.ts. Runs after `tsc -b tsconfig.table.json`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packTable } from "../dist/packing.js";
import { coreForms } from "../dist/table.js";
import { instructionTypes } from "../dist/table-types.js";

const generated = join(dirname(fileURLToPath(import.meta.url)), "../src/generated");
const header = "// Generated from src/instructions/*.ts by scripts/generate.mjs.\n";

const forms = coreForms();
const packed = packTable(forms);
mkdirSync(generated, { recursive: true });
update(
  "core-table.ts",
  `import type { PackedTable } from "../packing.js";

export const coreTable: PackedTable = {
  mnemonics:
    ${JSON.stringify(packed.mnemonics)},
  operands: ${JSON.stringify(packed.operands)},
  forms:
    ${JSON.stringify(packed.forms)},
};
`,
);
update("instructions.ts", instructionTypes(forms));

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
