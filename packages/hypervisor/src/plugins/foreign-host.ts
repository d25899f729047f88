/**
 * The plugin `foreign-host`: the host ABI of another small KVM project, so that a flat 64-bit kernel written for it
 * boots here by the `long` protocol.
 *
 * A call is a pair on port 0x8000 + n: `out` carries a value or a guest-physical address in eax, the following `in`
 * returns the result or -errno; all are 32 bits wide. exit and panic end the run at the `out`.
 *
 *   n 0       open    address of a path; for reading only
 *   n 1, 2    read, write    address of three 64-bit words: fd, guest-physical address, length
 *   n 3       close   fd
 *   n 4       lseek   address of three 32-bit words: fd, offset, whence
 *   n 5       exit    status
 *   n 0x7fff  panic   address of a message
 */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import type { DescriptorTable } from "../host/descriptor-table.js";
import { Errno, errno } from "../host/errno.js";
import { O } from "../host/open-file.js";
import type { GuestMemory } from "../memory/guest-memory.js";
import { decodeText } from "../memory/text.js";
import { definePlugin } from "../plugin.js";
import type { HandlerContext } from "../plugin-context.js";
import { descriptors } from "./descriptors.js";
import type { FilesService } from "./files.js";
import { memoryFiles } from "./memory-files.js";

interface ForeignHostState {
  readonly table: DescriptorTable;
  readonly files: FilesService;
  /** What the next `in` of each call returns. */
  readonly results: Map<number, number>;
}

type Context = HandlerContext<unknown, ForeignHostState>;
type Call = (ctx: Context, value: number) => number | bigint;

const FIRST_PORT = 0x8000;
const PANIC = 0x7fff;
const LAST_PORT = 0xffff;
/** PATH_MAX of Linux, its NUL not counted; messages get as much. */
const MAX_STRING_BYTES = 4095;

const calls: Readonly<Record<number, Call>> = {
  0: ({ state, memory }, path) =>
    state.table.add({ file: state.files.open(stringAt(memory, path), O.RDONLY, 0) }),
  1: (ctx, words) => transfer(ctx, words, "read"),
  2: (ctx, words) => transfer(ctx, words, "write"),
  3({ state }, fd) {
    state.table.close(fd);
    return 0;
  },
  4({ state, memory }, words) {
    const [fd, offset, whence] = new Int32Array(copyOf(memory, words, 12).buffer);
    return state.table.get(fd!).file.seek(BigInt(offset!), whence!);
  },
  5({ vm }, status) {
    vm.exit(status);
    return 0;
  },
  [PANIC]({ vm, memory }, message) {
    vm.panic(stringAt(memory, message));
    return 0;
  },
};

export const foreignHost = definePlugin({
  name: "foreign-host",
  version: "1.0.0",
  abi: 1,
  source: { module: import.meta.url, export: "foreignHost" },
  doc: "The out/in host calls of another small KVM project's kernels.",
  dependsOn: ["console", "descriptors", "files"],
  state: (ctx): ForeignHostState => ({
    table: ctx.service(descriptors),
    // By name: whichever files plugin was granted.
    files: ctx.service(memoryFiles),
    results: new Map(),
  }),
  ports: {
    foreign_host: {
      first: FIRST_PORT,
      last: LAST_PORT,
      doc: "open, read, write, close, lseek, exit, panic.",
      onOut(ctx, port, _sizeBytes, value) {
        const call = calls[port - FIRST_PORT];
        ctx.state.results.set(port, call === undefined ? -ERRNO.ENOSYS : answer(call, ctx, value));
      },
      onIn: ({ state }, port) => state.results.get(port) ?? -ERRNO.EINVAL,
    },
  },
});

function answer(call: Call, ctx: Context, value: number): number {
  try {
    return Number(call(ctx, value));
  } catch (thrown) {
    if (thrown instanceof Errno) return thrown.value;
    throw thrown;
  }
}

function transfer({ state, memory, vm }: Context, words: number, direction: "read" | "write"): number {
  const [fd, address, length] = new BigUint64Array(copyOf(memory, words, 24).buffer);
  if (fd! > 0x7fff_ffffn) throw errno("EBADF");
  const { file } = state.table.get(Number(fd));
  const count = Math.min(Number(length), 0x7fff_f000);
  if (!memory.contains(Number(address), count)) throw errno("EFAULT");
  const result = file[direction](memory.views(Number(address), count));
  if (direction === "write" && result === -ERRNO.EPIPE) vm.kill("SIGPIPE");
  return result;
}

/** A copy of guest-physical memory. Errors: EFAULT. */
function copyOf(memory: GuestMemory, address: number, length: number): Uint8Array<ArrayBuffer> {
  if (!memory.contains(address, length)) throw errno("EFAULT");
  return memory.read(address, length) as Uint8Array<ArrayBuffer>;
}

/** A NUL-terminated string in guest-physical memory. Errors: EFAULT, ENAMETOOLONG. */
function stringAt(memory: GuestMemory, address: number): string {
  const available = Math.min(memory.contiguous(address), MAX_STRING_BYTES + 1);
  if (available === 0) throw errno("EFAULT");
  const bytes = memory.read(address, available);
  const end = bytes.indexOf(0);
  if (end < 0) throw errno(available > MAX_STRING_BYTES ? "ENAMETOOLONG" : "EFAULT");
  return decodeText(bytes.subarray(0, end));
}
