/** Each package as a stranger gets it: packed, installed with npm into an empty folder, used and type-checked there. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kvmTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { consumers, readmePrograms } from "./consumers.js";
import { pack, packages, repository, run } from "./pack.js";

const folder = mkdtempSync(join(tmpdir(), "kvmkit-published-"));
const app = join(folder, "app");

test.before("pack every package and install the tarballs with npm", (t) => {
  t.timeout(300_000);
  for (const name of packages) pack(t, name, folder);
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  const tarballs = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
  t.is(tarballs.length, packages.length);
  run(
    t,
    "npm",
    ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs.map((f) => join("..", f))],
    app,
  );
});

test.after.always("remove the folder", () => rmSync(folder, { recursive: true, force: true }));

for (const { name, program, output, needsKvm } of consumers) {
  (needsKvm ? kvmTest : test)(`${name}: its tarball works from an empty folder`, (t: ExecutionContext) => {
    const file = join(app, `${name}.mjs`);
    writeFileSync(file, program);
    t.is(run(t, process.execPath, [file], app), output);
  });
}

for (const { name, output, needsKvm } of readmePrograms) {
  (needsKvm ? kvmTest : test)(
    `${name}: the first program of its README does what the README says`,
    (t: ExecutionContext) => {
      const readme = readFileSync(join(repository, "packages", name, "README.md"), "utf8");
      const [, code] = /```(?:js|ts|typescript|javascript)\n([\s\S]*?)```/.exec(readme) ?? [];
      t.truthy(code, "no program in the README");
      const file = join(app, `readme-${name}.mjs`);
      writeFileSync(file, code!);
      t.is(run(t, process.execPath, [file], app), output);
    },
  );
}

test("types resolve for a strict NodeNext consumer, libraries checked", (t) => {
  const imports = packages
    .filter((name) => name !== "cli")
    .map((name, i) => `import * as p${i} from "@kvmkit/${name}"; void p${i};`);
  writeFileSync(join(app, "use.mts"), imports.join("\n"));
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"];
  const types = [
    "--lib",
    "es2023,esnext.disposable",
    "--types",
    "node",
    "--typeRoots",
    join(repository, "tests/published/node_modules/@types"),
  ];
  run(t, process.execPath, [tsc, ...options, ...types, "use.mts"], app);
});

test("tarballs hold no tests, no sources of machines, and the packages for browsers no dependency", (t) => {
  for (const name of packages) {
    const installed = join(app, "node_modules/@kvmkit", name);
    const files = readdirSync(installed, { recursive: true }) as string[];
    t.deepEqual(
      files.filter((file) => /\.test\.|tsbuildinfo|node_modules/.test(file) && !file.startsWith("build/")),
      [],
    );
    t.true(files.includes("LICENSE") && files.includes("README.md"), name);
  }
  for (const name of ["elf", "x86-asm", "x86-cpu"]) {
    const manifest = JSON.parse(
      readFileSync(join(app, "node_modules/@kvmkit", name, "package.json"), "utf8"),
    );
    t.deepEqual(manifest.dependencies ?? {}, {}, name);
  }
});
