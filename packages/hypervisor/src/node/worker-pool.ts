/**
 * Worker threads for machines, kept for the next run: a cold one costs 30 to 45 ms.
 *
 * An idle worker does not keep the process alive.
 */
import { MessageChannel, Worker } from "node:worker_threads";
import type { CallerRequest, CallerSide } from "../caller-side.js";
import { VmError } from "../errors.js";
import type { RunResult } from "../result.js";
import type { TraceSink } from "../trace.js";
import { resultFromData, type WorkerJob, type WorkerMessage } from "../worker-job.js";

const ENTRY = new URL("./machine-worker.js", import.meta.url);
/** Idle workers that are kept. */
const MAX_IDLE = 4;

const idle: Worker[] = [];

/** Starts workers ahead, so that the next `count` runs need not wait for one. */
export function prepareWorkers(count = 1): void {
  while (idle.length < Math.min(count, MAX_IDLE)) keep(start());
}

/** A worker has the caller's loaders and flags, but not the program that `node -e` was given. */
function start(): Worker {
  const inputType = process.execArgv.findIndex((argument) => argument.startsWith("--input-type"));
  return new Worker(ENTRY, inputType < 0 ? {} : { execArgv: process.execArgv.toSpliced(inputType, 1) });
}

function keep(worker: Worker): void {
  worker.unref();
  worker.once("error", () => drop(worker));
  worker.once("exit", () => drop(worker));
  idle.push(worker);
}

function drop(worker: Worker): void {
  const index = idle.indexOf(worker);
  if (index >= 0) idle.splice(index, 1);
}

function take(): Worker {
  const worker = idle.pop() ?? start();
  worker.removeAllListeners();
  worker.ref();
  return worker;
}

function giveBack(worker: Worker): void {
  worker.removeAllListeners();
  if (idle.length < MAX_IDLE) keep(worker);
  else void worker.terminate();
}

/** Runs a job. Errors (rejections): ERR_VM_PLUGIN_THREAD where it cannot be cloned. */
export async function runInWorker(
  job: WorkerJob,
  callerSide: CallerSide | undefined,
  trace: TraceSink | undefined,
): Promise<RunResult> {
  const worker = take();
  const { port1, port2 } = new MessageChannel();
  port1.on("message", (request: CallerRequest) => {
    void callerSide?.serve(request, (answer) => port1.postMessage(answer));
  });
  try {
    const result = await new Promise<RunResult>((resolve) => {
      const lost = (reason: string, cause?: unknown): void => resolve(lostResult(job, reason, cause));
      worker.on("message", (message: WorkerMessage) => {
        if (message.type === "trace") trace?.(message.event);
        else resolve(resultFromData(message.result));
      });
      worker.once("error", (error) => lost(error.message, error));
      worker.once("exit", (code) => lost(`it exited with code ${code}`));
      post(worker, job, port2);
    });
    if (result.kind === "error" && result.error.code === "ERR_VM_WORKER") void worker.terminate();
    else giveBack(worker);
    return result;
  } catch (error) {
    void worker.terminate();
    throw error;
  } finally {
    port1.close();
  }
}

function post(worker: Worker, job: WorkerJob, channel: MessageChannel["port2"]): void {
  try {
    worker.postMessage({ job, channel }, [channel]);
  } catch (error) {
    throw new VmError("ERR_VM_PLUGIN_THREAD", { plugin: "(any)", what: "an option" }, { cause: error });
  }
}

function lostResult({ layoutMs }: WorkerJob, reason: string, cause: unknown): RunResult {
  return {
    kind: "error",
    error: new VmError("ERR_VM_WORKER", { reason }, { cause }),
    counts: { exits: 0, hypercalls: 0, populates: 0 },
    timings: { layoutMs, createMs: 0, runMs: 0 },
    diagnostics: [],
  };
}
