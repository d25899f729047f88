/** Whether /dev/kvm can be used, and if not, why not and what helps. */
import { accessSync, closeSync, constants, openSync, readFileSync } from "node:fs";
import type { Finding } from "./findings.js";

export interface DeviceHost {
  readonly platform: string;
  readonly arch: string;
  /** Opens the device for reading and writing, or throws as node:fs does. */
  open(path: string): void;
  /** Whether the processor shows `vmx` or `svm`; undefined where that cannot be read. */
  hardwareFlag(): boolean | undefined;
  /** Whether this process runs in a container. */
  inContainer(): boolean;
}

export const DEVICE = "/dev/kvm";

export function examineDevice(host: DeviceHost): Finding {
  if (host.platform !== "linux" || host.arch !== "x64") {
    return {
      name: DEVICE,
      verdict: "missing",
      detail: `exists on Linux x64 only; this is ${host.platform} ${host.arch}`,
      remedies: ["Use a Linux x64 machine, or WSL 2 on Windows, which has /dev/kvm."],
    };
  }
  try {
    host.open(DEVICE);
    return { name: DEVICE, verdict: "ok", detail: "can be opened for reading and writing" };
  } catch (error) {
    return { name: DEVICE, verdict: "missing", ...explain((error as NodeJS.ErrnoException).code, host) };
  }
}

function explain(code: string | undefined, host: DeviceHost): Pick<Finding, "detail" | "remedies"> {
  if (code === "EACCES" || code === "EPERM") {
    return {
      detail: "exists, but this user may not open it",
      remedies: [
        "sudo usermod -aG kvm $USER, then log in again (the group is the one that `ls -l /dev/kvm` shows).",
        ...(host.inContainer() ? ["In a container: run it with --device /dev/kvm and that group."] : []),
      ],
    };
  }
  if (code === "ENOENT") return { detail: "does not exist", remedies: absentRemedies(host) };
  return {
    detail: `cannot be opened: ${code ?? "unknown error"}`,
    remedies: absentRemedies(host),
  };
}

function absentRemedies(host: DeviceHost): string[] {
  const remedies: string[] = [];
  if (host.inContainer()) remedies.push("In a container: run it with --device /dev/kvm.");
  if (host.hardwareFlag() === false) {
    remedies.push(
      "The processor shows neither vmx nor svm: switch virtualization on in the firmware, or nested virtualization in the hypervisor that this machine runs under.",
    );
  } else {
    remedies.push("Load the driver: sudo modprobe kvm_intel, or kvm_amd.");
  }
  return remedies;
}

/** This machine. */
export const thisHost: DeviceHost = {
  platform: process.platform,
  arch: process.arch,
  open: (path) => closeSync(openSync(path, "r+")),
  hardwareFlag() {
    try {
      return /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
    } catch {
      return undefined;
    }
  },
  inContainer: () => ["/.dockerenv", "/run/.containerenv"].some(exists),
};

function exists(path: string): boolean {
  try {
    accessSync(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}
