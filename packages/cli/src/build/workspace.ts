/** The manifests that a workspace's patterns name. */
import { type Dirent, existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Existing files that match `pattern`, sorted. `*` stands for any part of one name in the path; like a shell,
 * it does not match a leading dot.
 */
export function matchMembers(dir: string, pattern: string): string[] {
  let folders = [resolve(dir)];
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    folders = folders.flatMap((folder) =>
      part.includes("*") ? matching(folder, part) : [join(folder, part)],
    );
  }
  return folders.filter((path) => existsSync(path)).sort();
}

function matching(folder: string, part: string): string[] {
  const escaped = part.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const name = new RegExp(`^(?!\\.)${escaped.join("[^/]*")}$`);
  return listFolder(folder)
    .filter((entry) => name.test(entry.name))
    .map((entry) => join(folder, entry.name));
}

function listFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
