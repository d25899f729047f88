/** A worker thread that runs a guest and reports: its ids first, then how run() ended. */
import { parentPort, workerData } from "node:worker_threads";
import { exitName } from "../exit-reasons.js";
import { StopSource } from "../stop-source.js";
import { code, machine, type Program } from "./machine.js";

export interface GuestWorkerData {
  readonly program: Program;
  readonly stopId?: number;
}

export interface GuestIds {
  readonly vm: number;
  readonly vcpu: number;
  readonly memory: number;
  readonly vcpuMmapSize: number;
}

const { program, stopId } = workerData as GuestWorkerData;
const { kvm, vm, vcpu, memory } = machine(code[program]);
const stop = stopId === undefined ? undefined : StopSource.attach(stopId);
const ids: GuestIds = { vm: vm.id, vcpu: vcpu.id, memory: memory.id, vcpuMmapSize: kvm.vcpuMmapSize };
parentPort!.postMessage(ids);
const reason = exitName(vcpu.run(stop));
parentPort!.postMessage(reason);
