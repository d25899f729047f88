/** Our packages as they are published: tarballs in a folder of the test's own. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";

export const repository = join(dirname(fileURLToPath(import.meta.url)), "../../..");
export const packages: readonly string[] = readdirSync(join(repository, "packages"));

/** Packs a package into `folder`. */
export function pack(t: ExecutionContext, name: string, folder: string): void {
  const pnpm = createRequire(join(repository, "package.json")).resolve("pnpm");
  const program = join(dirname(pnpm), "bin/pnpm.cjs");
  const cwd = join(repository, "packages", name);
  run(t, process.execPath, [program, "pack", "--pack-destination", folder], cwd);
}

/** Puts the compiled addon into a tarball, as a release has it: an install then compiles nothing. */
export function addPrebuild(t: ExecutionContext, tarball: string): void {
  const folder = `${tarball}.unpacked`;
  mkdirSync(folder);
  run(t, "tar", ["xzf", tarball, "-C", folder], folder);
  const prebuilds = join(folder, "package/prebuilds/linux-x64");
  mkdirSync(prebuilds, { recursive: true });
  const built = join(repository, "packages/kvm-bindings/build/Release/kvm_bindings.node");
  cpSync(built, join(prebuilds, "kvm_bindings.napi.node"));
  run(t, "tar", ["czf", tarball, "-C", folder, "package"], folder);
  rmSync(folder, { recursive: true });
}

export function run(t: ExecutionContext, command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  t.is(status, 0, `${command} ${args.join(" ")}\n${error ?? ""}${stdout}${stderr}`);
  return stdout;
}
