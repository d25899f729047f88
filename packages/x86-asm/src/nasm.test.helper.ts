/** NASM as a second opinion on its own dialect: many single instructions at once. For tests. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SLOT = 32;
/** Stands behind an instruction; the rest of the slot is zeros. */
const END = 0xa5;
const BATCH = 2000;

/** NASM's bytes in hexadecimal for each line as if it stood at address 0; `undefined` where it refuses. */
export function assembleWithNasm(lines: readonly string[], bits: 16 | 32 | 64): (string | undefined)[] {
  const results: (string | undefined)[] = [];
  for (let from = 0; from < lines.length; from += BATCH)
    results.push(...assembleBatch(lines.slice(from, from + BATCH), bits));
  return results;
}

function assembleBatch(lines: readonly string[], bits: number): (string | undefined)[] {
  const folder = mkdtempSync(join(tmpdir(), "x86-asm-"));
  const [source, image] = [join(folder, "in.asm"), join(folder, "out.bin")];
  try {
    const refused = new Set<number>();
    for (let before = -1; refused.size > before; ) {
      before = refused.size;
      // A section for each line, all at address 0: a branch's bytes depend on where it stands.
      const body = lines.flatMap((line, i) => [
        `section s${i} start=${i * SLOT} vstart=0`,
        refused.has(i) ? "" : line,
        `db ${END}`,
      ]);
      writeFileSync(source, `bits ${bits}\n${body.join("\n")}\n`);
      const { stderr } = spawnSync("nasm", ["-w-all", "-f", "bin", "-o", image, source], {
        encoding: "latin1",
        maxBuffer: 2 ** 30,
      });
      for (const [, line] of stderr.matchAll(/in\.asm:(\d+): error/g))
        refused.add(Math.floor((Number(line) - 2) / 3));
    }
    const bytes = Buffer.concat([readFileSync(image), Buffer.alloc(SLOT)]);
    return lines.map((_, i) => {
      if (refused.has(i)) return undefined;
      let end = (i + 1) * SLOT;
      while (bytes[end - 1] !== END) end--;
      // What NASM does not know is a label to it.
      return end - 1 === i * SLOT ? undefined : bytes.subarray(i * SLOT, end - 1).toString("hex");
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
