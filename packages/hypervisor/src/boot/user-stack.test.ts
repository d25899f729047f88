import test from "ava";
import { VmError } from "../errors.js";
import { AUXV, buildUserStack, type UserStackInput } from "./user-stack.js";

const TOP = 0x7fff_ffff_e000n;

const input: UserStackInput = {
  top: TOP,
  limitBytes: 2 * 2 ** 20,
  path: "/bin/prog",
  args: ["prog", "-x", "two words"],
  env: ["A=1", "EMPTY="],
  auxv: { AT_PAGESZ: 4096n, AT_ENTRY: 0x40_1000n },
  random: Uint8Array.from({ length: 16 }, (_, index) => index),
};

/** Reads a stack as a C library's start code does. */
class StackReader {
  readonly #bytes: Uint8Array;
  readonly #base: bigint;
  at: bigint;

  constructor({ bytes, rsp }: { bytes: Uint8Array; rsp: bigint }) {
    this.#bytes = bytes;
    this.#base = rsp;
    this.at = rsp;
  }

  word(): bigint {
    const view = new DataView(this.#bytes.buffer);
    const value = view.getBigUint64(Number(this.at - this.#base), true);
    this.at += 8n;
    return value;
  }

  pointers(): bigint[] {
    const found: bigint[] = [];
    for (let word = this.word(); word !== 0n; word = this.word()) found.push(word);
    return found;
  }

  string(address: bigint): string {
    const start = Number(address - this.#base);
    return new TextDecoder().decode(this.#bytes.subarray(start, this.#bytes.indexOf(0, start)));
  }

  bytes(address: bigint, length: number): number[] {
    return [...this.#bytes.subarray(Number(address - this.#base), Number(address - this.#base) + length)];
  }
}

test("buildUserStack: argc, argv, envp and auxv as the psABI has them (Initial Stack and Register State)", (t) => {
  const stack = buildUserStack(input);
  t.is(stack.rsp % 16n, 0n);
  t.is(stack.rsp + BigInt(stack.bytes.length), TOP);
  const reader = new StackReader(stack);
  t.is(reader.word(), 3n);
  t.deepEqual(
    reader.pointers().map((at) => reader.string(at)),
    ["prog", "-x", "two words"],
  );
  t.deepEqual(
    reader.pointers().map((at) => reader.string(at)),
    ["A=1", "EMPTY="],
  );
  const auxv = new Map<bigint, bigint>();
  for (let key = reader.word(); key !== AUXV.AT_NULL; key = reader.word()) auxv.set(key, reader.word());
  t.is(auxv.get(AUXV.AT_PAGESZ), 4096n);
  t.is(auxv.get(AUXV.AT_ENTRY), 0x40_1000n);
  t.is(reader.string(auxv.get(AUXV.AT_EXECFN)!), "/bin/prog");
  t.is(reader.string(auxv.get(AUXV.AT_PLATFORM)!), "x86_64");
  t.deepEqual(reader.bytes(auxv.get(AUXV.AT_RANDOM)!, 16), [...input.random]);
});

test("buildUserStack: rsp stays a multiple of 16 for every number of arguments and length of strings", (t) => {
  for (let count = 0; count < 5; count++) {
    for (let length = 0; length < 20; length++) {
      const args = Array.from({ length: count }, () => "x".repeat(length));
      const stack = buildUserStack({ ...input, args });
      t.is(stack.rsp % 16n, 0n);
      const reader = new StackReader(stack);
      t.is(reader.word(), BigInt(count));
      t.deepEqual(
        reader.pointers().map((at) => reader.string(at)),
        args,
      );
    }
  }
});

test("buildUserStack: more than the limit is refused with both sizes (execve(2), E2BIG)", (t) => {
  const args = Array.from({ length: 20 }, () => "x".repeat(1000));
  const error = t.throws(() => buildUserStack({ ...input, args, limitBytes: 16_384 }), {
    instanceOf: VmError,
    code: "ERR_VM_PROGRAM_ARGUMENTS",
  });
  t.is(error.facts["allowed"], 16_384);
});

test("buildUserStack: one string of 128 KiB is refused, one byte less is not (execve(2), MAX_ARG_STRLEN)", (t) => {
  t.throws(() => buildUserStack({ ...input, args: ["x".repeat(131_072)] }), {
    code: "ERR_VM_PROGRAM_ARGUMENTS",
  });
  t.notThrows(() => buildUserStack({ ...input, args: ["x".repeat(131_071)] }));
});

test("buildUserStack: a NUL in a string is refused", (t) => {
  t.throws(() => buildUserStack({ ...input, args: ["a\0b"] }), { code: "ERR_VM_OPTION" });
});
