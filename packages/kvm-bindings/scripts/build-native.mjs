/**
 * Compiles the native part, unless the binary that is there was made of the same sources.
 *
 *   node scripts/build-native.mjs             fails when it cannot (turbo's build)
 *   node scripts/build-native.mjs --install   says so and succeeds (npm install)
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceHash } from "./source-hash.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const installing = process.argv.includes("--install");

process.exit(main());

function main() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    say(`no KVM on ${process.platform}-${process.arch}; nothing to build`);
    return 0;
  }
  if (installing && prebuildLoads()) return 0;
  if (upToDate()) return 0;
  const failure = compile();
  if (failure === undefined) return 0;
  say(failure);
  if (!installing) return 1;
  say(
    "installed without its native part; with g++, make and python3 installed, run " +
      "`npm rebuild @kvmkit/kvm-bindings`",
  );
  return 0;
}

function say(text) {
  process.stderr.write(`@kvmkit/kvm-bindings: ${text}\n`);
}

/** A packed prebuild makes the compiler unnecessary; it is tried in a process of its own. */
function prebuildLoads() {
  if (!existsSync(join(root, "prebuilds"))) return false;
  const load = "require('node-gyp-build')(process.argv[1])";
  return spawnSync(process.execPath, ["-e", load, root], { cwd: root, stdio: "ignore" }).status === 0;
}

function upToDate() {
  const binary = join(root, "build/Release/kvm_bindings.node");
  return existsSync(binary) && readFileSync(binary).includes(`kvmkit-source:${sourceHash()}`);
}

/** Why it failed, with the compiler's words, or undefined. */
function compile() {
  const [command, ...args] = nodeGyp();
  const { status, error, stdout, stderr } = spawnSync(command, [...args, "rebuild", ...headers()], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
  if (error) return `node-gyp cannot be started: ${error.message}`;
  return status === 0 ? undefined : `${stdout}${stderr}\nnode-gyp ended with ${status}`;
}

/** Our own node-gyp, the one that npm hands to install scripts, or the one on the PATH. */
function nodeGyp() {
  try {
    return [process.execPath, require.resolve("node-gyp/bin/node-gyp.js")];
  } catch {
    const npms = process.env.npm_config_node_gyp;
    return npms === undefined ? ["node-gyp"] : [process.execPath, npms];
  }
}

/** The headers beside the running node, where it brought them: nothing to download then. */
function headers() {
  const prefix = join(dirname(process.execPath), "..");
  return existsSync(join(prefix, "include/node/common.gypi")) ? [`--nodedir=${prefix}`] : [];
}
