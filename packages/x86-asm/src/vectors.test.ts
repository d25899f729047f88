import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import { coreInstructions } from "./instruction-set.js";
import { link } from "./link.js";
import { FormFlag, FormWord, MODE_16, MODE_32, MODE_64 } from "./operand-bits.js";
import { groupForms } from "./packing.js";
import { Program } from "./program.js";
import { coreForms, type Form, families, parseRows } from "./table.js";
import type { DialectName } from "./text/dialect.js";
import { TextAssembler } from "./text/text-assembler.js";

const folder = new URL("../testdata/vectors/", import.meta.url);
const packed: readonly Form[] = [...groupForms(coreForms()).values()].flat();
const used = new Set<Form>();

/** Assembles one line at address 0, and notes which form encoded it. */
function encode(line: string, bits: 16 | 32 | 64, dialect: DialectName): string {
  const program = new Program(coreInstructions, bits);
  const text = new TextAssembler(program, { dialect });
  text.assemble(line, "vector");
  if (text.errors.length > 0) return text.errors[0]!.message;
  const { object } = program.finish(() => ({}));
  const bytes = link(object).sections[0]!.bytes;
  const form = packed[program.encoder.form / FormWord.stride]!;
  used.add(bytes.length > 2 ? (longForm(form, bits) ?? form) : form);
  return Buffer.from(bytes).toString("hex");
}

/** The form that a branch grows into. */
function longForm(form: Form, bits: number): Form | undefined {
  if ((form.flags & FormFlag.relaxable) === 0) return undefined;
  const mode = bits === 16 ? MODE_16 : bits === 32 ? MODE_32 : MODE_64;
  return packed.find(
    (other) =>
      other.mnemonic === form.mnemonic &&
      /^rel(16|32)$/.test(other.operands[0]!.notation) &&
      (other.modes & mode) !== 0,
  );
}

for (const name of readdirSync(folder)) {
  const [family, bits, dialect] = name.replace(".txt", "").split(".");
  const vectors = readFileSync(new URL(name, folder), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" | ") as [bytes: string, instruction: string]);
  test(`${family} in ${bits}-bit mode: all ${vectors.length} vectors of ${name}`, (t) => {
    const wrong = vectors
      .map(([bytes, line]) => {
        const expected = bytes.replaceAll(" ", "");
        const found = encode(line, Number(bits) as 16, (dialect as DialectName | undefined) ?? "gas");
        return { line, expected, found };
      })
      .filter(({ expected, found }) => expected !== found);
    t.deepEqual(wrong, []);
  });
}

const covered = new Set(readdirSync(folder).map((name) => name.split(".")[0]));

for (const [family, rows] of Object.entries(families)) {
  if (!covered.has(family)) continue;
  test(`every form of ${family} encodes a vector`, (t) => {
    const own = new Set(parseRows(rows).map(nameOf));
    const unused = packed.filter((form) => own.has(nameOf(form)) && !used.has(form));
    t.deepEqual(unused.map(nameOf), []);
  });
}

function nameOf({ mnemonic, operands, encoding, modes }: Form): string {
  return `${mnemonic} ${operands.map(({ notation }) => notation).join(", ")} | ${encoding} | modes ${modes}`;
}
