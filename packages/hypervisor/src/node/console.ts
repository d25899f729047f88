/** The `console` plugin over descriptors of this process. */
import { isatty } from "node:tty";
import type { OpenFile } from "../host/open-file.js";
import type { StopSource } from "../host/stop-source.js";
import { consolePlugin } from "../plugins/console.js";
import { checkedFields, integerOption } from "../plugins/options.js";
import { StreamFile } from "./descriptor-file.js";

export interface HostConsoleOptions {
  /** Descriptors of this process. Default 0, 1, 2. */
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

const MAX_DESCRIPTOR = 2 ** 31 - 1;

export const console = consolePlugin(
  { module: import.meta.url, export: "console" },
  (options): HostConsoleOptions => {
    const fields = checkedFields(options, ["stdin", "stdout", "stderr"]);
    const descriptor = (name: string, fallback: number): number =>
      integerOption(fields, name, fallback, 0, MAX_DESCRIPTOR);
    return {
      stdin: descriptor("stdin", 0),
      stdout: descriptor("stdout", 1),
      stderr: descriptor("stderr", 2),
    };
  },
  ({ options, vm }) => ({
    stdin: stream(options.stdin, vm.stop),
    stdout: stream(options.stdout, vm.stop),
    stderr: stream(options.stderr, vm.stop),
  }),
);

/** What a terminal is taken for whose size is not known. */
const TERMINAL = { rows: 24, columns: 80 } as const;

function stream(fd: number, stop: StopSource): OpenFile {
  return new StreamFile(fd, stop, { owned: false, terminal: isatty(fd) ? terminalSize() : undefined });
}

function terminalSize(): NonNullable<OpenFile["terminal"]> {
  const { rows, columns } = process.stdout;
  return rows > 0 && columns > 0 ? { rows, columns } : TERMINAL;
}
