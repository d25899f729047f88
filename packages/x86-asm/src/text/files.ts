/** Files that a source includes: found by the caller, who decides what may be read. */
import { asmError } from "../errors.js";

/**
 * Finds an included file: `path` as the source spells it, `from` the name of the including file. Text for
 * `include`, bytes (or text, as UTF-8) for `incbin`; `undefined` if there is none.
 */
export type FileResolver = (path: string, from: string) => string | Uint8Array | undefined;

export class FileCache {
  private readonly resolve: FileResolver | undefined;
  private readonly known = new Map<string, string | Uint8Array>();

  constructor(resolve: FileResolver | undefined) {
    this.resolve = resolve;
  }

  /** Throws `ERR_ASM_FILE` if there is no such file. */
  private read(path: string, from: string): string | Uint8Array {
    const key = `${from}\0${path}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.resolve === undefined) {
      throw asmError("ERR_ASM_FILE", `"${path}" cannot be read`, "pass a resolve function that finds files");
    }
    let found: string | Uint8Array | undefined;
    try {
      found = this.resolve(path, from);
    } catch (error) {
      throw asmError("ERR_ASM_FILE", `"${path}" cannot be read: ${String(error)}`);
    }
    if (typeof found !== "string" && !(found instanceof Uint8Array)) {
      throw asmError("ERR_ASM_FILE", `"${path}" is not found`);
    }
    this.known.set(key, found);
    return found;
  }

  text(path: string, from: string): string {
    const found = this.read(path, from);
    return typeof found === "string" ? found : new TextDecoder().decode(found);
  }

  bytes(path: string, from: string): Uint8Array {
    const found = this.read(path, from);
    return typeof found === "string" ? new TextEncoder().encode(found) : found;
  }
}

// Both are in every JavaScript host that this package runs in, but not in the language's own types.
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
