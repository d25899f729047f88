/** Model to bytes: executables, object files and changed files, the same bytes for the same model. */
import { writeExecutable } from "./executable-writer.js";
import { writeLayout } from "./layout.js";
import type { ElfModel } from "./model.js";
import { modelError } from "./model-check.js";
import { writeObject } from "./object-writer.js";

/**
 * Writes an ELF file.
 * Errors: ERR_ELF_MODEL, with the path of the field that cannot be written.
 */
export function writeElf(model: ElfModel): Uint8Array {
  switch (model.kind) {
    case "executable":
      return writeExecutable(model);
    case "object":
      return writeObject(model);
    case "layout":
      return writeLayout(model);
    default:
      throw modelError("kind", String((model as { kind: unknown }).kind), "executable, object, layout");
  }
}
