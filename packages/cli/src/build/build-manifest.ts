/** What one manifest needs to run: its plugins numbered, its kernel, its program. */
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ManifestError } from "../config/problems.js";
import type { LoadedManifest } from "../config/vm-toml.js";
import { CliError, systemErrorText } from "../errors.js";
import type { Output } from "../output.js";
import type { Timings } from "../report-timings.js";
import { compilerIdentity, FREESTANDING_CC } from "./c-compiler.js";
import { type Artefact, BuildCache, contentKey } from "./cache.js";
import type { GuestFiles } from "./guest-files.js";
import { getKernel } from "./kernel.js";
import { loadPlugins } from "./load-plugins.js";
import { guestInterface, kernelRows, type NumberedPlugin, numberPlugins } from "./number-plugins.js";
import { dialectOf, isCSource, isSource } from "./source-kind.js";
import { TOOLCHAIN } from "./toolchain-hash.js";

export interface BuildContext {
  readonly userDir: string;
  readonly output: Output;
  readonly timings: Timings;
  /** Whether what is built must be kept: the purpose of a build, but not of a run. */
  readonly keep: boolean;
}

export interface BuiltManifest {
  readonly loaded: LoadedManifest;
  readonly plugins: readonly NumberedPlugin[];
  /** The kernel's ELF file, or a flat image. */
  readonly kernel: Artefact;
  /** The program's ELF file; under `long` whatever the booted kernel opens. */
  readonly program: Artefact | undefined;
}

/**
 * Builds what is missing.
 * Errors: ManifestError, CliError, AsmError, KernelBuildError.
 */
export async function buildManifest(loaded: LoadedManifest, context: BuildContext): Promise<BuiltManifest> {
  const { output, timings } = context;
  const shown = relative(context.userDir, loaded.file) || loaded.file;
  const cache = new BuildCache(join(loaded.dir, ".kvmkit"), {
    optional: !context.keep,
    onMake: (name) => output.progress(`${shown}: building ${name}`),
  });
  const plugins = await timings.measure("plugins", () => getPlugins(loaded));
  const guest = await timings.measure("headers", () => getGuestFiles(loaded, plugins, context));
  const tools = { cache, guest, context };
  const kernel = await timings.measure("kernel", () => getBootImage(loaded, plugins, tools));
  const program = await timings.measure("program", () => getProgram(loaded, tools));
  output.clearProgress();
  return { loaded, plugins, kernel, program };
}

interface Tools {
  readonly cache: BuildCache;
  /** What a program may include; undefined where it has no use for it. */
  readonly guest: GuestFiles | undefined;
  readonly context: BuildContext;
}

async function getPlugins(loaded: LoadedManifest): Promise<NumberedPlugin[]> {
  if (loaded.manifest.plugin.length === 0) return [];
  return numberPlugins(loaded.dir, await loadPlugins(loaded));
}

/** The guest's side of the plugins, also written beside the manifest, where editors and other compilers find it. */
async function getGuestFiles(
  { manifest, dir, file }: LoadedManifest,
  plugins: readonly NumberedPlugin[],
  { keep }: BuildContext,
): Promise<GuestFiles | undefined> {
  if (plugins.length === 0 && !isCSource(manifest.program?.path ?? "")) return undefined;
  const { guestFiles, guestFolder, writeGuestFiles } = await import("./guest-files.js");
  const guest = guestFiles(guestInterface(plugins));
  const buildDir = join(dir, ".kvmkit");
  writeGuestFiles(buildDir, guestFolder(buildDir, file), guest, !keep);
  return guest;
}

async function getBootImage(
  loaded: LoadedManifest,
  plugins: readonly NumberedPlugin[],
  tools: Tools,
): Promise<Artefact> {
  const { boot, kernel, load = 0n } = loaded.manifest.vm;
  if (kernel === undefined) return getKernel(tools.cache, kernelRows(plugins));
  if (boot === "kvmkit" || !isSource(kernel)) return given(kernel);
  const bits = ({ real: 16, protected: 32, long: 64 } as const)[boot];
  return assembled("image", kernel, { ...tools, bits, options: `${bits} ${load}` }, async (assembly) => {
    checkOrigin(loaded, assembly.origin, load);
    return assembly.flat({ origin: load });
  });
}

async function getProgram({ manifest, dir }: LoadedManifest, tools: Tools): Promise<Artefact | undefined> {
  if (manifest.program === undefined) return undefined;
  const path = resolve(dir, manifest.program.path);
  if (manifest.vm.boot !== "kvmkit") return undefined;
  if (isCSource(path)) return compiled(path, manifest.program.cc ?? FREESTANDING_CC, dir, tools);
  if (!isSource(path)) return given(path);
  return assembled("program", path, { ...tools, bits: 64, options: "" }, async ({ object }) => {
    const { linkProgram } = await import("./toolchain.js");
    return linkProgram(object, relative(tools.context.userDir, path));
  });
}

/** NASM's `org` says where a source expects to lie. */
function checkOrigin({ problem }: LoadedManifest, origin: bigint, load: bigint): void {
  if (origin === 0n || origin === load) return;
  const message = `the source has org 0x${origin.toString(16)}, but it is loaded at 0x${load.toString(16)}`;
  throw new ManifestError([problem(["vm", "load"], "ERR_MANIFEST_CONFLICT", message)]);
}

type Assembly = import("@kvmkit/x86-asm").Assembly;

async function assembled(
  kind: string,
  path: string,
  tools: Tools & { readonly bits: 16 | 32 | 64; readonly options: string },
  finish: (assembly: Assembly) => Promise<Uint8Array>,
): Promise<Artefact> {
  const source = readInput(path);
  const { guest, cache, context, bits, options } = tools;
  const include = guest?.include[dialectOf(path)] ?? "";
  const key = contentKey(kind, TOOLCHAIN, options, path, source, include);
  return cache.get(`${kind}-${key}.${kind === "image" ? "bin" : "elf"}`, async () => {
    const { assembleSource } = await import("./toolchain.js");
    const generated = { "hypercalls.inc": include };
    const { assembly, inputs } = assembleSource(path, source, { userDir: context.userDir, bits, generated });
    return { bytes: await finish(assembly), inputs };
  });
}

async function compiled(
  path: string,
  command: readonly string[],
  dir: string,
  { cache, guest, context }: Tools,
): Promise<Artefact> {
  const { userDir, output } = context;
  const generated = guest!.files;
  const compiler = compilerIdentity(command[0]!, dir) ?? "";
  const headers = Object.entries(generated).filter(([name]) => name.endsWith(".h"));
  const parts = [JSON.stringify(command), compiler, path, readInput(path), ...headers.flat()];
  return cache.get(`program-${contentKey("compiled", ...parts)}.elf`, async () => {
    const { compileProgram } = await import("./toolchain.js");
    const { warnings, ...made } = compileProgram(path, { command, generated, dir, userDir });
    if (warnings !== "") output.diagnostic(warnings);
    return made;
  });
}

function given(path: string): Artefact {
  return { path, bytes: readInput(path), built: false };
}

function readInput(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError("ERR_CLI_IO", `${path} cannot be read: ${systemErrorText(error)}`, { cause: error });
  }
}
