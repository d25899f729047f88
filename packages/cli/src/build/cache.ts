/**
 * What a build made, by the hash of all that went into it: `kernel-<key>.elf` and beside it `kernel-<key>.json`
 * with the hash of the content. An entry whose two halves disagree (a torn disk, an editor) is not there.
 *
 * Both files are written whole or not at all, the record last. Two builds of the same key write the same bytes,
 * so they need no lock.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "./atomic-file.js";

export interface Artefact {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Whether it was made just now. */
  readonly built: boolean;
}

interface Entry {
  readonly sha256: string;
}

const KEY_DIGITS = 16;

/** A hash over parts of which none can be mistaken for another: each goes in with its length. */
export function contentKey(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex").slice(0, KEY_DIGITS);
}

export class BuildCache {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** The artefact of this key; `make` runs only where it is missing or damaged. */
  async get(kind: string, key: string, make: () => Promise<Uint8Array>): Promise<Artefact> {
    const path = join(this.dir, `${kind}-${key}.elf`);
    const known = this.#read(path);
    if (known !== undefined) return { path, bytes: known, built: false };
    const bytes = await make();
    this.#ignoreInGit();
    writeFileAtomically(path, bytes);
    writeFileAtomically(recordOf(path), `${JSON.stringify({ sha256: sha256(bytes) } satisfies Entry)}\n`);
    return { path, bytes, built: true };
  }

  #read(path: string): Uint8Array | undefined {
    try {
      const entry = JSON.parse(readFileSync(recordOf(path), "utf8")) as Partial<Entry> | null;
      const bytes = readFileSync(path);
      return entry?.sha256 === sha256(bytes) ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** The folder ignores itself, so that no one has to edit a .gitignore. */
  #ignoreInGit(): void {
    const path = join(this.dir, ".gitignore");
    if (!existsSync(path)) writeFileAtomically(path, "*\n");
  }
}

function recordOf(path: string): string {
  return path.replace(/\.elf$/, ".json");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
