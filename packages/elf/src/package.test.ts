/** What the package promises as a whole: size, no dependency, no Node.js, an error list that is complete. */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import test from "ava";
import { type BuildOptions, buildSync } from "esbuild";
import { testdata } from "../scripts/testdata.mjs";
import { ERROR_TABLE } from "./errors.js";

const url = (path: string) => new URL(`../${path}`, import.meta.url);
const manifest = JSON.parse(readFileSync(url("package.json"), "utf8"));
const readme = readFileSync(url("README.md"), "utf8");

function bundle(entry: string, options: BuildOptions): string {
  const entryPoints = [url(`dist/${entry}`).pathname];
  const [file] = buildSync({ entryPoints, bundle: true, platform: "browser", write: false, ...options })
    .outputFiles!;
  return file!.text;
}

test("the package has no dependency", (t) => {
  t.deepEqual(manifest.dependencies, {});
});

test("what a browser loads of either entry has less than 60 kB", (t) => {
  t.true(bundle("index.js", { format: "esm", minify: true }).length < 60_000);
  t.true(bundle("readelf/index.js", { format: "esm", minify: true }).length < 60_000);
});

test("it reads, plans and writes with nothing but what a browser has too", (t) => {
  const script = bundle("index.js", { format: "iife", globalName: "elf" });
  const context = createContext({ TextDecoder, TextEncoder, program: testdata("program") });
  const result = runInContext(
    `${script}
    const read = elf.readElf(program);
    const copy = elf.writeElf(elf.readLayout(read));
    [elf.planLoad(read).segments.length, read.symbolize(0x401003n).name, copy.length === program.length].join()`,
    context,
  );
  t.is(result, "5,_start,true");
});

test("README lists every error code with its message and remedy, and no other", (t) => {
  const rows = [...readme.matchAll(/^\| `(ERR_\w+)` *\| (.+?) *\| (.+?) *\|$/gm)].map(
    ([, code, message, remedy]) => ({
      code,
      message,
      remedy,
    }),
  );
  t.deepEqual(rows, [...ERROR_TABLE]);
});
