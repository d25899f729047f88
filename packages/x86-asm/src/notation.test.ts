import test from "ava";
import { coreForms, coreRows, parseRow, RowError } from "./table.js";

test("every row of the core table follows the notation", (t) => {
  t.notThrows(() => coreForms());
  t.true(coreForms().length > coreRows.length);
});

test("width letters stand for one row each width (SDM Vol. 2D, Appendix A.2)", (t) => {
  const forms = parseRow(["add rAX, immz", "ov 05 iz", "8086"]);
  t.deepEqual(
    forms.map(({ encoding, operands, feature }) => [
      encoding,
      operands.map((o) => o.notation).join(),
      feature,
    ]),
    [
      ["o16 05 iw", "ax,imm16", "8086"],
      ["o32 05 id", "eax,imm32", "386"],
      ["o64 05 id", "rax,simm32", "X64"],
    ],
  );
});

for (const [row, problem] of [
  [["add r/m8, r8", "00 /r /q", "8086"], /unknown token/],
  [["add r/m9, r8", "00 /r", "8086"], /unknown operand/],
  [["add r/m8, r8", "/r", "8086"], /no opcode/],
  [["add r/m8, r8", "00 /r ib", "8086"], /more immediates/],
  [["add r/m8, r8", "00 /r", "lock"], /no CPU feature/],
  [["push es", "a64 06", "8086 !64"], /no mode/],
] as const) {
  test(`a row is refused: ${problem.source}: ${row[1]}`, (t) => {
    t.throws(() => parseRow(row), { instanceOf: RowError, message: problem });
  });
}
