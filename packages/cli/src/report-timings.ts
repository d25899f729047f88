/** The phases of a command, for --timings. */
import { type Output, toJson } from "./output.js";

export interface Phase {
  readonly name: string;
  readonly ms: number;
}

/** Adds up phases by name, in the order in which they first came. The first is the process's own start. */
export class Timings {
  readonly #phases = new Map<string, number>([["start", performance.now()]]);

  add(name: string, ms: number): void {
    this.#phases.set(name, (this.#phases.get(name) ?? 0) + ms);
  }

  async measure<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.add(name, performance.now() - start);
    }
  }

  get phases(): Phase[] {
    return [...this.#phases].map(([name, ms]) => ({ name, ms }));
  }

  /** One phase on each line, then the time since the process started, and the processor time it took. */
  print(output: Output): void {
    const { user, system } = process.cpuUsage();
    const totals = [
      { name: "total", ms: performance.now() },
      { name: "total, processor time", ms: (user + system) / 1000 },
    ];
    const rows = [...this.phases, ...totals];
    if (output.json) {
      output.diagnostic(toJson({ timings: Object.fromEntries(rows.map(({ name, ms }) => [name, ms])) }));
      return;
    }
    for (const { name, ms } of rows) output.diagnostic(`${ms.toFixed(1).padStart(9)} ms  ${name}`);
  }
}
