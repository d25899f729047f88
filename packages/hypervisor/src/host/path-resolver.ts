/**
 * From a guest's path to a file: component by component, through mounts and links, as path_resolution(7) says.
 *
 * `..` and links are worked out in the guest's own tree of names, so they lead where the guest's root and mounts lead,
 * and never to a name of the host that was not mounted.
 */
import { errno } from "./errno.js";
import type { FileNode, Mount } from "./file-system.js";

/** A file that was found, and where: what creating or removing it needs. */
export interface Resolved {
  /** Undefined where only the last component is missing. */
  readonly node: FileNode | undefined;
  readonly parent: FileNode;
  /** The last component; empty where the path is a root. */
  readonly name: string;
  /** Absolute path of the guest, without links. */
  readonly path: string;
  readonly readOnly: boolean;
  /** The path ended in a slash, or in `.` or `..`: only a directory will do. */
  readonly mustBeDirectory: boolean;
}

/** NAME_MAX, PATH_MAX without its NUL, and how many links one resolution follows (path_resolution(7)). */
const NAME_MAX = 255;
const PATH_MAX = 4095;
const LINKS_MAX = 40;

interface Place {
  readonly name: string;
  readonly node: FileNode;
  readonly mount: Mount;
}

export class PathResolver {
  readonly #mounts: ReadonlyMap<string, Mount>;

  /** `mounts` has one at `/`. */
  constructor(mounts: readonly Mount[]) {
    this.#mounts = new Map(mounts.map((mount) => [mount.path, mount]));
  }

  /**
   * Finds `path`, relative to the guest directory `base`, and calls `use` with it; what was found is given back after.
   * Errors: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES; what `use` throws.
   */
  with<T>(base: string, path: string, followLast: boolean, use: (resolved: Resolved) => T): T {
    const walk = new Walk(this.#mounts);
    try {
      return use(walk.resolve(base, path, followLast));
    } finally {
      walk.close();
    }
  }
}

class Walk {
  readonly #mounts: ReadonlyMap<string, Mount>;
  readonly #places: Place[];
  /** Nodes that this walk looked up, and must give back; the roots of mounts are not its own. */
  readonly #owned: FileNode[] = [];
  #links = 0;

  constructor(mounts: ReadonlyMap<string, Mount>) {
    this.#mounts = mounts;
    const root = mounts.get("/")!;
    this.#places = [{ name: "", node: root.root, mount: root }];
  }

  resolve(base: string, path: string, followLast: boolean): Resolved {
    if (path === "") throw errno("ENOENT");
    if (path.length > PATH_MAX) throw errno("ENAMETOOLONG");
    const pending = componentsOf(path.startsWith("/") ? path : `${base}/${path}`).reverse();
    const mustBeDirectory = /(^|\/)\.{0,2}$/.test(path);
    while (pending.length > 0) {
      const name = pending.pop()!;
      const isLast = pending.length === 0;
      if (name === "..") {
        if (this.#places.length > 1) this.#places.pop();
        continue;
      }
      const found = this.#lookup(name, isLast);
      if (found === undefined) return this.#resolved(undefined, name, mustBeDirectory);
      if (found.node.kind === "symlink" && (!isLast || followLast || mustBeDirectory)) {
        this.#follow(found.node, pending);
      } else {
        if (!isLast && found.node.kind !== "directory") throw errno("ENOTDIR");
        this.#places.push(found);
      }
    }
    const last = this.#places.at(-1)!;
    if (this.#places.length > 1) this.#places.pop();
    if (mustBeDirectory && last.node.kind !== "directory") throw errno("ENOTDIR");
    return this.#resolved(last, last.name, mustBeDirectory);
  }

  close(): void {
    for (const node of this.#owned) node.close();
  }

  #resolved(last: Place | undefined, name: string, mustBeDirectory: boolean): Resolved {
    const parent = this.#places.at(-1)!;
    return {
      node: last?.node,
      parent: parent.node,
      name,
      path: last === parent ? this.#path() : this.#path(name),
      readOnly: (last ?? parent).mount.readOnly,
      mustBeDirectory,
    };
  }

  #lookup(name: string, mayBeMissing: boolean): Place | undefined {
    if (name.length > NAME_MAX) throw errno("ENAMETOOLONG");
    const { node: directory, mount } = this.#places.at(-1)!;
    const mounted = this.#mounts.get(this.#path(name));
    if (mounted !== undefined) return { name, node: mounted.root, mount: mounted };
    if (directory.kind !== "directory") throw errno("ENOTDIR");
    try {
      const node = directory.lookup(name);
      this.#owned.push(node);
      return { name, node, mount };
    } catch (error) {
      if (mayBeMissing && error === errno("ENOENT")) return undefined;
      throw error;
    }
  }

  #follow(link: FileNode, pending: string[]): void {
    if (++this.#links > LINKS_MAX) throw errno("ELOOP");
    const target = link.readlink();
    if (target === "") throw errno("ENOENT");
    if (target.startsWith("/")) this.#places.length = 1;
    pending.push(...componentsOf(target).reverse());
  }

  #path(...more: string[]): string {
    return `/${[...this.#places.slice(1).map(({ name }) => name), ...more].join("/")}`;
  }
}

const componentsOf = (path: string): string[] =>
  path.split("/").filter((name) => name !== "" && name !== ".");
