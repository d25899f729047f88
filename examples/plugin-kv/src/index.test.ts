/** The handlers without a machine, and what the store keeps from one machine to the next. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fuzzHypercalls, PluginHarness } from "@kvmkit/hypervisor/testing";
import test from "ava";
import plugin from "./index.js";
import { Store } from "./store.js";

const ENOENT = -2n;
const EBADF = -9n;
const EINVAL = -22n;
const ENOSPC = -28n;
const ERANGE = -34n;

const folder = mkdtempSync(join(tmpdir(), "kvmkit-kv-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const grants = (options: object = {}) => [{ plugin, grant: "all" as const, options }];

/** A harness that speaks in strings. */
class Client extends PluginHarness {
  constructor(options: object = {}) {
    super(grants(options), { memoryBytes: 4 * 2 ** 20 });
  }

  bytes(text: string): [bigint, number] {
    const data = new TextEncoder().encode(text);
    return [this.put(data), data.length];
  }

  set(key: string, value: string): bigint {
    return this.call("kv_put", ...this.bytes(key), ...this.bytes(value))!;
  }

  get(key: string, room = 64): string | bigint {
    const value = this.allocate(room);
    const result = this.call("kv_get", ...this.bytes(key), value, room)!;
    return result < 0n ? result : Buffer.from(this.read(value, Number(result))).toString();
  }

  /** The keys that begin with `prefix`, with their values. */
  scan(prefix: string): string[] {
    const cursor = this.call("kv_scan", ...this.bytes(prefix))!;
    const [key, value, sizes] = [this.allocate(64), this.allocate(64), this.allocate(16)];
    const found: string[] = [];
    while (this.call("kv_next", cursor, key, 64, value, 64, sizes) === 0n) {
      const size = (at: bigint) => Buffer.from(this.read(sizes + at, 8)).readBigUInt64LE();
      const text = (address: bigint, length: bigint) =>
        Buffer.from(this.read(address, Number(length))).toString();
      found.push(`${text(key, size(0n))}=${text(value, size(8n))}`);
    }
    this.call("kv_close", cursor);
    return found;
  }
}

test("a key has the value that it was given last, until it is deleted", (t) => {
  using kv = new Client();
  t.is(kv.get("a"), ENOENT);
  t.is(kv.set("a", "1"), 0n);
  t.is(kv.set("a", "22"), 0n);
  t.is(kv.get("a"), "22");
  t.is(kv.call("kv_delete", ...kv.bytes("a")), 0n);
  t.is(kv.call("kv_delete", ...kv.bytes("a")), ENOENT);
  t.is(kv.get("a"), ENOENT);
});

test("bytes are bytes: NUL, 0xff and the empty value come back as they were", (t) => {
  using kv = new Client();
  const odd = new Uint8Array([0, 255, 0, 128]);
  const [key, room] = [kv.put(odd), kv.allocate(4)];
  t.is(kv.call("kv_put", key, 4, kv.put(odd), 4), 0n);
  t.is(kv.call("kv_get", key, 4, room, 4), 4n);
  t.deepEqual(kv.read(room, 4), odd);
  t.is(kv.set("empty", ""), 0n);
  t.is(kv.get("empty"), "");
});

test("no key is -EINVAL; a value that does not fit is -ERANGE, and nothing is written", (t) => {
  using kv = new Client();
  t.is(kv.set("", "x"), EINVAL);
  kv.set("a", "12345");
  const room = kv.allocate(4);
  t.is(kv.call("kv_get", ...kv.bytes("a"), room, 4), ERANGE);
  t.deepEqual(kv.read(room, 4), new Uint8Array(4));
});

test("a scan goes over the keys of a prefix in the order of their bytes, also while they change", (t) => {
  using kv = new Client();
  for (const key of ["b/2", "a", "b/10", "b", "c", "b/1"]) kv.set(key, key.toUpperCase());
  t.deepEqual(kv.scan("b/"), ["b/1=B/1", "b/10=B/10", "b/2=B/2"]);
  t.deepEqual(kv.scan(""), ["a=A", "b=B", "b/1=B/1", "b/10=B/10", "b/2=B/2", "c=C"]);
  t.deepEqual(kv.scan("x"), []);
  t.is(kv.call("kv_next", 99, 0, 0, 0, 0, kv.allocate(16)), EBADF);
});

test("what would exceed maxBytes is -ENOSPC, and what is there stays readable", (t) => {
  using kv = new Client({ maxBytes: 262_144 });
  kv.set("first", "kept");
  const [value] = [kv.allocate(40_000)];
  let result = 0n;
  for (let n = 0; result === 0n && n < 10; n++)
    result = kv.call("kv_put", ...kv.bytes(`k${n}`), value, 40_000)!;
  t.is(result, ENOSPC);
  t.is(kv.get("first"), "kept");
  t.is(kv.call("kv_delete", ...kv.bytes("k0")), 0n);
  t.is(kv.call("kv_put", ...kv.bytes("k9"), value, 40_000), 0n);
});

test("a committed change outlives the machine; another does not", (t) => {
  const file = join(folder, "committed.db");
  {
    using kv = new Client({ file });
    kv.set("a", "1");
    t.is(kv.call("kv_commit"), 0n);
    kv.set("b", "2");
  }
  using kv = new Client({ file });
  t.is(kv.get("a"), "1");
  t.is(kv.get("b"), ENOENT);
});

test("one machine at a time has a file, and one whose owner was killed is taken over", (t) => {
  const file = join(folder, "owned.db");
  const first = new Store({ file, maxBytes: 2 ** 20 });
  const second = t.throws(() => new PluginHarness(grants({ file })), { code: "ERR_VM_PLUGIN_HOOK" });
  t.regex(second.message, new RegExp(`in use by process ${process.pid}`));
  first.close();
  t.false(existsSync(`${file}.owner`));
  // What SIGKILL leaves behind: 2^22 is the largest pid_max of Linux, so no process has more.
  writeFileSync(`${file}.owner`, `${2 ** 22 + 1}\n`);
  mkdirSync(`${file}.lock`);
  using kv = new Client({ file });
  t.is(kv.set("a", "1"), 0n);
});

for (const [options, message] of [
  [{ file: 5 }, /file must be the path/],
  [{ maxBytes: 1 }, /maxBytes must be a whole number/],
  [{ path: "x" }, /unknown option path/],
] as const) {
  test(`options are checked: ${JSON.stringify(options)}`, (t) => {
    const error = t.throws(() => new PluginHarness(grants(options)), { code: "ERR_VM_PLUGIN_OPTIONS" });
    t.regex(error.message, message);
  });
}

test("20,000 random calls: no exception gets out, and none comes from a check that is missing", async (t) => {
  const report = await fuzzHypercalls(grants(), { calls: 20_000, seed: 3 });
  t.deepEqual(report.escapes, []);
  t.deepEqual([...report.handlerFailures], []);
});
