/** `kvm exec`: one program with the default kernel, and what the command line grants. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { BuildCache } from "../build/cache.js";
import { getKernel, makeKernel } from "../build/kernel.js";
import { userCacheDir } from "../build/user-cache.js";
import type { ExecInvocation } from "../commands/exec.js";
import { formatDuration } from "../config/units.js";
import type { CommandHost } from "../define-command.js";
import { CliError, systemErrorText } from "../errors.js";
import { Timings } from "../report-timings.js";
import { machinePlugins } from "./machine-plugins.js";
import { runMachine } from "./run-machine.js";

const DEFAULT_MEMORY_BYTES = 64 * 2 ** 20;

export async function execProgram({ args, rest, options, host }: ExecInvocation): Promise<number> {
  const timings = new Timings();
  const [path, ...more] = args as [string, ...string[]];
  const image = readProgram(path, resolve(host.userDir, path));
  const kernel = await timings.measure("kernel", () => defaultKernel(host));
  const { accel = "auto", memory = DEFAULT_MEMORY_BYTES, timeout, cwd = "/" } = options;
  const status = await runMachine(
    {
      accel,
      memoryBytes: memory,
      boot: { protocol: "kvmkit", kernel },
      program: { image, path, args: [path, ...more, ...rest], env: Object.fromEntries(options.env), cwd },
      plugins: machinePlugins("kvmkit", { mounts: options.mount }, []),
      limits: { wallMs: timeout },
    },
    {
      output: host.output,
      timings,
      debug: options.debug,
      limitTexts: timeout === undefined ? {} : { wall: formatDuration(timeout) },
    },
  );
  if (options.timings) timings.print(host.output);
  return status;
}

/** Built once for each user; anew each time where nothing can be kept. */
async function defaultKernel({ env, output }: CommandHost): Promise<Uint8Array> {
  const dir = userCacheDir(env);
  if (dir === undefined) return makeKernel([]);
  const onMake = (name: string) => output.progress(`building ${name}`);
  const { bytes } = await getKernel(new BuildCache(dir, { optional: true, onMake }), []);
  output.clearProgress();
  return bytes;
}

/** Errors: CliError ERR_PROGRAM_NOT_FOUND (127), ERR_PROGRAM_REFUSED (126). */
function readProgram(shown: string, path: string): Uint8Array {
  try {
    if (statSync(path).isDirectory()) throw refused(shown, "it is a folder");
    return readFileSync(path);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new CliError("ERR_PROGRAM_NOT_FOUND", `${shown}: no such file`, { status: 127, cause: error });
    }
    throw refused(shown, systemErrorText(error), error);
  }
}

function refused(shown: string, reason: string, cause?: unknown): CliError {
  return new CliError("ERR_PROGRAM_REFUSED", `${shown}: ${reason}`, { status: 126, cause });
}
