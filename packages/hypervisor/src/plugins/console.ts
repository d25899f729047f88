/**
 * The plugin `console`: descriptors 0 to 2.
 *
 * What they are is the host's choice: `consolePlugin` takes a function that opens them. `memory-console.ts` has one in
 * memory, `@kvmkit/hypervisor/node` one over real descriptors.
 */
import type { FileStat, OpenFile } from "../host/open-file.js";
import { definePlugin, type Plugin, type PluginSource } from "../plugin.js";
import type { SetupContext, VmControl } from "../plugin-context.js";
import { descriptors } from "./descriptors.js";

export interface ConsoleStreams {
  readonly stdin: OpenFile;
  readonly stdout: OpenFile;
  readonly stderr: OpenFile;
}

/** What a console offers to other plugins: its streams, counted against the machine's output limit. */
export type ConsoleService = readonly [stdin: OpenFile, stdout: OpenFile, stderr: OpenFile];

/**
 * A console plugin whose streams `open` gives for each machine. `source`: where another thread finds it.
 */
export function consolePlugin<O>(
  source: PluginSource | undefined,
  options: (options: unknown) => O,
  open: (ctx: SetupContext<O>) => ConsoleStreams,
): Plugin<ConsoleService> {
  return definePlugin({
    name: "console",
    version: "1.0.0",
    abi: 1,
    ...(source && { source }),
    doc: "Standard input, output and error: descriptors 0 to 2.",
    dependsOn: ["descriptors"],
    options,
    state(ctx): ConsoleService {
      const { stdin, stdout, stderr } = open(ctx);
      const budget = new OutputBudget(ctx.vm);
      const streams: ConsoleService = [
        stdin,
        new LimitedOutput(stdout, budget),
        new LimitedOutput(stderr, budget),
      ];
      const table = ctx.service(descriptors);
      streams.forEach((file, fd) => {
        table.install(fd, { file });
      });
      return streams;
    },
    service: (streams: ConsoleService) => streams,
  });
}

/** What is left of `limits.outputBytes`, for both output streams together. */
class OutputBudget {
  readonly #vm: VmControl;
  #left: number;

  constructor(vm: VmControl) {
    this.#vm = vm;
    this.#left = vm.limits.outputBytes ?? Number.POSITIVE_INFINITY;
  }

  /** The part of `views` that may still be written; the run ends where that is not all. */
  take(views: readonly Uint8Array[]): readonly Uint8Array[] {
    const length = views.reduce((sum, view) => sum + view.length, 0);
    if (length <= this.#left) {
      this.#left -= length;
      return views;
    }
    this.#vm.limit("output");
    return views.map((view) => {
      const piece = view.subarray(0, this.#left);
      this.#left -= piece.length;
      return piece;
    });
  }
}

class LimitedOutput implements OpenFile {
  readonly #file: OpenFile;
  readonly #budget: OutputBudget;

  constructor(file: OpenFile, budget: OutputBudget) {
    this.#file = file;
    this.#budget = budget;
  }

  get terminal(): OpenFile["terminal"] {
    return this.#file.terminal;
  }

  read(views: readonly Uint8Array[]): number {
    return this.#file.read(views);
  }

  write(views: readonly Uint8Array[]): number {
    return this.#file.write(this.#budget.take(views));
  }

  remaining(): number | undefined {
    return this.#file.remaining();
  }

  seek(offset: bigint, whence: number): bigint | number {
    return this.#file.seek(offset, whence);
  }

  stat(): FileStat {
    return this.#file.stat();
  }

  close(): void {
    this.#file.close();
  }
}
