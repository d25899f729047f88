import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** This package as it is installed, without its native part. */
function packageWithoutBinary(t: ExecutionContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "kvm-bindings-load-")));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const part of ["package.json", "binding.gyp", "dist", "native", "scripts"])
    cpSync(join(root, part), join(directory, part), { recursive: true });
  mkdirSync(join(directory, "node_modules"));
  for (const name of ["node-gyp", "node-gyp-build", "node-addon-api"])
    symlinkSync(realpathSync(join(root, "node_modules", name)), join(directory, "node_modules", name));
  return directory;
}

/** Imports the package in a process of its own, on a platform of our choice, and opens /dev/kvm. */
function openFrom(directory: string, platform: string): string {
  const index = pathToFileURL(join(directory, "dist/index.js")).href;
  const script = `
    Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });
    const { Kvm, GuestMemory, StopSource, hostIo } = await import(${JSON.stringify(index)});
    for (const use of [() => Kvm.open(), () => GuestMemory.allocate(4096), () => new StopSource(), () => hostIo.sleep(1)])
      try { use(); console.log("done"); } catch ({ name, code, message, remedy }) {
        console.log(name, code, message, /g[+][+] make python3/.test(remedy));
      }`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  return stdout + stderr;
}

test("without its binary the package imports, and its use is ERR_KVM_NATIVE_MISSING with the remedy", (t) => {
  const lines = openFrom(packageWithoutBinary(t), "linux").trimEnd().split("\n");
  t.is(lines.length, 4);
  for (const line of lines)
    t.regex(line, /^KvmError ERR_KVM_NATIVE_MISSING .* is not available on linux-.* true$/);
});

for (const platform of ["darwin", "win32"])
  test(`on ${platform} the package imports, and its use is ERR_KVM_NATIVE_MISSING`, (t) => {
    const lines = openFrom(root, platform).trimEnd().split("\n");
    t.is(lines.length, 4);
    for (const line of lines)
      t.regex(line, new RegExp(`^KvmError ERR_KVM_NATIVE_MISSING .* on ${platform}-`));
  });

/** Where no compiler can be found. */
function build(directory: string, ...args: readonly string[]) {
  return spawnSync(process.execPath, ["scripts/build-native.mjs", ...args], {
    cwd: directory,
    encoding: "utf8",
    env: { PATH: "/nonexistent" },
  });
}

test("the install script never fails an installation, and says what is missing", (t) => {
  const { status, stderr } = build(packageWithoutBinary(t), "--install");
  t.is(status, 0);
  t.regex(
    stderr,
    /installed without its native part; with g\+\+, make and python3 installed, run `npm rebuild/,
  );
});

test("the build fails where it cannot build", (t) => {
  const { status, stderr } = build(packageWithoutBinary(t));
  t.is(status, 1);
  t.regex(stderr, /@kvmkit\/kvm-bindings: .*node-gyp ended with 1/s);
});

test("a packed prebuild makes the compiler unnecessary", (t) => {
  const directory = packageWithoutBinary(t);
  const prebuilds = join(directory, "prebuilds/linux-x64");
  mkdirSync(prebuilds, { recursive: true });
  cpSync(join(root, "build/Release/kvm_bindings.node"), join(prebuilds, "@kvmkit+kvm-bindings.node"));
  const { status, stderr } = build(directory, "--install");
  t.is(status, 0);
  t.is(stderr, "", "nothing was tried");
  t.regex(openFrom(directory, "linux"), /done\n$/);
});
