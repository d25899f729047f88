/**
 * The boot protocols of flat images: `real`, `protected` and `long`.
 *
 * `long` at entry, for bare 64-bit code and for kernels written for another small KVM host:
 *
 *   0x00_0000  image (at `load`)                    identity-mapped by one supervisor 2 MiB page
 *   0x1f_7000  PML4, PDPT, PD, two pages that are the kernel's to use
 *   0x1f_c000  stack, 16 KiB; rsp -> argc, argv pointers, 0, strings above
 *   0x20_0000  free memory: rdi = its start, rsi = bytes of it
 */
import { LARGE_PAGE_SIZE, PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import type { Registers } from "../accelerators/accelerator.js";
import { VmError } from "../errors.js";
import type { GuestMemory } from "../memory/guest-memory.js";
import { encodeText } from "../memory/text.js";
import type { CpuStart } from "../vcpu-setup.js";
import { PTE } from "../x86.js";

export interface FlatBoot {
  readonly protocol: "real" | "protected" | "long";
  readonly image: Uint8Array;
  /** Guest-physical address of the image's first byte. Default 0. */
  readonly load?: bigint;
  /** Where execution starts. Default: `load`. */
  readonly entry?: bigint;
  /** `long`: argv[0] is the path of the program that the kernel will open, then its arguments. */
  readonly args?: readonly string[];
  /** General registers that differ from the protocol's. */
  readonly registers?: Partial<Registers>;
}

const STACK_SIZE = 0x4000;
const TABLE_PAGES = 5;
const STACK_TOP = LARGE_PAGE_SIZE;
const TABLES = STACK_TOP - STACK_SIZE - TABLE_PAGES * PAGE_SIZE;

interface FlatRules {
  /** The image may reach up to here; `memory`: to the end of memory. */
  readonly imageEnd: number;
  readonly minimumBytes: number;
  start(memory: GuestMemory, boot: FlatBoot): CpuStart;
}

const protocols: Record<FlatBoot["protocol"], FlatRules> = {
  // cs:ip = 0:entry reaches the first 64 KiB; sp = 0 pushes from the top of them.
  real: {
    imageEnd: 2 ** 20,
    minimumBytes: 2 ** 16,
    start: () => ({ mode: "real", registers: {} }),
  },
  protected: {
    imageEnd: 3 * 2 ** 30,
    minimumBytes: 2 ** 16,
    start: (memory) => ({ mode: "protected", registers: { rsp: BigInt(memory.ranges[0]!.size) } }),
  },
  long: { imageEnd: TABLES, minimumBytes: 2 * LARGE_PAGE_SIZE, start: startLong },
};

/** Least memory that each protocol works with, in bytes. */
export const flatMinimumBytes = (protocol: FlatBoot["protocol"]): number => protocols[protocol].minimumBytes;

/** Lays the image out and says how the vCPU starts. Errors: ERR_VM_IMAGE, ERR_VM_PROGRAM_ARGUMENTS. */
export function layOutFlat(memory: GuestMemory, boot: FlatBoot): CpuStart {
  const rules = protocols[boot.protocol];
  const load = checkedAddress("load", boot.load ?? 0n, rules.imageEnd);
  const entry = checkedAddress("entry", boot.entry ?? BigInt(load), entryEnd(boot.protocol, rules));
  const end = Math.min(rules.imageEnd, memory.ranges[0]!.size);
  if (boot.image.length === 0 || load + boot.image.length > end) {
    throw new VmError("ERR_VM_IMAGE", {
      field: "size",
      found: boot.image.length,
      allowed: `1 to ${end - load} bytes from load address ${load}`,
    });
  }
  const start = rules.start(memory, boot);
  memory.write(load, boot.image);
  return { ...start, registers: { ...start.registers, rip: BigInt(entry), ...boot.registers } };
}

/** ip has 16 bits in real mode. */
const entryEnd = (protocol: FlatBoot["protocol"], rules: FlatRules): number =>
  protocol === "real" ? 2 ** 16 : rules.imageEnd;

function checkedAddress(field: string, address: bigint, end: number): number {
  if (address < 0n || address >= BigInt(end)) {
    throw new VmError("ERR_VM_IMAGE", { field, found: address, allowed: `0 to ${BigInt(end) - 1n}` });
  }
  return Number(address);
}

function startLong(memory: GuestMemory, boot: FlatBoot): CpuStart {
  const [pml4, pdpt, pd] = [TABLES, TABLES + PAGE_SIZE, TABLES + 2 * PAGE_SIZE];
  const user = BigInt(PTE.P | PTE.RW | PTE.US);
  memory.setU64(pml4, BigInt(pdpt) | user);
  memory.setU64(pdpt, BigInt(pd) | user);
  memory.setU64(pd, BigInt(PTE.P | PTE.RW | PTE.PS));
  return {
    mode: "long",
    pageTableRoot: pml4,
    registers: {
      rsp: BigInt(writeArguments(memory, boot.args ?? [])),
      rdi: BigInt(LARGE_PAGE_SIZE),
      rsi: BigInt(memory.ranges[0]!.size - LARGE_PAGE_SIZE),
    },
  };
}

/** Writes argc, argv and the strings at the top of the stack. Result: rsp, a multiple of 16. */
function writeArguments(memory: GuestMemory, args: readonly string[]): number {
  const strings = args.map((arg) => encodeText(`${arg}\0`));
  const stringBytes = strings.reduce((sum, { length }) => sum + length, 0);
  const size = stringBytes + (args.length + 2) * 8 + 16;
  // At least half of the stack stays the kernel's.
  if (size > STACK_SIZE / 2) {
    throw new VmError("ERR_VM_PROGRAM_ARGUMENTS", { found: size, allowed: STACK_SIZE / 2 });
  }
  let at = STACK_TOP - stringBytes;
  const rsp = (at - (args.length + 2) * 8) & ~0xf;
  memory.setU64(rsp, BigInt(args.length));
  strings.forEach((bytes, index) => {
    memory.write(at, bytes);
    memory.setU64(rsp + 8 + index * 8, BigInt(at));
    at += bytes.length;
  });
  return rsp;
}
