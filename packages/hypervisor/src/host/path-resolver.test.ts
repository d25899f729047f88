import test from "ava";
import { Errno } from "./errno.js";
import type { FileNode } from "./file-system.js";
import { MemoryBudget, MemoryDirectory } from "./memory-file-system.js";
import { PathResolver } from "./path-resolver.js";

/** A tree from an object: strings are files, arrays are links, objects are directories. */
type Tree = { readonly [name: string]: string | readonly [string] | Tree };

class TestNode implements FileNode {
  readonly kind: FileNode["kind"];
  readonly id: string;
  readonly #content: Tree[string];
  static open = 0;

  constructor(id: string, content: Tree[string]) {
    this.id = id;
    this.#content = content;
    this.kind = typeof content === "string" ? "file" : Array.isArray(content) ? "symlink" : "directory";
    TestNode.open++;
  }

  lookup(name: string): FileNode {
    const child = (this.#content as Tree)[name];
    if (child === undefined) throw missing();
    return new TestNode(`${this.id}/${name}`, child);
  }

  readlink(): string {
    return (this.#content as readonly [string])[0];
  }

  close(): void {
    TestNode.open--;
  }

  stat = unused;
  open = unused;
  create = unused;
  unlink = unused;
}

function unused(): never {
  throw new Error("not used");
}

function missing(): Error {
  try {
    return new MemoryDirectory(new MemoryBudget(0)).lookup("x") as never;
  } catch (error) {
    return error as Error;
  }
}

const root: Tree = {
  etc: { "os-release": ["../usr/lib/os-release"], hosts: "hosts" },
  usr: { lib: { "os-release": "os" } },
  loop: ["loop"],
  a: ["b"],
  b: ["a"],
  abs: ["/etc/hosts"],
  dir: ["etc"],
  out: ["../../../../etc/hosts"],
  empty: [""],
  data: {},
};
const data: Tree = { "in.txt": "in", up: ["../etc/hosts"], top: ["/etc/hosts"], sub: { deep: "deep" } };

function resolve(path: string, { base = "/", follow = true } = {}): string {
  const resolver = new PathResolver([
    { path: "/", root: new TestNode("root", root), readOnly: true },
    { path: "/data", root: new TestNode("data", data), readOnly: false },
  ]);
  try {
    return resolver.with(base, path, follow, ({ node, path: found, readOnly }) => {
      return `${(node as TestNode | undefined)?.id ?? "missing"} ${found}${readOnly ? "" : " rw"}`;
    });
  } catch (error) {
    if (error instanceof Errno) return error.errno;
    throw error;
  }
}

const paths: [string, string][] = [
  ["/", "root /"],
  ["//etc///hosts", "root/etc/hosts /etc/hosts"],
  ["/etc/./hosts", "root/etc/hosts /etc/hosts"],
  ["/etc/../etc/hosts", "root/etc/hosts /etc/hosts"],
  ["/../../etc/hosts", "root/etc/hosts /etc/hosts"],
  ["/etc/os-release", "root/usr/lib/os-release /usr/lib/os-release"],
  ["/abs", "root/etc/hosts /etc/hosts"],
  ["/out", "root/etc/hosts /etc/hosts"],
  ["/dir/hosts", "root/etc/hosts /etc/hosts"],
  ["/loop", "ELOOP"],
  ["/a/x", "ELOOP"],
  ["/empty", "ENOENT"],
  ["", "ENOENT"],
  ["/nothing", "missing /nothing"],
  ["/nothing/x", "ENOENT"],
  ["/nothing/../etc", "ENOENT"],
  ["/etc/hosts/x", "ENOTDIR"],
  ["/etc/hosts/..", "ENOTDIR"],
  ["/etc/hosts/", "ENOTDIR"],
  ["/etc/", "root/etc /etc"],
  ["/data", "data /data rw"],
  ["/data/in.txt", "data/in.txt /data/in.txt rw"],
  ["/data/up", "root/etc/hosts /etc/hosts"],
  ["/data/top", "root/etc/hosts /etc/hosts"],
  ["/data/..", "root /"],
  ["/data/sub/../../etc/hosts", "root/etc/hosts /etc/hosts"],
  ["/data/new", "missing /data/new rw"],
  [`/${"x".repeat(256)}`, "ENAMETOOLONG"],
  [`/${"x/".repeat(2100)}`, "ENAMETOOLONG"],
];

for (const [path, expected] of paths) {
  test(`PathResolver: ${path.slice(0, 40) || "the empty path"} is ${expected} (path_resolution(7))`, (t) => {
    t.is(resolve(path), expected);
  });
}

test("PathResolver: relative paths start at the base, links at the directory that holds them", (t) => {
  t.is(resolve("hosts", { base: "/etc" }), "root/etc/hosts /etc/hosts");
  t.is(resolve("os-release", { base: "/etc" }), "root/usr/lib/os-release /usr/lib/os-release");
  t.is(resolve("sub/deep", { base: "/data" }), "data/sub/deep /data/sub/deep rw");
  t.is(resolve(".", { base: "/data/sub" }), "data/sub /data/sub rw");
});

test("PathResolver: the last link is kept where it is not to be followed, unless a slash follows", (t) => {
  t.is(resolve("/etc/os-release", { follow: false }), "root/etc/os-release /etc/os-release");
  t.is(resolve("/dir/", { follow: false }), "root/etc /etc");
});

test("PathResolver: every node that was looked up is closed, whatever happened", (t) => {
  TestNode.open = 0;
  for (const [path] of paths) resolve(path);
  t.is(TestNode.open, 2 * paths.length);
});
