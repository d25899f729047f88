/** A plugin with every type of argument and result, for the generators' golden texts. */
import { t } from "../argument-types.js";
import { definePlugin } from "../plugin.js";

const handle = () => 0;

export const samplePlugin = definePlugin({
  name: "sample",
  version: "1.2.3",
  abi: 1,
  doc: "Every type of argument, once. */ A comment's end in a doc ends nothing.",
  hypercalls: {
    scalars_unsigned: { doc: "Unsigned\nintegers.", args: { a: t.u8, b: t.u16, c: t.u32, d: t.u64 }, handle },
    scalars_signed: { args: { a: t.i8, b: t.i16, c: t.i32, d: t.i64 }, returns: t.i32, handle },
    scalars_other: {
      args: { flag: t.bool, ratio: t.f64, address: t.pointer },
      returns: t.f64,
      handle: () => 0.5,
    },
    strings: {
      doc: "Looks a name up.",
      args: { name: t.cstring(255), key: t.buffer.in(64), value: t.buffer.out(4096) },
      errors: ["ENOENT", "EACCES"],
      returns: t.u32,
      handle,
    },
    buffer_both_ways: { args: { data: t.buffer.inout(16), data_size: t.u32 }, handle },
    structs: {
      args: {
        from: t.struct("point", { x: "i32", y: "u64", class: "bool" }).in(),
        to: t.struct("point", { x: "i32", y: "u64", class: "bool" }).out(),
        both: t.struct("range", { low: "f64", high: "f64", base: "pointer" }).inout(),
      },
      handle,
    },
    rich_structs: {
      args: {
        request: t
          .struct("request", {
            verb: t.enum({ GET: 1, PUT: 2 }, "u8"),
            path: t.cstring(255),
            sent: t.buffer.in(4096),
            room: t.buffer.out(4096),
            cursor: t.handle<object>("cursor"),
            deadline: t.f64,
          })
          .in(),
        state: t.struct("state", { phase: t.enum({ OPEN: 0, SHUT: 1 }, "u16"), count: "u32" }).inout(),
      },
      handle,
    },
    pointed: {
      args: { count: t.u64.out(), flag: t.bool.in(), level: t.f64.inout(), where: t.pointer.out() },
      handle,
    },
    enums: {
      args: { mode: t.enum({ Fast: 0, Safe: 1 }), wide: t.enum({ LOW: -1, HIGH: 2 ** 40 }, "i64") },
      returns: t.enum({ no: 0, yes: 1 }, "u8"),
      handle: () => "yes" as const,
    },
    handles: { args: { cursor: t.handle<object>("cursor"), again: t.handle<object>("cursor") }, handle },
    delete: { doc: "Its name is a keyword.", args: { default: t.u8 }, returns: t.bool, handle: () => true },
    later: { args: {}, returns: t.u64, handleAsync: async () => 1n },
    read_file: { args: {}, syscall: "read", handle },
  },
});
