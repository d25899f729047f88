/**
 * Bundles the program and its library door into dist/. Commands and what they import are chunks of their own,
 * loaded when needed. Only the native bindings stay outside.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const hypervisor = dirname(createRequire(import.meta.url).resolve("@kvmkit/hypervisor/package.json"));

for (const name of readdirSync(dist)) {
  if (name.endsWith(".js") || name.endsWith(".js.map")) rmSync(join(dist, name));
}

const result = await build({
  absWorkingDir: root,
  entryPoints: [
    { in: "src/main.ts", out: "main" },
    { in: "src/index.ts", out: "index" },
    { in: "src/run/built-in-plugins.ts", out: "built-in-plugins" },
    // What the hypervisor's worker pool starts, by its name beside the chunk that the pool lies in.
    { in: join(hypervisor, "dist/node/machine-worker.js"), out: "machine-worker" },
  ],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  chunkNames: "chunk-[hash]",
  external: ["@kvmkit/kvm-bindings"],
  metafile: true,
  logLevel: "warning",
  define: { KVMKIT_TOOLCHAIN_HASH: JSON.stringify(toolchainHash()) },
});

const { manifestJsonSchema } = await import(join(dist, "index.js"));
writeFileSync(join(dist, "vm.schema.json"), `${JSON.stringify(manifestJsonSchema(), undefined, 2)}\n`);

const total = Object.values(result.metafile.outputs).reduce((sum, { bytes }) => sum + bytes, 0);
console.log(`bundled ${Object.keys(result.metafile.outputs).length} files, ${Math.round(total / 1024)} KiB`);

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
