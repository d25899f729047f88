/**
 * Joins the modules of an entry into one file, dist/bundle/*.js: resolving 50 small modules would be most of the
 * time that an import takes. Names and lines stay readable; only comments go, which the declarations keep.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync, transformSync } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

// Chunks are named after their contents: old ones would pile up.
rmSync(join(root, "dist/bundle"), { recursive: true, force: true });

const { metafile } = buildSync({
  absWorkingDir: root,
  entryPoints: [
    "dist/index.js",
    "dist/decoder/index.js",
    "dist/vector/index.js",
    "dist/vector/decoder.js",
    "dist/incremental/index.js",
    "dist/debug/index.js",
  ],
  outdir: "dist/bundle",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  metafile: true,
  logLevel: "warning",
});

for (const name of Object.keys(metafile.outputs)) {
  const path = join(root, name);
  const options = { format: "esm", target: "es2022", charset: "utf8" };
  const stripped = (code) => transformSync(code, { ...options, minifyWhitespace: true }).code;
  const bare = stripped(readFileSync(path, "utf8"));
  const printed = transformSync(bare, options).code;
  // A tab for each level: blanks at the start of lines would be a fifteenth of the whole.
  const indented = printed.replace(/^(?: {2})+/gm, (blanks) => "\t".repeat(blanks.length / 2));
  if (stripped(indented) !== bare) {
    throw new Error(`${name}: a string spans lines, and indenting would change it`);
  }
  writeFileSync(path, indented);
}
