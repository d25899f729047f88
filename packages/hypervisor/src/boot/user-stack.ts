/**
 * A program's first stack, as Linux leaves it at the entry point.
 *
 *   top ->  8 zero bytes
 *           AT_EXECFN string, environment strings, argument strings, "x86_64", 16 random bytes
 *           padding
 *           auxiliary vector, ended by AT_NULL
 *           environment pointers, 0
 *           argument pointers, 0
 *   rsp ->  argument count                          rsp is a multiple of 16
 *
 * Sources: psABI "Initial Stack and Register State"; getauxval(3); Linux fs/binfmt_elf.c for what it puts above.
 */
import { VmError } from "../errors.js";
import { encodeText } from "../memory/text.js";

export interface UserStackInput {
  /** Address just above the stack. */
  readonly top: bigint;
  /** Bytes that strings and tables may take: a quarter of the stack's limit, as execve(2) has it. */
  readonly limitBytes: number;
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Entries other than those that point into this stack. */
  readonly auxv: Partial<Record<AuxvName, bigint>>;
  /** 16 bytes for AT_RANDOM. */
  readonly random: Uint8Array;
}

export interface UserStack {
  /** What lies from `rsp` up to the top. */
  readonly bytes: Uint8Array;
  readonly rsp: bigint;
}

/** Keys of the auxiliary vector (elf.h, getauxval(3)). */
export const AUXV = {
  AT_NULL: 0n,
  AT_PHDR: 3n,
  AT_PHENT: 4n,
  AT_PHNUM: 5n,
  AT_PAGESZ: 6n,
  AT_BASE: 7n,
  AT_FLAGS: 8n,
  AT_ENTRY: 9n,
  AT_UID: 11n,
  AT_EUID: 12n,
  AT_GID: 13n,
  AT_EGID: 14n,
  AT_PLATFORM: 15n,
  AT_HWCAP: 16n,
  AT_CLKTCK: 17n,
  AT_SECURE: 23n,
  AT_RANDOM: 25n,
  AT_EXECFN: 31n,
} as const;

export type AuxvName = keyof typeof AUXV;

/** One string may take this much (execve(2), "MAX_ARG_STRLEN"). */
const MAX_ARG_STRLEN = 131_072;

/** Builds the stack. Errors: ERR_VM_PROGRAM_ARGUMENTS where it would not fit; ERR_VM_OPTION for a NUL in a string. */
export function buildUserStack(input: UserStackInput): UserStack {
  const strings = new StringArea(input.top - 8n);
  const execfn = strings.push(cString(input.path, "program.path"));
  const env = input.env.map((entry) => strings.push(cString(entry, "program.env")));
  const args = input.args.map((entry) => strings.push(cString(entry, "program.args")));
  const platform = strings.push(cString("x86_64", "AT_PLATFORM"));
  const random = strings.push(input.random.slice(0, 16));

  const auxv = Object.entries({
    ...input.auxv,
    AT_RANDOM: random,
    AT_EXECFN: execfn,
    AT_PLATFORM: platform,
  }).flatMap(([name, value]) => [AUXV[name as AuxvName], value]);
  const words = [BigInt(args.length), ...args, 0n, ...env, 0n, ...auxv, AUXV.AT_NULL, 0n];

  const rsp = (strings.low - BigInt(words.length * 8)) & ~0xfn;
  const size = Number(input.top - rsp);
  if (size > input.limitBytes) {
    throw new VmError("ERR_VM_PROGRAM_ARGUMENTS", { found: size, allowed: input.limitBytes });
  }
  const bytes = new Uint8Array(size);
  new BigUint64Array(bytes.buffer, 0, words.length).set(words);
  strings.copyTo(bytes, rsp);
  return { bytes, rsp };
}

/** Byte strings packed downwards from an address. */
class StringArea {
  low: bigint;
  readonly #pieces: { address: bigint; bytes: Uint8Array }[] = [];

  constructor(top: bigint) {
    this.low = top;
  }

  push(bytes: Uint8Array): bigint {
    this.low -= BigInt(bytes.length);
    this.#pieces.push({ address: this.low, bytes });
    return this.low;
  }

  copyTo(stack: Uint8Array, base: bigint): void {
    for (const { address, bytes } of this.#pieces) stack.set(bytes, Number(address - base));
  }
}

function cString(text: string, option: string): Uint8Array {
  if (text.includes("\0")) {
    throw new VmError("ERR_VM_OPTION", {
      option,
      found: JSON.stringify(text),
      allowed: "strings without NUL",
    });
  }
  const bytes = encodeText(text);
  if (bytes.length >= MAX_ARG_STRLEN) {
    throw new VmError("ERR_VM_PROGRAM_ARGUMENTS", { found: bytes.length, allowed: MAX_ARG_STRLEN - 1 });
  }
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}
