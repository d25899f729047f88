/** The program's functions as functions of TypeScript: the machine is built from its manifest, and stays warm. */
import { machineOfManifest } from "@kvmkit/cli";
import { createVm, t, type Vm } from "@kvmkit/hypervisor";

const MANIFEST = new URL("../vm.toml", import.meta.url).pathname;
const MAX_PIXELS = 2 ** 22;
const pixels = t.buffer.inout(MAX_PIXELS);
const histogram = t.struct("histogram", { darkest: "u32", brightest: "u32", mean: "f64" });

export class Filters {
  readonly #vm: Vm;
  /** Brighter by `percent`, in place. Result: pixels that were cut off at 255. */
  readonly brighten: (pixels: Uint8Array, percent: number) => number;
  readonly #histogram: (pixels: Uint8Array, result: Histogram) => undefined;

  private constructor(vm: Vm) {
    this.#vm = vm;
    this.brighten = vm.guestFunction("brighten", { args: [pixels, t.f64], returns: t.u32 });
    this.#histogram = vm.guestFunction("histogram", { args: [t.buffer.in(MAX_PIXELS), histogram.out()] });
  }

  /** Builds what is not built yet, boots, and runs main() until it waits. `callMs` bounds each call. */
  static async open({ accel = "auto", callMs = 1000 }: FilterOptions = {}): Promise<Filters> {
    const { limits, ...machine } = await machineOfManifest(MANIFEST);
    const vm = await createVm({ ...machine, accel, limits: { ...limits, callMs } });
    vm.warmUp();
    return new Filters(vm);
  }

  histogram(pixels: Uint8Array): Histogram {
    const result = { darkest: 0, brightest: 0, mean: 0 };
    this.#histogram(pixels, result);
    return result;
  }

  /** Without a signature: strings are copied, the result is a signed integer. */
  countWords(text: string): number {
    return Number(this.#vm.call("count_words", text));
  }

  /** The program's own mistake, when `address` is not its memory: the machine ends, and nothing else. */
  readAnything(address: bigint): number {
    return Number(this.#vm.call("read_anything", address));
  }

  close(): void {
    this.#vm.close();
  }
}

export interface FilterOptions {
  readonly accel?: "auto" | "kvm" | "soft";
  readonly callMs?: number;
}

export interface Histogram {
  darkest: number;
  brightest: number;
  mean: number;
}
