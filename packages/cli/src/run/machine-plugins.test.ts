import { definePlugin } from "@kvmkit/hypervisor";
import test from "ava";
import { BOOT_PROTOCOLS, MANIFEST_SCHEMA } from "../config/schema.js";
import {
  BUILT_IN_PLUGINS,
  isAsync,
  localEntries,
  type MachinePlugin,
  machinePlugins,
  workerEntries,
} from "./machine-plugins.js";

const builtIn = (name: string) => BUILT_IN_PLUGINS.find((plugin) => plugin.name === name)!;
const none = { mounts: [] };
const named = (name: string, rest: Partial<MachinePlugin> = {}): MachinePlugin => ({
  plugin: builtIn(name),
  module: undefined,
  grant: [],
  options: {},
  numbers: {},
  ...rest,
});

for (const boot of BOOT_PROTOCOLS) {
  test(`plugins: what ${boot} brings is granted whole, and is what the reference says`, (t) => {
    const plugins = machinePlugins(boot, none, []);
    t.true(plugins.every(({ grant }) => grant === "all"));
    const sentence = MANIFEST_SCHEMA.keys.plugin.doc
      .split(/[:;.]/)
      .find((part) => part.includes(`\`${boot}\``))!;
    const said = BUILT_IN_PLUGINS.filter(({ name }) => new RegExp(`(^| )${name}($|,| )`).test(sentence));
    t.deepEqual(plugins.map(({ plugin }) => plugin.name).sort(), said.map(({ name }) => name).sort());
  });
}

test("plugins: one that is named replaces the one that the protocol brings", (t) => {
  const plugins = machinePlugins("kvmkit", none, [named("files", { grant: ["open"] })]);
  t.deepEqual(
    plugins.filter(({ plugin }) => plugin.name === "files").map(({ grant }) => grant),
    [["open"]],
  );
});

test("plugins: a module's own plugin of the same name replaces it too, and gets none of the host's grants", (t) => {
  const plugin = definePlugin({ name: "files", version: "2.0.0", abi: 1 });
  const mounts = [{ guest: "/d", host: "/data", mode: "ro" }] as const;
  const plugins = machinePlugins("kvmkit", { mounts }, [
    named("files", { plugin, module: "file:///own.js" }),
  ]);
  const found = plugins.filter((entry) => entry.plugin.name === "files");
  t.deepEqual(
    found.map((entry) => [entry.plugin.version, entry.options]),
    [["2.0.0", {}]],
  );
});

test("plugins: what the host grants goes to the plugin it is for, below the manifest's own options", (t) => {
  const mounts = [{ guest: "/d", host: "/data", mode: "ro" }] as const;
  const own = named("files", { options: { tmpBytes: 1 } });
  const plugins = machinePlugins("kvmkit", { mounts, openFiles: 9, fileBytes: 7 }, [own]);
  const optionsOf = (name: string) => plugins.find(({ plugin }) => plugin.name === name)!.options;
  t.deepEqual(optionsOf("files"), { mounts, fileBytes: 7, tmpBytes: 1 });
  t.deepEqual(optionsOf("descriptors"), { openFiles: 9 });
  t.deepEqual(optionsOf("console"), {});
});

test("plugins: a worker gets modules that export them, this thread the plugins themselves", async (t) => {
  const plugins = machinePlugins("long", none, []);
  t.true(localEntries(plugins).every((entry) => "plugin" in entry));
  for (const [index, entry] of workerEntries(plugins).entries()) {
    if (!("module" in entry)) return t.fail();
    const module = (await import(String(entry.module))) as Record<string, unknown>;
    t.is(module[entry.export!], plugins[index]!.plugin);
  }
});

test("plugins: none of the built-in ones has to be waited for", (t) => {
  for (const boot of BOOT_PROTOCOLS) t.false(isAsync(machinePlugins(boot, none, [])));
});
