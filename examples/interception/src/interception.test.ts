/** Each of the three without a machine, in front of the built-in plugins. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clock, definePlugin, descriptors, memoryConsole, type Plugin } from "@kvmkit/hypervisor";
import { PluginHarness } from "@kvmkit/hypervisor/testing";
import test from "ava";
import auditLog from "./audit-log.js";
import fakeClock from "./fake-clock.js";
import faultInjector from "./fault-injector.js";

const EIO = -5n;
const EBADF = -9n;

const folder = mkdtempSync(join(tmpdir(), "kvmkit-interception-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

function harness(plugin: Plugin, options: object): PluginHarness {
  const all = "all";
  const later = definePlugin({
    name: "later",
    version: "1.0.0",
    abi: 1,
    hypercalls: { wait: { args: {}, handleAsync: async () => 7 } },
  });
  return new PluginHarness([
    { plugin, grant: all, options },
    { plugin: descriptors, grant: all },
    { plugin: memoryConsole, grant: all },
    { plugin: clock, grant: all },
    { plugin: later, grant: all },
  ]);
}

test("audit-log: every call and its answer, an errno by its name, also of a handler that is waited for", async (t) => {
  const file = join(folder, "audit.log");
  using guest = harness(auditLog, { file });
  t.is(guest.call("write", 1, guest.put("hello"), 5), 5n);
  t.is(guest.call("write", 99, guest.put("hello"), 5), EBADF);
  t.is(await guest.callAsync("wait"), 7n);
  const lines = ["descriptors.write = 5", "descriptors.write = EBADF", "later.wait = 7"];
  t.is(readFileSync(file, "utf8"), `${lines.join("\n")}\n`);
});

test("fake-clock: the manifest's time, and a millisecond for each look", (t) => {
  using guest = harness(fakeClock, { startSeconds: 100 });
  const tp = guest.allocate(16);
  const looks = [1, 2].map(() => {
    t.is(guest.call("clock_gettime", 0, tp), 0n);
    const words = Buffer.from(guest.read(tp, 16));
    return [words.readBigInt64LE(0), words.readBigInt64LE(8)];
  });
  t.deepEqual(looks, [
    [100n, 1_000_000n],
    [100n, 2_000_000n],
  ]);
});

test("fault-injector: every third write fails with -EIO, and nothing else does", (t) => {
  using guest = harness(faultInjector, { calls: ["write"], every: 3 });
  const text = guest.put("a");
  const written = Array.from({ length: 6 }, () => guest.call("write", 1, text, 1));
  t.deepEqual(written, [1n, 1n, EIO, 1n, 1n, EIO]);
  t.is(guest.call("close", 1), 0n);
});

test("docs/hypercalls.md shows the fault injector as it is", (t) => {
  const here = new URL(".", import.meta.url);
  const page = readFileSync(new URL("../../../docs/hypercalls.md", here), "utf8");
  t.true(page.includes(`\`\`\`ts\n${readFileSync(new URL("../src/fault-injector.ts", here), "utf8")}\`\`\``));
});
