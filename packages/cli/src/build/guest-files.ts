/** The guest's side of a manifest's plugins as files: what programs include, and a page to read. */
import { mkdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import {
  assemblerInclude,
  cHeader,
  cStartHeader,
  type GuestInterface,
  markdownPage,
  rustModule,
} from "@kvmkit/hypervisor/codegen";
import { CliError } from "../errors.js";
import { writeFileAtomically } from "./atomic-file.js";
import { ignoreInGit } from "./cache.js";

export interface GuestFiles {
  /** By name, for C compilers and for people. */
  readonly files: Readonly<Record<string, string>>;
  /** `hypercalls.inc` as each dialect of our assembler reads it. */
  readonly include: { readonly gas: string; readonly nasm: string };
}

export function guestFiles(plugins: GuestInterface): GuestFiles {
  const include = { gas: assemblerInclude(plugins), nasm: assemblerInclude(plugins, "nasm") };
  return {
    files: {
      "freestanding.h": cStartHeader(),
      "hypercalls.h": cHeader(plugins),
      "hypercalls.inc": include.gas,
      "hypercalls.md": markdownPage(plugins),
      "hypercalls.rs": rustModule(plugins),
    },
    include,
  };
}

/** Where the files of a manifest lie: another manifest beside it may grant other hypercalls. */
export function guestFolder(buildDir: string, manifest: string): string {
  const name = basename(manifest, extname(manifest));
  return join(buildDir, name === "vm" ? "include" : `include.${name}`);
}

/**
 * Writes what is not there yet; a file that is as it should be keeps its time, so that no other build tool sees it change.
 * Errors: CliError ERR_CLI_IO, unless `optional`.
 */
export function writeGuestFiles(
  buildDir: string,
  folder: string,
  { files }: GuestFiles,
  optional: boolean,
): void {
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      if (textOf(path) === text) continue;
      mkdirSync(folder, { recursive: true });
      ignoreInGit(buildDir);
      writeFileAtomically(path, text);
    }
  } catch (error) {
    if (optional) return;
    if (error instanceof CliError) throw error;
    throw new CliError("ERR_CLI_IO", `${folder} cannot be made: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
