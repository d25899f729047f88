import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { CliError } from "../errors.js";
import { BuildCache, contentKey } from "./cache.js";

const root = mkdtempSync(join(tmpdir(), "kvmkit-cache-"));
test.after.always(() => rmSync(root, { recursive: true }));

let made = 0;
const make = async () => ({ bytes: Buffer.from(`artefact ${++made}`) });
const cacheOf = (name: string) => new BuildCache(join(root, name));

test.serial("an artefact is made once", async (t) => {
  const cache = cacheOf("once");
  const first = await cache.get("kernel-k.elf", make);
  const second = await cache.get("kernel-k.elf", make);
  t.deepEqual([first.built, second.built], [true, false]);
  t.deepEqual(Buffer.from(second.bytes), Buffer.from(first.bytes));
  t.is(first.path, join(root, "once/kernel-k.elf"));
  t.deepEqual(readdirSync(cache.dir).sort(), [".gitignore", "kernel-k.elf", "kernel-k.json"]);
});

const damages: [string, string, string | undefined][] = [
  ["a changed artefact", "kernel-k.elf", "artefact 0"],
  ["an empty artefact", "kernel-k.elf", ""],
  ["an artefact that is gone", "kernel-k.elf", undefined],
  ["a record that is gone", "kernel-k.json", undefined],
  ["a record that is not JSON", "kernel-k.json", "{"],
  ["a record of nothing", "kernel-k.json", "null"],
];

for (const [title, file, content] of damages) {
  test.serial(`a damaged entry is made again: ${title}`, async (t) => {
    const cache = cacheOf(title);
    await cache.get("kernel-k.elf", make);
    const path = join(cache.dir, file);
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
    const again = await cache.get("kernel-k.elf", make);
    t.true(again.built);
    t.deepEqual(readFileSync(again.path), Buffer.from(again.bytes));
    t.false((await cache.get("kernel-k.elf", make)).built);
  });
}

test.serial("an entry is out of date when a file that was read on the way changed, or is gone", async (t) => {
  const cache = cacheOf("inputs");
  const file = join(root, "include.inc");
  writeFileSync(file, "one");
  const withInput = async () => ({ ...(await make()), inputs: new Map([[file, readFileSync(file)]]) });
  const built = async () => (await cache.get("program-k.elf", withInput)).built;
  t.deepEqual([await built(), await built()], [true, false]);
  writeFileSync(file, "two");
  t.deepEqual([await built(), await built()], [true, false]);
  rmSync(file);
  t.true((await cache.get("program-k.elf", make)).built);
});

test.serial("two builds at once leave one whole entry", async (t) => {
  const cache = cacheOf("at once");
  const same = async () => ({ bytes: Buffer.from("same") });
  const both = await Promise.all([cache.get("kernel-k.elf", same), cache.get("kernel-k.elf", same)]);
  t.deepEqual(
    both.map(({ bytes }) => Buffer.from(bytes).toString()),
    ["same", "same"],
  );
  t.false((await cache.get("kernel-k.elf", make)).built);
  t.deepEqual(readdirSync(cache.dir).sort(), [".gitignore", "kernel-k.elf", "kernel-k.json"]);
});

test.serial("entries of more than a month ago are forgotten when a new one is made", async (t) => {
  const cache = cacheOf("old");
  const { path } = await cache.get("kernel-old.elf", make);
  await cache.get("kernel-new.elf", make);
  const longAgo = new Date(Date.now() - 31 * 24 * 3_600_000);
  for (const file of [path, path.replace(".elf", ".json")]) utimesSync(file, longAgo, longAgo);
  await cache.get("kernel-newest.elf", make);
  t.deepEqual(readdirSync(cache.dir).sort(), [
    ".gitignore",
    "kernel-new.elf",
    "kernel-new.json",
    "kernel-newest.elf",
    "kernel-newest.json",
  ]);
});

test.serial(
  "where nothing can be written, an optional cache makes it anew, and another one says so",
  async (t) => {
    writeFileSync(join(root, "a-file"), "");
    const dir = join(root, "a-file/cache");
    const optional = new BuildCache(dir, { optional: true });
    t.true((await optional.get("kernel-k.elf", make)).built);
    t.true((await optional.get("kernel-k.elf", make)).built);
    await t.throwsAsync(new BuildCache(dir).get("kernel-k.elf", make), { code: "ERR_CLI_IO" });
  },
);

test.serial("what fails to be made is not an error of the cache", async (t) => {
  const fails = async () => {
    throw new CliError("ERR_CLI_SOURCE", "no");
  };
  const cache = new BuildCache(join(root, "fails"), { optional: true });
  await t.throwsAsync(cache.get("kernel-k.elf", fails), { code: "ERR_CLI_SOURCE" });
});

test("parts of a key cannot run into each other", (t) => {
  t.not(contentKey("ab", "c"), contentKey("a", "bc"));
  t.not(contentKey("a"), contentKey("a", ""));
  t.is(contentKey("a", Buffer.from("b")), contentKey("a", "b"));
});
