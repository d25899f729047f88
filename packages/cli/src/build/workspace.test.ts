import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import test from "ava";
import { matchMembers } from "./workspace.js";

const root = mkdtempSync(join(tmpdir(), "kvmkit-workspace-"));
test.after.always(() => rmSync(root, { recursive: true }));
for (const folder of ["examples/b", "examples/a", "examples/.hidden", "examples/empty"]) {
  mkdirSync(join(root, folder), { recursive: true });
  if (!folder.endsWith("empty")) writeFileSync(join(root, folder, "vm.toml"), "");
}
const match = (pattern: string) => matchMembers(root, pattern).map((path) => relative(root, path));

test("* stands for any part of one name, hidden folders aside", (t) => {
  t.deepEqual(match("examples/*/vm.toml"), ["examples/a/vm.toml", "examples/b/vm.toml"]);
  t.deepEqual(match("./ex*les/a/*.toml"), ["examples/a/vm.toml"]);
});

test("a pattern without * is a path, and what does not exist matches nothing", (t) => {
  t.deepEqual(match("examples/a/vm.toml"), ["examples/a/vm.toml"]);
  t.deepEqual(match("examples/c/vm.toml"), []);
  t.deepEqual(match("nowhere/*/vm.toml"), []);
  t.deepEqual(match("examples/(/vm.toml"), []);
});
