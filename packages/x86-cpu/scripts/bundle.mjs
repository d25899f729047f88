/**
 * Joins all modules into one file, dist/bundle/index.js: resolving some 70 small modules would be most of the time that an
 * import takes. Names and lines stay readable; only comments go, which the declarations keep.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync, transformSync } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outfile = fileURLToPath(new URL("../dist/bundle/index.js", import.meta.url));
rmSync(new URL("../dist/bundle", import.meta.url), { recursive: true, force: true });

const common = { format: "esm", target: "es2022", logLevel: "warning" };
buildSync({ ...common, absWorkingDir: root, entryPoints: ["dist/index.js"], outfile, bundle: true });
const bare = transformSync(readFileSync(outfile, "utf8"), { ...common, minifyWhitespace: true }).code;
writeFileSync(outfile, transformSync(bare, { ...common, charset: "utf8" }).code);
