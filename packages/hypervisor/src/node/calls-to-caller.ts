/** The worker's side of calls to plugins on the caller's thread: send, wait, go on with what came back. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { PortAccess, VirtualCpu } from "../accelerators/accelerator.js";
import { CallerBlock } from "../caller-block.js";
import type { CallerAnswer, CallerRequest } from "../caller-side.js";
import type { CallsElsewhere } from "../hypercall-registry.js";
import type { RunControl } from "../run-control.js";
import { type CallerPlugins, outcomeFromData } from "../worker-job.js";

export class CallsToCaller implements CallsElsewhere {
  readonly #calls: ReadonlySet<number>;
  readonly #ports: CallerPlugins["ports"];
  readonly #block: CallerBlock;
  readonly #channel: MessagePort;
  readonly #cpu: VirtualCpu;
  readonly #control: RunControl;

  constructor(
    { calls, ports, block }: CallerPlugins,
    channel: MessagePort,
    cpu: VirtualCpu,
    control: RunControl,
  ) {
    this.#calls = new Set(calls);
    this.#ports = ports;
    this.#block = new CallerBlock(block);
    this.#channel = channel;
    this.#cpu = cpu;
    this.#control = control;
  }

  hasCall(nr: number): boolean {
    return this.#calls.has(nr);
  }

  hasPort(port: number): boolean {
    return this.#ports.some(({ first, last }) => port >= first && port <= last);
  }

  dispatch(): void {
    this.#block.registers.set(this.#cpu.registers);
    this.#block.space = this.#cpu.addressSpace();
    this.#ask({ type: "call" });
    this.#cpu.registers.set(this.#block.registers);
    this.#cpu.registersChanged();
  }

  dispatchPort(access: PortAccess): void {
    const { port, isOut, sizeBytes, count } = access;
    const values = Array.from({ length: count }, (_, index) => (isOut ? access.value(index) : 0));
    this.#block.registers.set(this.#cpu.registers);
    this.#block.space = this.#cpu.addressSpace();
    const answer = this.#ask({ type: "port", port, isOut, sizeBytes, values });
    if (isOut) return;
    answer.values.forEach((value, index) => {
      access.setValue(index, value);
    });
  }

  #ask(request: CallerRequest): CallerAnswer {
    this.#block.begin();
    this.#channel.postMessage(request);
    this.#block.wait();
    const { message: answer } = receiveMessageOnPort(this.#channel) as { message: CallerAnswer };
    if (answer.outcome !== undefined) this.#control.end(outcomeFromData(answer.outcome));
    return answer;
  }
}
