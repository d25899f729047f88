/** Files that are either whole or not there, for readers and for writers at the same time. */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { CliError, systemErrorText } from "../errors.js";

/**
 * Writes a file under a name of its own beside `path`, then renames it: rename(2) replaces atomically.
 * Errors: CliError ERR_CLI_IO.
 */
export function writeFileAtomically(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(temporary, "wx", 0o644);
    try {
      writeAll(fd, typeof content === "string" ? Buffer.from(content) : content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw new CliError("ERR_CLI_IO", `${path} cannot be written: ${systemErrorText(error)}`, {
      cause: error,
    });
  }
}

/** The error that is on its way says more than one of cleaning up. */
function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
