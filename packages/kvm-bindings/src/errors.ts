/** KvmError: every way in which this package says no. The table is the reference; docs and messages come from it. */
import { constants } from "node:os";

interface ErrorRow {
  /** `{field}` is replaced by the error's field of that name. */
  readonly message: string;
  /** What to do next. */
  readonly remedy: string;
}

export const errors = {
  ERR_KVM_NATIVE_MISSING: {
    message: "the native part of @kvmkit/kvm-bindings is not available on {platform}: {reason}",
    remedy:
      "KVM exists on Linux only, and this package is built for x86-64. There, install a C++ compiler, make and python3 (apt-get install g++ make python3) and run `npm rebuild @kvmkit/kvm-bindings`.",
  },
  ERR_KVM_OPEN: {
    message: "{path}: {errnoName}",
    remedy:
      "ENOENT: load kvm_intel or kvm_amd, switch virtualization on in the firmware, or give the container the device (--device /dev/kvm). EACCES: join the group that owns it (usermod -aG kvm $USER) and log in again.",
  },
  ERR_KVM_API_VERSION: {
    message: "KVM_GET_API_VERSION: found {found}, this package speaks 12",
    remedy: "Use a kernel of this century: the number has been 12 since Linux 2.6.22.",
  },
  ERR_KVM_IOCTL: {
    message: "{ioctl}: {errnoName}",
    remedy:
      "See the ioctl's section in the kernel's Documentation/virt/kvm/api.rst for what this errno means.",
  },
  ERR_KVM_UNSUPPORTED: {
    message: "{ioctl}: {errnoName}; this host lacks {capability}",
    remedy: "Ask `checkExtension()` first and do without, or run on a host whose KVM has the capability.",
  },
  ERR_KVM_SYSTEM_CALL: {
    message: "{syscall}: {errnoName}",
    remedy: "ENOMEM: ask for less memory. EMFILE: close what is no longer used, or raise `ulimit -n`.",
  },
  ERR_KVM_CLOSED: {
    message: "{what} is closed",
    remedy: "Use it before close(), or open a new one.",
  },
  ERR_KVM_WRONG_THREAD: {
    message: "{what}: a vCPU is used on a thread that does not own it",
    remedy:
      "Call it on the thread that created it; from others only kick() and a StopSource reach it (KVM api.rst 1).",
  },
  ERR_KVM_NO_SUCH_ID: {
    message: "no open {what} has the id {id}",
    remedy: "Keep the object open on the thread that made it until the other thread has attached to it.",
  },
  ERR_KVM_ARGUMENT: {
    message: "{what}: found {value}, allowed {allowed}",
    remedy: "Correct the argument.",
  },
  ERR_KVM_ADDRESS: {
    message:
      "{ioctl}: this argument would hold an address, which cannot be checked when it comes from JavaScript",
    remedy: "Use a capability or command whose argument holds none.",
  },
  ERR_KVM_FIELD: {
    message: "{field}: found {value}, allowed {allowed}",
    remedy: "Correct the field; 64-bit fields are bigint, narrower ones number.",
  },
  ERR_KVM_MSR: {
    message: "{ioctl}: register {value} was refused",
    remedy: "Leave out what `msrIndexList()` does not list, and values that the processor would refuse.",
  },
  ERR_KVM_BUFFER: {
    message: "{what}: the buffer is shorter than what the kernel reads or writes",
    remedy: "Pass a longer buffer, or one whose ArrayBuffer is not detached.",
  },
  ERR_KVM_FILE_SIZE: {
    message: "GuestMemory.allocate: the file ends before offset {offset} + {sizeBytes} bytes",
    remedy:
      "Make the file as long as the memory first (ftruncate), and keep it that long while it is mapped.",
  },
  ERR_KVM_RANGE: {
    message: "{what}: offset {offset}, {length} bytes, leaves the {sizeBytes} bytes of memory",
    remedy: "Stay within the memory's sizeBytes.",
  },
} as const satisfies Readonly<Record<`ERR_KVM_${string}`, ErrorRow>>;

export type KvmErrorCode = keyof typeof errors;

/** The facts of an error; which are set depends on its code. */
export interface KvmErrorFacts {
  readonly ioctl?: string;
  readonly syscall?: string;
  /** Positive, as in errno.h. */
  readonly errno?: number;
  readonly errnoName?: string;
  readonly capability?: string;
  readonly field?: string;
  readonly what?: string;
  readonly value?: unknown;
  readonly allowed?: string;
  readonly path?: string;
  readonly platform?: string;
  readonly reason?: string;
  readonly found?: number;
  readonly id?: number;
  readonly offset?: number;
  readonly length?: number;
  readonly sizeBytes?: number;
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** `EINVAL` for 22. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`;
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  return String(typeof value === "object" && value !== null ? value.constructor?.name : value);
}

function fill(code: KvmErrorCode, facts: Readonly<Record<string, unknown>>): string {
  const { message } = errors[code];
  return message.replace(/\{(\w+)\}/g, (_, name: string) =>
    name === "value" || typeof facts[name] !== "string" ? show(facts[name]) : String(facts[name]),
  );
}

export class KvmError extends Error {
  readonly code: KvmErrorCode;
  /** What to do next. */
  readonly remedy: string;
  declare readonly ioctl?: string;
  declare readonly errno?: number;
  declare readonly errnoName?: string;
  declare readonly capability?: string;
  declare readonly field?: string;
  /** Every fact of the error by name. */
  readonly facts: KvmErrorFacts;

  constructor(code: KvmErrorCode, facts: KvmErrorFacts = {}, options?: ErrorOptions) {
    const known =
      facts.errno === undefined ? facts : { ...facts, errnoName: facts.errnoName ?? errnoName(facts.errno) };
    super(fill(code, known as Record<string, unknown>), options);
    this.name = "KvmError";
    this.code = code;
    this.remedy = errors[code].remedy;
    this.facts = known;
    for (const fact of ["ioctl", "errno", "errnoName", "capability", "field"] as const)
      if (known[fact] !== undefined)
        Object.defineProperty(this, fact, { value: known[fact], enumerable: true });
  }
}
