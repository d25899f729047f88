import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { runCli } from "../cli.js";

const root = mkdtempSync(join(tmpdir(), "kvmkit-new-"));
test.after.always(() => rmSync(root, { recursive: true, force: true }));

async function cli(...argv: string[]) {
  const said = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ write: (text: unknown) => (said[name] += String(text)) });
  const world = { stdout: stream("stdout"), stderr: stream("stderr"), env: {}, cwd: root };
  return { status: await runCli(argv, world), ...said };
}

const refused: [string, string[], RegExp][] = [
  ["no name", ["plugin"], /<name> is missing/],
  ["no kind that there is", ["plugin-x", "a"], /no template "plugin-x"\. Did you mean plugin\?/],
  [
    "a kind that every object has",
    ["constructor", "a"],
    /no template "constructor"\. There are plugin and vm/,
  ],
  ["a path as a name", ["plugin", "../a"], /"\.\.\/a" cannot be a name/],
  ["capital letters", ["plugin", "Greeter"], /"Greeter" cannot be a name/],
  ["an empty name", ["vm", ""], /"" cannot be a name/],
  ["a built-in's name", ["plugin", "files"], /files is a built-in plugin/],
  ["a third word", ["plugin", "a", "b"], /no place for "b"/],
];

for (const [title, args, message] of refused) {
  test.serial(`kvm new refuses ${title}, and makes nothing`, async (t) => {
    const before = readdirSync(root);
    const { status, stdout, stderr } = await cli("new", ...args);
    t.deepEqual([status, stdout], [125, ""]);
    t.regex(stderr, message);
    t.regex(stderr, /ERR_CLI_USAGE/);
    t.deepEqual(readdirSync(root), before);
  });
}

test.serial("kvm new writes nothing where something is, into an empty folder it does", async (t) => {
  mkdirSync(join(root, "full"));
  writeFileSync(join(root, "full/vm.toml"), "mine");
  writeFileSync(join(root, "file"), "mine");
  t.regex(
    (await cli("new", "vm", "full")).stderr,
    /the folder full is there, and not empty {2}ERR_CLI_EXISTS/,
  );
  t.regex((await cli("new", "vm", "file")).stderr, /file is a file {2}ERR_CLI_EXISTS/);
  t.deepEqual(readdirSync(join(root, "full")), ["vm.toml"]);
  t.is(readFileSync(join(root, "full/vm.toml"), "utf8"), "mine");
  mkdirSync(join(root, "empty"));
  t.is((await cli("new", "vm", "empty")).status, 0);
  t.true(existsSync(join(root, "empty/programs/main.c")));
});

test.serial("kvm new names what it made and what to do next", async (t) => {
  const { stdout, status } = await cli("new", "plugin", "key-store");
  t.is(status, 0);
  t.regex(stdout, /^Made key-store:\n {2}README\.md\n[\s\S]*\n\nNext:\n {2}cd key-store\n {2}npm install\n/);
  t.regex(
    readFileSync(join(root, "key-store/src/index.ts"), "utf8"),
    /name: "key-store",[\s\S]*key_store_greet: \{/,
  );
});
