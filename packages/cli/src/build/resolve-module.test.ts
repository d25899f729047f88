import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { resolveModule } from "./resolve-module.js";

const root = realpathSync(mkdtempSync(join(tmpdir(), "kvmkit-modules-")));
test.after.always(() => rmSync(root, { recursive: true }));
const dir = join(root, "project/vm");
mkdirSync(join(dir, "folder.js"), { recursive: true });
writeFileSync(join(dir, "clock.js"), "");

function install(name: string, exports: unknown): void {
  const folder = join(root, "project/node_modules", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, exports }));
  writeFileSync(join(folder, "main.js"), "");
}
install("plain", "./main.js");
install("imported", { ".": { import: "./main.js" } });
install("@scope/nested", { ".": { types: "./x.d.ts", node: { import: { default: "./main.js" } } } });
install("closed", { ".": { browser: "./main.js" } });

const urlOf = (...parts: string[]) => pathToFileURL(join(root, "project", ...parts)).href;

test("a relative specifier is a file beside the manifest", (t) => {
  t.deepEqual(resolveModule("./clock.js", dir), { ok: true, url: urlOf("vm/clock.js") });
  t.deepEqual(resolveModule(join(dir, "clock.js"), dir), { ok: true, url: urlOf("vm/clock.js") });
  t.deepEqual(resolveModule("./none.js", dir), {
    ok: false,
    reason: `no such file (${join(dir, "none.js")})`,
  });
  t.deepEqual(resolveModule("./folder.js", dir), {
    ok: false,
    reason: `not a file (${join(dir, "folder.js")})`,
  });
});

for (const name of ["plain", "imported", "@scope/nested"]) {
  test(`a package is found above the manifest: ${name}`, (t) => {
    t.deepEqual(resolveModule(name, dir), { ok: true, url: urlOf("node_modules", name, "main.js") });
  });
}

test("a package that is absent, or exports nothing to Node.js, is not found", (t) => {
  for (const name of ["absent", "closed"]) {
    t.deepEqual(resolveModule(name, dir), { ok: false, reason: `no such package is installed above ${dir}` });
  }
});
