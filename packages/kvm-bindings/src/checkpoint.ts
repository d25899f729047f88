/** Where a thread that was in a native call lets itself be ended. */

/**
 * Gives worker.terminate() and process.exit() their chance: V8 looks for a termination when a function is entered,
 * but not in every turn of a loop, and not where it inlined the function. JSON.parse() calls its reviver from native
 * code, which neither its interpreter nor its compilers inline.
 */
export function checkpoint(): void {
  JSON.parse("0", identity);
}

function identity(_key: string, value: unknown): unknown {
  return value;
}
