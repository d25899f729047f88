/** The host half: a machine with the kernel under test, and what came out of it. */
import { writeElf } from "@kvmkit/elf";
import { buildKernel, type KernelDebugOptions, type KernelImage } from "@kvmkit/guest-kernel";
import { ERRNO, type ErrnoName, type HypercallRow } from "@kvmkit/guest-kernel/abi";
import { createVm, definePlugin, type RunResult, t as types } from "@kvmkit/hypervisor";
import { kvmTest, type TestBody } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { type GuestImage, GuestProgram, REPORT } from "./guest-program.js";

/** One way to run a guest: an accelerator, and who does the page-table work. */
export interface GuestMachine {
  readonly title: string;
  readonly accel: "kvm" | "soft";
  readonly debug: KernelDebugOptions;
  readonly test: (title: string, body: TestBody) => void;
}

/** Every machine on which each test runs. */
export const MACHINES: readonly GuestMachine[] = [
  { title: "kvm", accel: "kvm", debug: { calls: true }, test: kvmTest },
  {
    title: "kvm, tables edited by the kernel",
    accel: "kvm",
    debug: { calls: true, hostPaging: false },
    test: kvmTest,
  },
  { title: "soft", accel: "soft", debug: { calls: true }, test },
  {
    title: "soft, tables edited by the host",
    accel: "soft",
    debug: { calls: true, hostPaging: true },
    test,
  },
];

/** Those with room for gigabytes (a WebAssembly memory ends at four), and on which their page tables take no time. */
export const LARGE = MACHINES.filter(({ accel, debug }) => accel === "kvm" && debug.hostPaging !== false);

/** A test on every machine, or those given; its title names the machine. */
export function guestTest(
  title: string,
  body: (t: ExecutionContext, machine: GuestMachine) => void | Promise<void>,
  machines = MACHINES,
): void {
  for (const machine of machines) machine.test(`${machine.title}: ${title}`, (t) => body(t, machine));
}

export interface GuestRun {
  readonly result: RunResult;
  /** What the guest reported, as signed 64-bit integers. */
  readonly reports: readonly bigint[];
  /** What it wrote, to any descriptor. */
  readonly output: Buffer;
  readonly kernel: KernelImage;
  /** Where a label of the program lies. */
  address(label: string): bigint;
}

export interface GuestOptions {
  readonly memoryBytes?: number;
  readonly args?: readonly string[];
  /** Changes the kernel's text before it boots. */
  readonly patchText?: (text: Uint8Array) => void;
}

const REPORT_ROW: HypercallRow = {
  nr: REPORT,
  name: "report",
  args: { value: { kind: "i64" } },
  errors: [],
  doc: "Hands a value to the host half of a test.",
};

const kernels = new Map<KernelDebugOptions, { readonly image: KernelImage; readonly elf: Uint8Array }>();

function kernelFor(debug: KernelDebugOptions): { readonly image: KernelImage; readonly elf: Uint8Array } {
  let kernel = kernels.get(debug);
  if (kernel === undefined) {
    kernel = makeKernel(debug, () => {});
    kernels.set(debug, kernel);
  }
  return kernel;
}

function makeKernel(debug: KernelDebugOptions, patchText: (text: Uint8Array) => void) {
  const image = buildKernel({ plugins: [REPORT_ROW], debug });
  const { entry, segments, symbols } = image;
  patchText(segments[0]!.bytes);
  return { image, elf: writeElf({ kind: "executable", entry, segments, symbols }) };
}

/** Longest string or buffer of the calls below. */
const MAX_BYTES = 0x7fff_f000;

/** Runs a program, or what `emit` makes of one. */
export async function runGuest(
  machine: GuestMachine,
  program: Uint8Array | ((p: GuestProgram) => void),
  options: GuestOptions = {},
): Promise<GuestRun> {
  const reports: bigint[] = [];
  const output: Buffer[] = [];
  const plugin = definePlugin({
    name: "guest-test",
    version: "1.0.0",
    abi: 1,
    hypercalls: {
      report: {
        args: { value: types.i64 },
        handle(_, { value }) {
          reports.push(value);
        },
      },
      write: {
        syscall: "write",
        args: { fd: types.i32, buf: types.buffer.in(MAX_BYTES) },
        handle(_, { buf }) {
          output.push(Buffer.from(buf.bytes()));
          return buf.length;
        },
      },
      /** Fills the buffer with the low byte of fd. */
      read: {
        syscall: "read",
        args: { fd: types.i32, buf: types.buffer.out(MAX_BYTES) },
        handle(_, { fd, buf }) {
          for (const extent of buf.extents) extent.fill(fd & 0xff);
          return buf.length;
        },
      },
      exit_group: {
        syscall: "exit_group",
        args: { status: types.i32 },
        handle({ vm }, { status }) {
          vm.exit(status);
        },
      },
    },
  });
  const image = program instanceof Uint8Array ? { elf: program, address: () => 0n } : programOf(program);
  const { patchText } = options;
  const kernel = patchText ? makeKernel(machine.debug, patchText) : kernelFor(machine.debug);
  const vm = await createVm({
    accel: machine.accel,
    memoryBytes: options.memoryBytes ?? 32 * 2 ** 20,
    boot: { protocol: "kvmkit", kernel: kernel.elf },
    program: { image: image.elf, path: "/guest-test", args: options.args ?? ["/guest-test"] },
    plugins: [{ plugin, grant: "all", numbers: { report: REPORT } }],
    limits: { wallMs: 60_000 },
  });
  try {
    const result = vm.runSync();
    return { result, reports, output: Buffer.concat(output), kernel: kernel.image, address: image.address };
  } finally {
    vm.close();
  }
}

function programOf(emit: (p: GuestProgram) => void): GuestImage {
  const program = new GuestProgram();
  emit(program);
  return program.build();
}

/** Runs a program that must end with exit status 0, and returns its reports. */
export async function reportsOf(
  t: ExecutionContext,
  machine: GuestMachine,
  emit: (p: GuestProgram) => void,
  options?: GuestOptions,
): Promise<readonly bigint[]> {
  const { result, reports } = await runGuest(machine, emit, options);
  t.like(result, { kind: "exited", status: 0 });
  return reports;
}

/** What a system call returns that fails with `name`. */
export function failure(name: ErrnoName): bigint {
  return BigInt(-ERRNO[name]);
}
