/** `kvm doctor`: every finding about this machine, ending with a guest that really ran. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { createVm, VmError } from "@kvmkit/hypervisor";
import { userCacheDir } from "../build/user-cache.js";
import type { Invocation } from "../define-command.js";
import { version } from "../version.js";
import { type Finding, renderFindings } from "./findings.js";
import { examineDevice, thisHost } from "./kvm-device.js";

export async function examineHost({ host }: Invocation<Record<never, never>>): Promise<number> {
  const accelerators = [await examineAccelerator("kvm"), await examineAccelerator("soft")];
  const auto = accelerators.find(({ verdict }) => verdict === "ok");
  const findings = [
    examineNode(process.versions.node),
    examineDevice(thisHost),
    ...accelerators,
    examineAuto(auto),
    examineCache(userCacheDir(host.env)),
  ];
  const canRun = auto !== undefined;
  if (host.output.json) {
    host.output.resultJson({ version: version(), canRun, findings });
  } else {
    host.output.result(`kvmkit ${version()}\n${renderFindings(findings)}`);
  }
  return canRun ? 0 : 125;
}

const OLDEST_NODE = [20, 12] as const;

export function examineNode(found: string): Finding {
  const [major = 0, minor = 0] = found.split(".").map(Number);
  const isEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const name = "Node.js";
  if (isEnough) return { name, verdict: "ok", detail: found };
  return {
    name,
    verdict: "missing",
    detail: found,
    remedies: [`Install ${OLDEST_NODE.join(".")} or later.`],
  };
}

/** `hlt`, in 16-bit mode. */
const SMALLEST_GUEST = Uint8Array.of(0xf4);

async function examineAccelerator(accel: "kvm" | "soft"): Promise<Finding> {
  const name = `accel ${accel}`;
  const start = performance.now();
  try {
    const boot = { protocol: "real", image: SMALLEST_GUEST } as const;
    const vm = await createVm({ accel, memoryBytes: 2 ** 16, boot });
    const result = vm.runSync();
    vm.close();
    const took = `${(performance.now() - start).toFixed(1)} ms`;
    if (result.kind === "halted") return { name, verdict: "ok", detail: `ran a guest in ${took}` };
    return { name, verdict: "missing", detail: `a guest that should halt ended otherwise: ${result.kind}` };
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    const isAbsent = error.code === "ERR_VM_ACCEL_NOT_BUILT_IN";
    return { name, verdict: isAbsent ? "note" : "missing", detail: error.message };
  }
}

/** What `accel = "auto"` comes to: the first that runs a guest. */
function examineAuto(first: Finding | undefined): Finding {
  const name = "accel auto";
  if (first === undefined) return { name, verdict: "missing", detail: "no guest can run here" };
  return { name, verdict: "ok", detail: `takes ${first.name.replace("accel ", "")}` };
}

function examineCache(dir: string | undefined): Finding {
  const name = "cache";
  try {
    if (dir === undefined) throw new Error("neither XDG_CACHE_HOME nor HOME is set");
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
    return { name, verdict: "ok", detail: dir };
  } catch (error) {
    return {
      name,
      verdict: "note",
      detail: `kvm exec builds its kernel anew each time: ${(error as Error).message}`,
      remedies: ["Set XDG_CACHE_HOME to a folder that can be written."],
    };
  }
}
