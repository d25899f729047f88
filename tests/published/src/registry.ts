/**
 * A package registry on loopback with what the tests install: our packed packages, and the few others that they and a
 * new project need, taken from this workspace's own installation. Nothing is downloaded, and the versions are fixed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { repository } from "./pack.js";

export interface Registry {
  readonly url: string;
  /** What npm needs in its environment to install from here only; the cache is the caller's to choose. */
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

interface Tarball {
  readonly manifest: { readonly name: string; readonly version: string };
  readonly bytes: Buffer;
}

/** Packages that are not ours, and from which of the workspace's folders each is found. */
const OTHERS: readonly (readonly [name: string, from: string])[] = [
  ["typescript", repository],
  ["@types/node", join(repository, "tests/published")],
  ["undici-types", join(repository, "tests/published/node_modules/@types/node")],
  ["node-gyp-build", join(repository, "packages/kvm-bindings")],
  ["node-addon-api", join(repository, "packages/kvm-bindings")],
];

/** Serves the tarballs in `folder`. */
export async function startRegistry(folder: string): Promise<Registry> {
  const tarballs = new Map<string, Tarball>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".tgz"))) {
    const tarball = ours(join(folder, file));
    tarballs.set(tarball.manifest.name, tarball);
  }
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "/").slice(1);
    const tarball = tarballs.get(path.replace(/\.tgz$/, "")) ?? installed(path, tarballs);
    if (tarball === undefined) response.writeHead(404).end("{}");
    else if (path.endsWith(".tgz")) response.end(tarball.bytes);
    else response.end(JSON.stringify(packument(tarball, url)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const env = {
    npm_config_registry: url,
    npm_config_noproxy: "127.0.0.1",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_yes: "true",
    npm_config_update_notifier: "false",
  };
  return { url, env, close: () => void server.close() };
}

/** Registry API, "package metadata": what an install reads of it. */
function packument({ manifest, bytes }: Tarball, url: string): unknown {
  const { name, version } = manifest;
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const dist = { tarball: `${url}${name}.tgz`, integrity };
  return { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
}

function ours(path: string): Tarball {
  const { stdout } = spawnSync("tar", ["xzfO", path, "package/package.json"], { encoding: "utf8" });
  return { manifest: JSON.parse(stdout), bytes: readFileSync(path) };
}

/** A package of the workspace's installation, packed when it is first asked for. */
function installed(name: string, tarballs: Map<string, Tarball>): Tarball | undefined {
  const from = OTHERS.find(([other]) => other === name)?.[1];
  if (from === undefined) return undefined;
  const manifestPath = createRequire(join(realpathSync(from), "package.json")).resolve(
    `${name}/package.json`,
  );
  const args = ["--exclude=./node_modules", "--transform", "s,^\\.,package,", "-C", dirname(manifestPath)];
  const compress = ["--use-compress-program", "gzip -1"];
  const { status, stdout, stderr } = spawnSync("tar", ["-c", ...compress, ...args, "."], {
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr.toString());
  const { devDependencies: _, ...manifest } = JSON.parse(readFileSync(manifestPath, "utf8"));
  const tarball = { manifest, bytes: stdout };
  tarballs.set(name, tarball);
  return tarball;
}
