/** The ELF files of a system, once per inode, by path. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec"].map((name) => `/usr/${name}`);
const MAGIC = 0x7f454c46;

/** Folders default to those that hold a system's programs and libraries. */
export function systemElfFiles(folders = FOLDERS) {
  const seen = new Set();
  const found = [];
  const visit = (folder) => {
    for (const entry of list(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && isElf(path)) {
        const { dev, ino } = statSync(path, { bigint: true });
        if (!seen.has(`${dev}:${ino}`)) found.push(path);
        seen.add(`${dev}:${ino}`);
      }
    }
  };
  for (const folder of folders) visit(folder);
  return found.sort();
}

function list(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isElf(path) {
  try {
    const fd = openSync(path, "r");
    const head = Buffer.alloc(4);
    readSync(fd, head, 0, 4, 0);
    closeSync(fd);
    return head.readUInt32BE(0) === MAGIC;
  } catch {
    return false;
  }
}
