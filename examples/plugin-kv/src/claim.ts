/**
 * One machine at a time has a database. The binding marks a locked file by a folder beside it, which a process that
 * was killed leaves behind; whoever claims the file next removes it, once its owner is gone.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";

/** Result: gives the file back. Errors: Error where a process that lives has it. */
export function claim(file: string): () => void {
  const path = `${file}.owner`;
  const owner = ownerOf(path);
  if (owner !== undefined) {
    if (isAlive(owner)) throw new Error(`${file} is in use by process ${owner} (${path})`);
    rmSync(path, { force: true });
    rmSync(`${file}.lock`, { recursive: true, force: true });
  }
  writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
  return () => rmSync(path, { force: true });
}

function ownerOf(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** kill(2) with signal 0 only asks. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
