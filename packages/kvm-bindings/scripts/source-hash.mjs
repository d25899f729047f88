/** Prints a hash of everything that the native part is made of. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

export function sourceHash() {
  const hash = createHash("sha256");
  const sources = readdirSync(new URL("native/", root)).sort();
  for (const name of ["binding.gyp", ...sources.map((source) => `native/${source}`)])
    hash.update(name).update(readFileSync(new URL(name, root)));
  return hash.digest("hex").slice(0, 32);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(sourceHash());
