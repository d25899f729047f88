/** What must end a process, or not, with a vCPU in the guest: `node scenarios.js <name>`, one at a time. */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { exitName } from "../exit-reasons.js";
import { GuestMemory } from "../guest-memory.js";
import { Kvm } from "../kvm.js";
import { StopSource } from "../stop-source.js";
import type { Vm } from "../vm.js";
import { code, type Machine, MEMORY_BYTES, machine } from "./machine.js";
import { resources } from "./resources.js";
import { startGuestWorker } from "./spawn.js";

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

const scenarios: Readonly<Record<string, () => unknown>> = {
  async "process.exit"() {
    await startGuestWorker({ program: "count" });
    process.exit(7);
  },

  async "uncaught exception"() {
    await startGuestWorker({ program: "count" });
    throw new Error("on purpose");
  },

  async "worker.terminate"() {
    const { worker } = await startGuestWorker({ program: "count" });
    say(`terminated ${await worker.terminate()}`);
  },

  /** The guest runs on the main thread, with nobody watching signals. */
  "signal, main thread"() {
    const { vcpu } = machine(code.spin);
    say("ready");
    vcpu.run();
  },

  async "signal, worker"() {
    await startGuestWorker({ program: "count" });
    say("ready");
  },

  "signal, watched"() {
    using guest = machine(code.spin);
    using stop = new StopSource();
    stop.watchSignals(["SIGINT", "SIGTERM"]);
    say("ready");
    say(`${exitName(guest.vcpu.run(stop))} ${stop.reason}`);
  },

  /** After close() the signal does again what it did before: it kills. */
  "signal, watched no more"() {
    using guest = machine(code.spin);
    const stop = new StopSource();
    stop.watchSignals(["SIGINT"]);
    stop.close();
    say("ready");
    guest.vcpu.run();
  },

  /** Everything that can be collected is, while the guest runs. */
  async "garbage collection"() {
    const { ids, worker } = await startGuestWorker({ program: "count" });
    const memory = GuestMemory.attach(ids.memory);
    for (let i = 0; i < 20; i++) {
      machine(code.spin);
      globalThis.gc!();
      await setImmediate();
    }
    say(memory.window(0).length > 0 ? "alive" : "gone");
    await worker.terminate();
  },

  /** The buffer may be the guest memory itself or a copy; touching it after its thread has ended is harmless. */
  async "buffer moved to another thread"() {
    const worker = new Worker(new URL("moving-worker.js", import.meta.url));
    const [buffer] = (await once(worker, "message")) as [ArrayBuffer];
    await once(worker, "exit");
    await settle();
    const bytes = new Uint8Array(buffer);
    bytes.fill(7);
    say(`${bytes.length} bytes of ${bytes[bytes.length - 1]}`);
  },

  /** `count` virtual machines, each run and closed, with a turn of the event loop now and then only. */
  async "lives closed"() {
    await lives((guest) => guest[Symbol.dispose]());
  },

  /** The same with nothing closed: the collector has to. */
  async "lives dropped"() {
    await lives(() => {});
  },

  /** To be run with a low `ulimit -n`. */
  async "descriptors run out"() {
    const kvm = Kvm.open();
    const held: Vm[] = [];
    try {
      for (;;) held.push(kvm.createVm());
    } catch (error) {
      const { name, code: errorCode, message } = error as Error & { code: string };
      say(`${name} ${errorCode} ${message}`);
    }
    for (const vm of held) vm.close();
    using again = machine(code.exits);
    say(`again: ${exitName(again.vcpu.run())}`);
  },

  /** A view's addresses stay reserved, its contents and the virtual machine do not stay. */
  async "views kept"() {
    live((guest) => guest[Symbol.dispose]()); // starts the watchdog, which keeps a descriptor
    const before = resources();
    const kept: unknown[] = [];
    for (let i = 0; i < 50; i++) {
      const guest = machine(code.exits);
      guest.memory.bytes(2 ** 20).fill(1);
      guest.vcpu.run();
      // As if transferred: the views cannot be detached through these.
      kept.push(guest.memory.bytes().buffer, guest.vcpu.runPage.bytes.buffer);
      guest[Symbol.dispose]();
    }
    const after = resources();
    const grown = after.residentBytes - before.residentBytes;
    say(
      `descriptors ${after.descriptors - before.descriptors}, ` +
        `memory ${grown < 50 * MEMORY_BYTES * 0.5 ? "given back" : `kept: ${grown}`}`,
    );
  },
};

/** Makes and ends process.argv[3] virtual machines, and says what is left of them. */
async function lives(end: (guest: Machine) => void): Promise<void> {
  const count = Number(process.argv[3]);
  live(end);
  await settle();
  const before = resources();
  for (let i = 0; i < count; i++) {
    live(end);
    if (i % 50 === 0) await setImmediate();
  }
  await settle();
  const after = resources();
  const mappings = after.mappings - before.mappings;
  const memory = after.residentBytes - before.residentBytes;
  say(
    `descriptors ${after.descriptors - before.descriptors}, ` +
      `mappings ${mappings < 256 ? "bounded" : mappings}, ` +
      `memory ${memory < 256 * 2 ** 20 ? "bounded" : memory}`,
  );
}

function live(end: (guest: Machine) => void): void {
  const guest = machine(code.exits);
  guest.vcpu.run();
  guest.vcpu.decodeExit();
  end(guest);
}

/** Lets the collector find what is left, and the finalizers run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc!();
    await setImmediate();
  }
}

await scenarios[process.argv[2]!]!();
