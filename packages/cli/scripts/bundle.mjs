/**
 * Bundles the program and its library door into dist/.
 *
 * What a start costs is files and bytes, so what `kvm exec` needs is one file, main.js. What a start can do without
 * (the toolchain, the TOML readers, the tables for documentation, the software CPU, the worker) is imported when it is
 * needed, from files that share chunks among themselves. No error crosses from one to the other by class, only by its
 * fields. Only the native addon stays outside.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const require = createRequire(import.meta.url);
const hypervisor = dirname(require.resolve("@kvmkit/hypervisor/package.json"));

for (const name of readdirSync(dist)) {
  if (name.endsWith(".js") || name.endsWith(".js.map")) rmSync(join(dist, name));
}

/** Modules that main.js imports at run time, by the end of their specifier, and the files that hold them. */
const LATER = {
  "/toolchain.js": { in: "src/build/toolchain.ts", out: "toolchain" },
  "/guest-files.js": { in: "src/build/guest-files.ts", out: "guest-files" },
  "/scaffold.js": { in: "src/new/scaffold.ts", out: "scaffold" },
  "/toml-document.js": { in: "src/config/toml-document.ts", out: "toml-document" },
  "/documentation.js": { in: "src/documentation.ts", out: "documentation" },
  "@kvmkit/x86-cpu": { in: "@kvmkit/x86-cpu", out: "software-cpu" },
};

const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
  logLevel: "warning",
  define: { KVMKIT_TOOLCHAIN_HASH: JSON.stringify(toolchainHash()) },
};

const results = [
  await build({
    ...common,
    entryPoints: [{ in: "src/main.ts", out: "main" }],
    plugins: [nativeAddon(), importLater()],
  }),
  await build({
    ...common,
    entryPoints: [
      ...Object.values(LATER),
      { in: "src/index.ts", out: "index" },
      { in: "src/run/built-in-plugins.ts", out: "built-in-plugins" },
      // What the hypervisor's worker pool starts, by its name beside the file that the pool lies in.
      { in: join(hypervisor, "dist/node/machine-worker.js"), out: "machine-worker" },
    ],
    splitting: true,
    chunkNames: "chunk-[hash]",
    plugins: [nativeAddon()],
  }),
];

const { errorTables } = await import("./error-tables.mjs");
writeFileSync(join(dist, "errors.json"), `${JSON.stringify(errorTables)}\n`);

const { manifestJsonSchema } = await import(join(dist, "index.js"));
writeFileSync(join(dist, "vm.schema.json"), `${JSON.stringify(manifestJsonSchema(), undefined, 2)}\n`);

const outputs = results.flatMap(({ metafile }) => Object.values(metafile.outputs));
const total = outputs.reduce((sum, { bytes }) => sum + bytes, 0);
console.log(`bundled ${outputs.length} files, ${Math.round(total / 1024)} KiB`);

function importLater() {
  return {
    name: "import-later",
    setup({ onResolve }) {
      onResolve({ filter: /^[.@]/ }, ({ path, kind }) => {
        const later = Object.entries(LATER).find(([end]) => path.endsWith(end))?.[1];
        if (kind !== "dynamic-import" || later === undefined) return undefined;
        return { path: `./${later.out}.js`, external: true };
      });
    },
  };
}

/** kvm-bindings' JavaScript is bundled; its addon is looked for where the package is installed. */
function nativeAddon() {
  return {
    name: "native-addon",
    setup({ onLoad }) {
      onLoad({ filter: /kvm-bindings\/dist\/load-native\.js$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replaceAll(
          "import.meta.url",
          'import.meta.resolve("@kvmkit/kvm-bindings")',
        ),
      }));
    },
  };
}

/** What a build's output depends on beside its inputs: the assembler, the kernel's source and the ELF writer. */
function toolchainHash() {
  const hash = createHash("sha256");
  for (const name of ["x86-asm", "guest-kernel", "elf"]) {
    for (const file of sources(join(root, "..", name, "src"))) hash.update(readFileSync(file));
  }
  for (const file of sources(join(root, "src/build"))) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

function sources(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
