import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { BuildCache, contentKey } from "./cache.js";

const root = mkdtempSync(join(tmpdir(), "kvmkit-cache-"));
test.after.always(() => rmSync(root, { recursive: true }));

let made = 0;
const make = async () => Buffer.from(`artefact ${++made}`);
const cacheOf = (name: string) => new BuildCache(join(root, name));

test.serial("an artefact is made once", async (t) => {
  const cache = cacheOf("once");
  const first = await cache.get("kernel", "k", make);
  const second = await cache.get("kernel", "k", make);
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
    await cache.get("kernel", "k", make);
    const path = join(cache.dir, file);
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
    const again = await cache.get("kernel", "k", make);
    t.true(again.built);
    t.deepEqual(readFileSync(again.path), Buffer.from(again.bytes));
    t.false((await cache.get("kernel", "k", make)).built);
  });
}

test("parts of a key cannot run into each other", (t) => {
  t.not(contentKey("ab", "c"), contentKey("a", "bc"));
  t.not(contentKey("a"), contentKey("a", ""));
  t.is(contentKey("a", Buffer.from("b")), contentKey("a", "b"));
});
