/**
 * What a build made, by the hash of what went into it: `program-<key>.elf`, and beside it `program-<key>.json` with
 * the hash of the content and of every further file that was read on the way. An entry that does not agree with
 * its record (a torn disk, an editor, a changed include file) is not there.
 *
 * Both files are written whole or not at all, the record last. Two builds of the same inputs write the same bytes,
 * so they need no lock.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../errors.js";
import { writeFileAtomically } from "./atomic-file.js";

export interface Artefact {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Whether it was made just now. */
  readonly built: boolean;
}

export interface Made {
  readonly bytes: Uint8Array;
  /** Files that were read to make it and are not part of the key; absolute paths. */
  readonly inputs?: ReadonlyMap<string, Uint8Array>;
}

interface EntryRecord {
  readonly sha256: string;
  readonly inputs: Readonly<Record<string, string>>;
}

const KEY_DIGITS = 16;
const KEEP_MS = 30 * 24 * 3_600_000;

/** A hash over parts of which none can be mistaken for another: each goes in with its length. */
export function contentKey(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex").slice(0, KEY_DIGITS);
}

export interface CacheOptions {
  /** Where nothing can be written, things are made anew each time instead of failing. */
  readonly optional?: boolean;
  /** Called before something is made, with its name. */
  readonly onMake?: (name: string) => void;
}

export class BuildCache {
  readonly dir: string;
  readonly #options: CacheOptions;

  constructor(dir: string, options: CacheOptions = {}) {
    this.dir = dir;
    this.#options = options;
  }

  /** The artefact `name` (`kernel-<key>.elf`); `make` runs only where it is missing, damaged or out of date. */
  async get(name: string, make: () => Promise<Made>): Promise<Artefact> {
    const path = join(this.dir, name);
    const known = readEntry(path);
    if (known !== undefined) return { path, bytes: known, built: false };
    this.#options.onMake?.(name);
    const made = await make();
    try {
      this.#store(path, made);
    } catch (error) {
      if (!(this.#options.optional && error instanceof CliError)) throw error;
    }
    return { path, bytes: made.bytes, built: true };
  }

  /** Errors: CliError ERR_CLI_IO. */
  #store(path: string, { bytes, inputs = new Map() }: Made): void {
    ignoreInGit(this.dir);
    writeFileAtomically(path, bytes);
    const record: EntryRecord = {
      sha256: sha256(bytes),
      inputs: Object.fromEntries([...inputs].map(([file, content]) => [file, sha256(content)])),
    };
    writeFileAtomically(recordOf(path), `${JSON.stringify(record)}\n`);
    this.#forgetOld();
  }

  /** A folder that only grew would be noticed some day. What is still needed is made again. */
  #forgetOld(): void {
    const oldest = Date.now() - KEEP_MS;
    const entries = readdirSync(this.dir, { withFileTypes: true });
    for (const { name } of entries.filter((entry) => entry.isFile() && entry.name !== ".gitignore")) {
      const path = join(this.dir, name);
      const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? oldest;
      if (made < oldest) rmSync(path, { force: true });
    }
  }
}

/** The folder ignores itself, so that no one has to edit a .gitignore. */
export function ignoreInGit(dir: string): void {
  const path = join(dir, ".gitignore");
  if (!existsSync(path)) writeFileAtomically(path, "*\n");
}

function readEntry(path: string): Uint8Array | undefined {
  try {
    const record = JSON.parse(readFileSync(recordOf(path), "utf8")) as EntryRecord;
    const bytes = readFileSync(path);
    const isCurrent = Object.entries(record.inputs).every(
      ([file, hash]) => sha256(readFileSync(file)) === hash,
    );
    return isCurrent && record.sha256 === sha256(bytes) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function recordOf(path: string): string {
  return path.replace(/\.[a-z]+$/, ".json");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
