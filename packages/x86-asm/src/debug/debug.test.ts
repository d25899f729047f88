import test from "ava";
import { assemble, type ObjectSection } from "../index.js";
import { randomProgram } from "../random-programs.test.support.js";
import { withDebugInfo } from "./index.js";

interface Row {
  readonly section: string;
  readonly address: number;
  readonly file: number;
  readonly line: number;
}

/** Runs a line number program as a debugger does (DWARF 5, "Line Number Information"): the rows, and where sequences end. */
function run({ bytes, relocations }: ObjectSection): { rows: Row[]; ends: Row[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = 12 + view.getUint32(8, true);
  const uleb = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const sleb = () => {
    const start = at;
    const value = uleb();
    const bits = 7 * (at - start);
    return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  };
  const rows: Row[] = [];
  const ends: Row[] = [];
  let row = { section: "", address: 0, file: 1, line: 1 };
  while (at < bytes.length) {
    const opcode = bytes[at++]!;
    if (opcode >= 13) {
      row.address += Math.floor((opcode - 13) / 14);
      row.line += ((opcode - 13) % 14) - 5;
      rows.push({ ...row });
    } else if (opcode === 2) row.address += uleb();
    else if (opcode === 3) row.line += sleb();
    else if (opcode === 4) row.file = uleb();
    else if (opcode === 0) {
      const next = at + 1 + bytes[at]!;
      if (bytes[at + 1] === 1) ends.push({ ...row });
      const { symbol } = relocations.find(({ offset }) => offset === at + 2) ?? { symbol: "" };
      row = { section: symbol, address: 0, file: 1, line: 1 };
      at = next;
    } else throw new RangeError(`opcode ${opcode}`);
  }
  return { rows, ends };
}

test("the line number program says of each statement in code where its bytes begin", (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const include = "nop\n.skip 300\ncall far_away\n";
    const text = `${randomProgram(64, seed)}.include "other"\n${'.section .init, "ax"\n'}nop\n\n\n\njmp L1\n.data\n.long 1\nfar_away:`;
    const assembly = assemble(text, { file: "main.s", resolve: () => include });
    const { sections } = withDebugInfo(assembly);
    const { rows, ends } = run(sections.find(({ name }) => name === ".debug_line")!);
    const expected: Row[] = [];
    for (const { section, offset, file, line } of assembly.lines) {
      if (section === ".data") continue;
      const row = { section, address: offset, file: file === "main.s" ? 1 : 2, line };
      const last = expected.at(-1);
      const isSame = last?.section === section && last.file === row.file && last.line === line;
      if (!isSame) expected.push(row);
    }
    t.deepEqual(rows, expected, `seed ${seed}`);
    const sizes = sections
      .filter(({ flags }) => flags.execute)
      .map(({ name, sizeBytes }) => [name, sizeBytes]);
    t.deepEqual(
      ends.map(({ section, address }) => [section, address]),
      sizes,
    );
  }
});

test("without code, or with debugging information of its own, an object stays as it is", (t) => {
  for (const text of [".data\n.long 5", "nop\n.section .debug_line\n.byte 1"]) {
    const assembly = assemble(text);
    t.is(withDebugInfo(assembly), assembly.object);
  }
});
