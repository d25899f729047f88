/** Scenarios in processes of their own, and workers with a guest. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { GuestMemory } from "../guest-memory.js";
import type { GuestIds, GuestWorkerData } from "./guest-worker.js";
import { COUNTER } from "./machine.js";

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Generous: what is tested is that the process ends at all. */
const HANG_MS = 60_000;

/**
 * Runs a scenario of scenarios.ts; `onReady` is called with the process when it has printed `ready`. A process that
 * hangs is killed, and then has ended by SIGKILL.
 */
export async function scenario(
  name: string,
  options: {
    readonly onReady?: (pid: number) => void;
    readonly args?: readonly string[];
    /** Of node. */
    readonly flags?: readonly string[];
    /** ulimit -n */
    readonly descriptorLimit?: number;
  } = {},
): Promise<Ended> {
  const { onReady, args = [], flags = [], descriptorLimit = 1024 } = options;
  const script = fileURLToPath(new URL("scenarios.js", import.meta.url));
  const limited = [
    `ulimit -n ${descriptorLimit} && exec "$@"`,
    "sh",
    process.execPath,
    "--expose-gc",
    ...flags,
  ];
  const child = spawn("sh", ["-c", ...limited, script, name, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: HANG_MS,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  let told = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (told || !stdout.includes("ready\n")) return;
    told = true;
    onReady?.(child.pid!);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { status, signal, stdout, stderr };
}

export interface GuestWorker {
  readonly worker: Worker;
  readonly ids: GuestIds;
  /** The name of the exit that ended run(). */
  readonly ended: Promise<unknown>;
}

/** A worker whose guest is running: with `count`, its counter has been seen to move. */
export async function startGuestWorker(data: GuestWorkerData): Promise<GuestWorker> {
  const worker = new Worker(new URL("guest-worker.js", import.meta.url), { workerData: data });
  const [ids] = (await once(worker, "message")) as [GuestIds];
  const ended = once(worker, "message").then(([reason]) => reason);
  ended.catch(() => {});
  if (data.program === "count") await untilCounting(ids.memory);
  return { worker, ids, ended };
}

async function untilCounting(memoryId: number): Promise<void> {
  const memory = GuestMemory.attach(memoryId);
  const counter = memory.view(COUNTER, 2);
  while (counter.getUint16(0, true) === 0) await delay(1);
  memory.close();
}
