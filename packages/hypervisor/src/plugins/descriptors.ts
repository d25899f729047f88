/**
 * The plugin `descriptors`: what a program does with an open file, whoever opened it.
 *
 * `console` and `files` put files into the table that this plugin offers as its service.
 */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import { t } from "../argument-types.js";
import { DescriptorTable } from "../host/descriptor-table.js";
import { errno } from "../host/errno.js";
import type { OpenFile } from "../host/open-file.js";
import { definePlugin } from "../plugin.js";
import type { HandlerContext } from "../plugin-context.js";
import { linuxStat } from "./linux-stat.js";
import { checkedFields, integerOption } from "./options.js";
import { syscallArguments } from "./syscall-arguments.js";

export interface DescriptorOptions {
  /** Descriptors that can be open at once. Default 1024. */
  readonly openFiles: number;
}

type Context = HandlerContext<DescriptorOptions, DescriptorTable>;

/** What one call moves at most (read(2), "NOTES"). */
const MAX_RW_COUNT = 0x7fff_f000;
/** A stream gives what it has, so more than this at once is of no use. */
const STREAM_BYTES = 2 ** 20;
/** IOV_MAX and the size of struct iovec (readv(2)). */
const IOV_MAX = 1024;
const IOVEC_BYTES = 16;

export const descriptors = definePlugin({
  name: "descriptors",
  version: "1.0.0",
  abi: 1,
  source: { module: import.meta.url, export: "descriptors" },
  doc: "What a program does with an open file.",
  options(options): DescriptorOptions {
    const fields = checkedFields(options, ["openFiles"]);
    return { openFiles: integerOption(fields, "openFiles", 1024, 3, 65_536) };
  },
  state: ({ options }) => new DescriptorTable(options.openFiles),
  service: (table: DescriptorTable) => table,
  hypercalls: {
    read: {
      syscall: "read",
      args: { fd: t.i32, buf: t.pointer, count: t.u64 },
      doc: "read(2)",
      handle: (ctx, { fd, buf, count }) => read(ctx, ctx.state.get(fd).file, buf, count),
    },
    write: {
      syscall: "write",
      args: { fd: t.i32, buf: t.pointer, count: t.u64 },
      doc: "write(2)",
      handle(ctx, { fd, buf, count }) {
        const { file } = ctx.state.get(fd);
        return written(ctx, file.write(ctx.user.buffer(buf, transferLength(count), "in").extents));
      },
    },
    writev: {
      syscall: "writev",
      args: syscallArguments("writev"),
      doc: "writev(2)",
      handle(ctx, { fd, iov, iovcnt }) {
        const { file } = ctx.state.get(fd);
        return written(ctx, file.write(gather(ctx, iov, iovcnt)));
      },
    },
    close: {
      syscall: "close",
      args: syscallArguments("close"),
      doc: "close(2)",
      handle({ state }, { fd }) {
        state.close(fd);
      },
    },
    lseek: {
      syscall: "lseek",
      args: syscallArguments("lseek"),
      doc: "lseek(2)",
      handle: (ctx, { fd, offset, whence }) => ctx.state.get(fd).file.seek(offset, whence),
    },
    fstat: {
      syscall: "fstat",
      args: syscallArguments("fstat"),
      doc: "fstat(2)",
      handle(ctx, { fd, statbuf }) {
        statbuf.set(linuxStat(ctx.state.get(fd).file.stat()));
      },
    },
    ioctl: {
      syscall: "ioctl",
      args: syscallArguments("ioctl"),
      doc: "ioctl(2): the requests that a C library makes of a terminal; others are -ENOTTY.",
      handle: (ctx, { fd, request, argp }) => ioctl(ctx, ctx.state.get(fd).file, request, argp),
    },
  },
  hooks: {
    close: ({ state }) => state.closeAll(),
  },
});

const transferLength = (count: bigint): number =>
  count > BigInt(MAX_RW_COUNT) ? MAX_RW_COUNT : Number(count);

/** Only as many pages are asked for as the file can fill. */
function read(ctx: Context, file: OpenFile, address: bigint, count: bigint): number {
  const remaining = file.remaining();
  const wanted = Math.min(transferLength(count), remaining ?? STREAM_BYTES);
  const buffer = ctx.user.buffer(address, wanted, "out", { partial: remaining === undefined });
  return file.read(buffer.extents);
}

/** Writing to a pipe that nobody reads ends the program, as SIGPIPE would (write(2), EPIPE). */
function written(ctx: Context, result: number): number {
  if (result === -ERRNO.EPIPE) ctx.vm.kill("SIGPIPE");
  return result;
}

/** The memory that an array of struct iovec describes. Errors: EINVAL, EFAULT. */
function gather(ctx: Context, iov: bigint, count: number): Uint8Array[] {
  if (count < 0 || count > IOV_MAX) throw errno("EINVAL");
  const records = ctx.user.read(iov, count * IOVEC_BYTES);
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const views: Uint8Array[] = [];
  let left = MAX_RW_COUNT;
  for (let at = 0; at < records.length; at += IOVEC_BYTES) {
    const length = view.getBigUint64(at + 8, true);
    if (BigInt.asIntN(64, length) < 0n) throw errno("EINVAL");
    const piece = Math.min(left, Number(length));
    views.push(...ctx.user.buffer(view.getBigUint64(at, true), piece, "in").extents);
    left -= piece;
  }
  return views;
}

/** ioctl requests of terminals and of descriptors (ioctl_tty(2), ioctl(2)). */
const IOCTL = { TCGETS: 0x5401, TIOCGWINSZ: 0x5413, FIONCLEX: 0x5450, FIOCLEX: 0x5451 } as const;
/** Size of struct termios of the kernel: four words, c_line, 19 control characters. */
const TERMIOS_BYTES = 36;
/** Input, output, control and local flags of a terminal in its usual state (termios(3)). */
const TERMIOS_FLAGS = [0o2400, 0o5, 0o277, 0o105073] as const;

function ioctl(ctx: Context, { terminal }: OpenFile, request: number, argument: bigint): number {
  if (request === IOCTL.FIOCLEX || request === IOCTL.FIONCLEX) return 0;
  if (terminal === undefined) return -ERRNO.ENOTTY;
  if (request === IOCTL.TIOCGWINSZ) {
    ctx.user.write(argument, new Uint8Array(Uint16Array.of(terminal.rows, terminal.columns, 0, 0).buffer));
    return 0;
  }
  if (request !== IOCTL.TCGETS) return -ERRNO.ENOTTY;
  const termios = new Uint8Array(TERMIOS_BYTES);
  new Uint32Array(termios.buffer, 0, TERMIOS_FLAGS.length).set(TERMIOS_FLAGS);
  ctx.user.write(argument, termios);
  return 0;
}
