/** A pooled worker: runs one machine after another, each from a message to a message. */
import { type MessagePort, parentPort } from "node:worker_threads";
import { openSoftAccelerator } from "../accelerators/soft.js";
import { reasonOf, VmError } from "../errors.js";
import { Machine } from "../machine.js";
import { GuestMemory } from "../memory/guest-memory.js";
import { loadPlugins } from "../plugin-loader.js";
import { resolvePlugins } from "../plugin-set.js";
import type { RunResult } from "../result.js";
import { resultToData, type WorkerJob, type WorkerMessage } from "../worker-job.js";
import { CallsToCaller } from "./calls-to-caller.js";
import { openPlatform } from "./platform.js";

const parent = parentPort!;
const send = (message: WorkerMessage): void => parent.postMessage(message);

parent.on("message", async ({ job, channel }: { job: WorkerJob; channel: MessagePort }) => {
  send({ type: "result", result: resultToData(await runJob(job, channel)) });
  channel.close();
});

async function runJob(job: WorkerJob, channel: MessagePort): Promise<RunResult> {
  try {
    return await runMachine(job, channel);
  } catch (thrown) {
    const error =
      thrown instanceof VmError
        ? thrown
        : new VmError("ERR_VM_WORKER", { reason: reasonOf(thrown) }, { cause: thrown });
    return {
      kind: "error",
      error,
      counts: { exits: 0, hypercalls: 0, populates: 0 },
      timings: { layoutMs: job.layoutMs, createMs: 0, runMs: 0 },
      diagnostics: [],
    };
  }
}

async function runMachine(job: WorkerJob, channel: MessagePort): Promise<RunResult> {
  const platform = await openPlatform();
  const accelerator = await (job.accel === "kvm" ? platform.openKvm(job.traits) : openSoftAccelerator());
  const grants = await loadPlugins(
    job.plugins.map(({ source, ...grant }) => ({ module: source.module, export: source.export, ...grant })),
  );
  const { caller } = job;
  const stop = platform.attachStop(job.stop);
  const backing = accelerator.attachMemory(job.memory);
  const machine = new Machine({
    accelerator,
    backing,
    memory: new GuestMemory(backing, job.plan.ranges),
    plan: job.plan,
    plugins: resolvePlugins(grants),
    limits: job.limits,
    stop,
    trace: job.trace ? (event) => send({ type: "trace", event }) : undefined,
    layoutMs: job.layoutMs,
    ...(caller && { elsewhere: (cpu, control) => new CallsToCaller(caller, channel, cpu, control) }),
  });
  try {
    return await machine.runAsync();
  } finally {
    machine.close();
    backing.close();
    stop.close();
  }
}
