/** What must end a process, or not, with a vCPU in the guest: `node scenarios.js <name>`, one at a time. */
import { writeSync } from "node:fs";
import { exitName } from "../exit-reasons.js";
import { GuestMemory } from "../guest-memory.js";
import { Kvm } from "../kvm.js";
import { StopSource } from "../stop-source.js";
import { code, machine } from "./machine.js";
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

  /** Needs --expose-gc: everything that can be collected is, while the guest runs. */
  async "garbage collection"() {
    const { ids, worker } = await startGuestWorker({ program: "count" });
    const memory = GuestMemory.attach(ids.memory);
    for (let i = 0; i < 20; i++) {
      machine(code.spin);
      globalThis.gc!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    say(memory.window(0).length > 0 ? "alive" : "gone");
    await worker.terminate();
  },

  /** Needs a low `ulimit -n`, which only a shell can set: the descriptors run out instead. */
  "descriptors run out"() {
    const kvm = Kvm.open();
    const held: unknown[] = [];
    try {
      for (;;) held.push(kvm.createVm());
    } catch (error) {
      const { name, code: errorCode, message } = error as Error & { code: string };
      say(`${held.length > 10} ${name} ${errorCode} ${message}`);
    }
  },
};

await scenarios[process.argv[2]!]!();
