/** Options that `kvm exec` and `kvm run` share with the manifest: same names, same types, same words. */
import { ACCELERATORS, memorySize } from "../config/schema.js";
import { duration, guestPath, hostPath, oneOf, type ValueType } from "../config/value-types.js";
import type { OptionRows } from "../define-command.js";

export interface MountOption {
  readonly guest: string;
  /** Absolute. */
  readonly host: string;
  readonly mode: "ro" | "rw";
}

/** HOST:GUEST[:ro|rw]; a host path may contain colons, a guest path may not. */
export function mountOption(): ValueType<MountOption> {
  const allowed = `HOST:GUEST[:ro|rw], such as "./data:/data:ro"`;
  return {
    allowed,
    jsonSchema: { type: "string" },
    read(found, place) {
      const match = /^(.+?):(\/[^:]*)(?::(.*))?$/.exec(String(found));
      if (match === null) return place.problem("ERR_CLI_USAGE", `not ${allowed}`);
      const [, from, to, mode = "ro"] = match;
      const host = hostPath("file or folder").read(from, place);
      const guest = guestPath().read(to, place);
      if (mode !== "ro" && mode !== "rw") return place.problem("ERR_CLI_USAGE", `not ${allowed}`);
      return host === undefined || guest === undefined ? undefined : { host, guest, mode };
    },
  };
}

/** NAME=VALUE, as env(1) takes them. */
export function environmentOption(): ValueType<readonly [string, string]> {
  const allowed = "NAME=VALUE";
  return {
    allowed,
    jsonSchema: { type: "string" },
    read(found, place) {
      const match = /^([^=]+)=(.*)$/s.exec(String(found));
      return match === null ? place.problem("ERR_CLI_USAGE", `not ${allowed}`) : [match[1]!, match[2]!];
    },
  };
}

export const ACCEL_OPTION = {
  accel: {
    doc: "What runs the guest: kvm, soft, or auto for the first that is usable.",
    value: { name: "auto|kvm|soft", type: oneOf(ACCELERATORS) },
  },
} as const satisfies OptionRows;

export const TIMEOUT_OPTION = {
  timeout: {
    doc: "End the run after this time, with exit status 124.",
    value: { name: "DURATION", type: duration() },
  },
} as const satisfies OptionRows;

export const MEMORY_OPTION = {
  memory: { doc: "Guest memory.", value: { name: "SIZE", type: memorySize } },
} as const satisfies OptionRows;

export const TIMINGS_OPTION = {
  timings: { doc: "Print on stderr how long each phase took." },
} as const satisfies OptionRows;
