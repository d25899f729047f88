import test from "ava";
import { AsmError, assembleFlat } from "./index.js";

/** A branch of the model: where it stands among the items, and what it aims at. */
interface Branch {
  readonly target: number;
  size: number;
}

/** The least sizes by the definition: grow what does not reach, all over again, until everything does. */
function leastSizes(items: readonly (Branch | number)[]): number[] {
  const sizeOf = (item: Branch | number) => (typeof item === "number" ? item : item.size);
  for (let changed = true; changed; ) {
    changed = false;
    const offsets = [0];
    for (const item of items) offsets.push(offsets.at(-1)! + sizeOf(item));
    items.forEach((item, i) => {
      if (typeof item === "number" || item.size !== 2) return;
      const distance = offsets[item.target]! - offsets[i + 1]!;
      if (distance >= -128 && distance <= 127) return;
      item.size = 5;
      changed = true;
    });
  }
  return items.map(sizeOf);
}

function source(items: readonly (Branch | number)[]): string {
  const lines = items.map(
    (item, i) => `L${i}: ${typeof item === "number" ? `.skip ${item}` : `jmp L${item.target}`}`,
  );
  return [...lines, `L${items.length}:`].join("\n");
}

test("branches get the least sizes that reach, for random programs of jumps and gaps", (t) => {
  let state = 7;
  const random = (limit: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  for (let round = 0; round < 60; round++) {
    const count = 20 + random(200);
    const items = Array.from({ length: count }, (_, i): Branch | number =>
      random(3) === 0 ? random(60) : { target: Math.min(count, Math.max(0, i + random(80) - 40)), size: 2 },
    );
    const bytes = assembleFlat(source(items));
    t.is(
      bytes.length,
      leastSizes(items).reduce((sum, size) => sum + size, 0),
    );
  }
});

test("a chain in which each branch pushes the one before it out of reach does not take a pass for each", (t) => {
  // Every jump spans 127 bytes with the next jump among them: the last one grows, and so all the others.
  const count = 50_000;
  const lines: string[] = [];
  for (let i = 0; i < count; i++)
    lines.push(`L${i}: jmp M${i}`, ".skip 100", i > 0 ? `M${i - 1}: .skip 23` : ".skip 23");
  lines.push("jmp far_away", `M${count - 1}: .skip 200`, "far_away:");
  const bytes = assembleFlat(lines.join("\n"));
  t.is(bytes[0], 0xe9);
  t.is(bytes.length, count * (5 + 100 + 23) + 5 + 200);
});

for (const [title, lines, size] of [
  ["a forward jump of 127 bytes is short", ["jmp x", ".skip 127", "x:"], 129],
  ["of 128 bytes long", ["jmp x", ".skip 128", "x:"], 133],
  ["a backward jump of 128 bytes, its own two included, is short", ["x: .skip 126", "jmp x"], 128],
  ["of 129 bytes long", ["x: .skip 127", "jmp x"], 132],
  ["a conditional jump grows by four bytes", ["je x", ".skip 128", "x:"], 134],
  ["and by two in 16-bit mode", [".code16", "je x", ".skip 128", "x:"], 132],
  [
    "a jump over an alignment reaches if what is padded lets it",
    ["jmp x", ".skip 100", ".align 128", "x:"],
    128,
  ],
  ["a jump to another section is long", ["jmp x", '.section .other, "ax"', "x:"], 5],
] as const) {
  test(`branch sizes: ${title}`, (t) => t.is(assembleFlat(lines.join("\n")).length, size));
}

test("sizes that depend on each other without end are an error", (t) => {
  const source = "a: .skip b - a + 1\nb:";
  t.throws(() => assembleFlat(source), { instanceOf: AsmError, code: "ERR_ASM_LAYOUT" });
});
