/** The plugin `debug-console`: the console port of the first programs of KVM tutorials. */
import { definePlugin } from "../plugin.js";
import type { ConsoleService } from "./console.js";
import { memoryConsole } from "./memory-console.js";

const DEBUG_CONSOLE_PORT = 0x217;

export const debugConsole = definePlugin({
  name: "debug-console",
  version: "1.0.0",
  abi: 1,
  source: { module: import.meta.url, export: "debugConsole" },
  doc: "A port whose bytes go to standard output.",
  dependsOn: ["console"],
  // By name: whichever console was granted.
  state: (ctx): ConsoleService => ctx.service(memoryConsole),
  ports: {
    debug_console: {
      first: DEBUG_CONSOLE_PORT,
      doc: "A write of 1, 2 or 4 bytes is output, lowest byte first.",
      onOut({ state: [, stdout] }, _port, sizeBytes, value) {
        stdout.write([Uint8Array.from({ length: sizeBytes }, (_, index) => (value >>> (8 * index)) & 0xff)]);
      },
    },
  },
});
