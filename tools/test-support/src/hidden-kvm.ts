/** Commands that run where there is no /dev/kvm, on a machine that has it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../../scripts/without-kvm", import.meta.url));

/** The command line, for spawn() and its kin, of `command` without /dev/kvm. */
export function withoutKvm(command: readonly string[]): [file: string, args: string[]] {
  return [SCRIPT, [...command]];
}

/** Why a device cannot be hidden here: that takes Linux, and root. */
export function cannotHideKvm(): string | undefined {
  const [file, args] = withoutKvm(["test", "!", "-e", "/dev/kvm"]);
  const { status, stderr, error } = spawnSync(file, args, { encoding: "utf8" });
  if (status === 0) return undefined;
  return `/dev/kvm cannot be hidden: ${error?.message ?? stderr.trim().split("\n")[0]}`;
}
