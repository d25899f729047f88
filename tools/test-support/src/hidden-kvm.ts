/** Commands that run where there is no /dev/kvm, on a machine that has it: in a mount namespace with a /dev of its own. */
import { spawnSync } from "node:child_process";

/** Replaces /dev, and runs the arguments. The devices in it are those that any container has. */
const HIDE = `set -e
  dev=$(mktemp -d)
  mount -t tmpfs none "$dev"
  for name in null zero full random urandom; do
    : > "$dev/$name"
    mount --bind "/dev/$name" "$dev/$name"
  done
  mkdir "$dev/shm" "$dev/pts"
  ln -s /proc/self/fd "$dev/fd"
  ln -s fd/0 "$dev/stdin"
  ln -s fd/1 "$dev/stdout"
  ln -s fd/2 "$dev/stderr"
  mount --move "$dev" /dev
  rmdir "$dev"
  exec "$@"`;

/** The command line, for spawn() and its kin, of `command` without /dev/kvm (unshare(1), mount_namespaces(7)). */
export function withoutKvm(command: readonly string[]): [file: string, args: string[]] {
  return ["unshare", ["--mount", "sh", "-c", HIDE, "sh", ...command]];
}

/** Why a device cannot be hidden here: that takes Linux, and root. */
export function cannotHideKvm(): string | undefined {
  const [file, args] = withoutKvm(["test", "!", "-e", "/dev/kvm"]);
  const { status, stderr, error } = spawnSync(file, args, { encoding: "utf8" });
  if (status === 0) return undefined;
  return `/dev/kvm cannot be hidden: ${error?.message ?? stderr.trim().split("\n")[0] ?? "unshare failed"}`;
}
