/** Structs whose fields are more than scalars: what the handler gets, and what is refused before it. */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { t as type } from "./argument-types.js";
import type { GuestBuffer } from "./guest-buffer.js";
import { definePlugin } from "./plugin.js";
import { fuzzHypercalls } from "./testing/fuzz.js";
import { PluginHarness } from "./testing/harness.js";

const request = type.struct("request", {
  verb: type.enum({ GET: 1, PUT: 2 }, "u8"),
  path: type.cstring(8),
  sent: type.buffer.in(16),
  room: type.buffer.out(16),
  box: type.handle<{ readonly name: string }>("box"),
  ratio: type.f64,
});
/** Offsets: verb, path, sent, sent_size, room, room_size, box, ratio; 64 bytes. */
const OFFSETS = {
  verb: 0,
  path: 8,
  sent: 16,
  sent_size: 24,
  room: 32,
  room_size: 40,
  box: 48,
  ratio: 56,
} as const;

const phase = type.enum({ OPEN: 3, SHUT: 4 }, "u16");
const state = type.struct("state", { phase, count: type.u32 });

interface Seen {
  readonly verb: string;
  readonly path: string;
  readonly sent: string;
  readonly box: string;
  readonly ratio: number;
  readonly fields: readonly string[];
}

const seen: Seen[] = [];
const textOf = (buffer: GuestBuffer): string => Buffer.from(buffer.bytes()).toString();
const plugin = definePlugin({
  name: "fields",
  version: "1.0.0",
  abi: 1,
  hypercalls: {
    make_box: { args: {}, handle: (ctx) => ctx.handles("box").add({ name: "first" }) },
    ask: {
      args: { request: request.in() },
      handle(_ctx, { request: { verb, path, sent, room, box, ratio, ...others } }) {
        const fields = Object.keys(others);
        seen.push({ verb, path, sent: textOf(sent), box: box.name, ratio, fields });
        return room.write(new TextEncoder().encode("answer"));
      },
    },
    turn: {
      args: { state: state.inout() },
      handle: (_ctx, { state: { value, set } }) =>
        set({ phase: value.phase === "OPEN" ? "SHUT" : "OPEN", count: value.count + 1 }),
    },
    lie: {
      args: { state: state.out() },
      handle: (_ctx, { state }) => state.set({ phase: "AJAR" as "OPEN", count: 1 }),
    },
  },
});

/** A request in guest memory, with some of its fields changed. */
function ask(changed: Partial<Record<keyof typeof OFFSETS, bigint>> = {}) {
  const guest = new PluginHarness([{ plugin, grant: "all" }]);
  const box = guest.call("make_box")!;
  const room = guest.allocate(16);
  const at = guest.allocate(64);
  const fields = {
    verb: 2n,
    path: guest.put("/path"),
    sent: guest.put(new TextEncoder().encode("abc")),
    sent_size: 3n,
    room,
    room_size: 16n,
    box,
    ratio: Buffer.from(new Float64Array([0.5]).buffer).readBigUInt64LE(),
    ...changed,
  };
  for (const [name, value] of Object.entries(fields)) {
    guest.memory.setU64(Number(at) + OFFSETS[name as keyof typeof OFFSETS], value);
  }
  return { result: guest.call("ask", at), room: Buffer.from(guest.read(room, 6)).toString() };
}

test("a struct that is read may have enums, strings, buffers and handles", (t) => {
  t.deepEqual(ask(), { result: 6n, room: "answer" });
  const got = { verb: "PUT", path: "/path", sent: "abc", box: "first", ratio: 0.5, fields: [] };
  t.deepEqual(seen.splice(0), [got]);
});

const refused: [string, Partial<Record<keyof typeof OFFSETS, bigint>>, keyof typeof ERRNO][] = [
  ["a number that is no name", { verb: 9n }, "EINVAL"],
  ["a string at no address", { path: 1n << 40n }, "EFAULT"],
  ["a null string", { path: 0xffff_ffff_ffff_ffffn }, "EFAULT"],
  ["a buffer that is too long", { sent_size: 17n }, "EMSGSIZE"],
  ["a buffer whose size is all ones", { sent_size: 0xffff_ffff_ffff_ffffn }, "EMSGSIZE"],
  ["room at no address", { room: 1n << 40n }, "EFAULT"],
  ["a handle that was not given out", { box: 77n }, "EBADF"],
];
for (const [title, changed, errno] of refused) {
  test(`a field is refused before the handler: ${title}: -${errno}`, (t) => {
    const { result, room } = ask(changed);
    t.deepEqual([result, room, seen.length], [BigInt(-ERRNO[errno]), "\0".repeat(6), 0]);
  });
}

test("a string in a struct has its own cap: -ENAMETOOLONG", (t) => {
  const guest = new PluginHarness([{ plugin, grant: "all" }]);
  const at = guest.allocate(64);
  guest.memory.setU64(Number(at), 1n);
  guest.memory.setU64(Number(at) + 8, guest.put("123456789"));
  t.is(guest.call("ask", at), BigInt(-ERRNO.ENAMETOOLONG));
});

test("an enum in a struct goes both ways by its name; what is no name is the handler's mistake", (t) => {
  const guest = new PluginHarness([{ plugin, grant: "all" }]);
  const at = guest.allocate(8);
  guest.memory.setU64(Number(at), (6n << 32n) | 3n);
  t.is(guest.call("turn", at), 0n);
  t.deepEqual(guest.read(at, 8), new Uint8Array([4, 0, 0, 0, 7, 0, 0, 0]));
  t.is(guest.call("lie", at), BigInt(-ERRNO.EIO));
  t.deepEqual(guest.read(at, 8), new Uint8Array([4, 0, 0, 0, 7, 0, 0, 0]));
});

const wrong: [string, () => unknown, RegExp][] = [
  [
    "a string that the host would write",
    () => type.struct("s", { s: type.cstring(8) }).out(),
    /args\.a\.s is cstring, allowed: a scalar or an enum/,
  ],
  [
    "a buffer in a struct that goes both ways",
    () => type.struct("s", { b: type.buffer.in(8) }).inout(),
    /buffer/,
  ],
  ["a handle that the host would write", () => type.struct("s", { h: type.handle("h") }).out(), /handle/],
  [
    "a struct in a struct",
    () => type.struct("s", { inner: state.in() }).in(),
    /struct, allowed: a scalar, enum/,
  ],
  [
    "a field of the name of a buffer's size",
    () => type.struct("s", { b: type.buffer.in(8), b_size: "u64" }).in(),
    /the field b_size twice/,
  ],
];
for (const [title, make, message] of wrong) {
  test(`definePlugin refuses ${title}`, (t) => {
    const args = { a: make() as ReturnType<typeof state.in> };
    const define = () =>
      definePlugin({ name: "x", version: "1", abi: 1, hypercalls: { h: { args, handle: () => 0 } } });
    t.regex(t.throws(define, { code: "ERR_VM_PLUGIN_DEFINITION" }).message, message);
  });
}

test("a scalar field is the same by its name and as a type", (t) => {
  const [byName, byType] = [type.struct("s", { a: "u8" }).in(), type.struct("s", { a: type.u8 }).in()];
  t.deepEqual(byName, byType);
});

test("10,000 random structs: no exception of a handler, none that gets out", async (t) => {
  const grant = ["make_box", "ask", "turn"];
  const report = await fuzzHypercalls([{ plugin, grant }], { calls: 10_000, seed: 9 });
  t.deepEqual([report.escapes, [...report.handlerFailures]], [[], []]);
  seen.length = 0;
});
