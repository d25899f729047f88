/**
 * Every error of this package: one class, a stable code, the facts as fields, and what to do next.
 *
 * The table is the only source of codes, sentences and remedies; ERRORS.md is tested against it. A sentence names
 * its facts in braces: `{port}`.
 */

export interface ErrorRow {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export const ERROR_TABLE = [
  {
    code: "ERR_VM_OPTION",
    message: "option {option} is {found}, allowed: {allowed}",
    remedy: "Correct this option of createVm() or run().",
  },
  {
    code: "ERR_VM_ACCEL_UNAVAILABLE",
    message: "accelerator {accel} cannot be used here: {reason}",
    remedy:
      "Give this process access to /dev/kvm (`kvm doctor` says what is missing), or choose another accelerator.",
  },
  {
    code: "ERR_VM_ACCEL_NOT_BUILT_IN",
    message: "accelerator {accel} is not built in: {reason}",
    remedy: 'Install @kvmkit/x86-cpu beside this package, or choose accel: "kvm" on a machine with /dev/kvm.',
  },
  {
    code: "ERR_VM_MEMORY_SIZE",
    message: "guest memory of {found} bytes, allowed: {allowed}",
    remedy: "Choose another memory size.",
  },
  {
    code: "ERR_VM_MEMORY_EXHAUSTED",
    message: "{what} needs {needed} bytes of guest memory, {available} are free",
    remedy: "Give the machine more memory, or a smaller program.",
  },
  {
    code: "ERR_VM_MEMORY_RANGE",
    message: "{length} bytes at guest-physical {address} lie outside guest memory",
    remedy: "Stay inside vm.memory.ranges.",
  },
  {
    code: "ERR_VM_NOT_MAPPED",
    message: "guest-virtual {address} is not mapped for this access",
    remedy: "Look at the guest's page tables: a level is absent, not user-accessible or read-only.",
  },
  {
    code: "ERR_VM_IMAGE",
    message: "boot image: {field} is {found}, allowed: {allowed}",
    remedy: "Correct the image, its load address or its entry.",
  },
  {
    code: "ERR_VM_KERNEL",
    message: "kernel image: {field} is {found}, allowed: {allowed}",
    remedy: "Build the kernel with @kvmkit/guest-kernel of the same version.",
  },
  {
    code: "ERR_VM_PROGRAM",
    message: "program {path} is refused: {reason}",
    remedy: "Give an x86-64 Linux program.",
  },
  {
    code: "ERR_VM_PROGRAM_ARGUMENTS",
    message: "arguments and environment take {found} bytes, allowed: {allowed}",
    remedy: "Pass less, or pass it in a file.",
  },
  {
    code: "ERR_VM_PLUGIN_DEFINITION",
    message: "plugin {plugin}: {field} is {found}, allowed: {allowed}",
    remedy: "Correct the definition that is passed to definePlugin().",
  },
  {
    code: "ERR_VM_PLUGIN_MODULE",
    message: "plugin module {module}: {reason}",
    remedy: "Give a file URL or an absolute path, and the name of an export made by definePlugin().",
  },
  {
    code: "ERR_VM_PLUGIN_ABI",
    message: "plugin {plugin} is written for plugin ABI {found}, this hypervisor has {allowed}",
    remedy: "Install a version of the plugin that matches this hypervisor.",
  },
  {
    code: "ERR_VM_PLUGIN_DEPENDENCY",
    message: "plugin {plugin} depends on {dependency}, which is not among the granted plugins",
    remedy: "Grant that plugin as well.",
  },
  {
    code: "ERR_VM_PLUGIN_CLASH",
    message: "plugins {first} and {second} both claim {what}",
    remedy: "Leave one of them out, or give one another name or number.",
  },
  {
    code: "ERR_VM_PLUGIN_GRANT",
    message: "plugin {plugin} has no hypercall or port named {found}; it has: {allowed}",
    remedy: 'Grant one of these names, or "all".',
  },
  {
    code: "ERR_VM_PLUGIN_NUMBER",
    message: "plugin {plugin}: number {found} for {hypercall}, allowed: {allowed}",
    remedy: "Take the number from kvm.lock.json, or let the hypervisor choose one.",
  },
  {
    code: "ERR_VM_PLUGIN_OPTIONS",
    message: "plugin {plugin}: {reason}",
    remedy: "Correct the options given to this plugin.",
  },
  {
    code: "ERR_VM_PLUGIN_ASYNC",
    message: "hypercall {hypercall} of plugin {plugin} is asynchronous, and runSync() cannot wait for it",
    remedy: "Use run(), or grant this plugin without that hypercall.",
  },
  {
    code: "ERR_VM_PLUGIN_THREAD",
    message: "plugin {plugin}: {what} cannot cross from the caller's thread to the machine's",
    remedy:
      "Give run() the plugin as a module specifier and an export name, so that it lives in the machine's thread.",
  },
  {
    code: "ERR_VM_PLUGIN_HOOK",
    message: "hook {hook} of plugin {plugin} threw: {reason}",
    remedy: "Correct the plugin; the cause has its stack.",
  },
  {
    code: "ERR_VM_HANDLER",
    message: "{hypercall} of plugin {plugin} failed: {reason}; the guest was answered -EIO",
    remedy: 'Correct the plugin; throw errno("NAME") for an error that the guest may see.',
  },
  {
    code: "ERR_VM_NOT_GRANTED",
    message: "the guest called {hypercall}, which is not granted; it was answered -ENOSYS",
    remedy: "Grant a plugin that serves it, if the guest needs it.",
  },
  {
    code: "ERR_VM_BUFFER_EXPIRED",
    message: "a GuestBuffer was used after its call had ended",
    remedy: "Copy what is needed later during the call, with read().",
  },
  {
    code: "ERR_VM_BUFFER_DIRECTION",
    message: "{operation} on a GuestBuffer of direction {direction}",
    remedy: "Declare the argument with the direction that the handler needs.",
  },
  {
    code: "ERR_VM_UNKNOWN_PORT",
    message: "the guest used port {port} ({direction}, {size} bytes) at rip {rip}, and no plugin serves it",
    remedy: "Grant a plugin that serves this port, or correct the guest.",
  },
  {
    code: "ERR_VM_UNKNOWN_HYPERCALL",
    message: "the guest made hypercall {nr} at rip {rip}, which does not exist",
    remedy: "Build kernel and hypervisor from the same version; correct the guest.",
  },
  {
    code: "ERR_VM_UNMAPPED_MEMORY",
    message:
      "the guest {access} {size} bytes at guest-physical {address}, where there is nothing, at rip {rip}",
    remedy: "Correct the guest's page tables or pointer, or give the machine more memory.",
  },
  {
    code: "ERR_VM_TRIPLE_FAULT",
    message: "the guest faulted three times over (KVM_EXIT_SHUTDOWN) at rip {rip}",
    remedy: "Look at the guest's descriptor tables and stack: an exception could not be delivered.",
  },
  {
    code: "ERR_VM_NOT_EMULATED",
    message: "an instruction in ring 0 could not be emulated at rip {rip}: {bytes}",
    remedy: 'Avoid this instruction in ring 0, or run on hardware virtualization or accel: "soft".',
  },
  {
    code: "ERR_VM_INTERNAL_EXIT",
    message: "KVM_EXIT_INTERNAL_ERROR with suberror {suberror} at rip {rip}",
    remedy: "Report it with the guest image; suberrors are listed in the KVM API document.",
  },
  {
    code: "ERR_VM_FAIL_ENTRY",
    message: "the processor refused the guest's state (KVM_EXIT_FAIL_ENTRY, reason {reason})",
    remedy: "Report it with the boot protocol and registers: the state breaks a check on VM entry.",
  },
  {
    code: "ERR_VM_UNKNOWN_EXIT",
    message: "exit {exit} is not one that this machine can have",
    remedy: "Report it with the guest image.",
  },
  {
    code: "ERR_VM_HOST",
    message: "the host refused {operation}: {reason}",
    remedy: "Look at the cause; the host lacks a resource or a permission.",
  },
  {
    code: "ERR_VM_MOUNT",
    message: "mount {guest}: {reason}",
    remedy: "Correct the mount's guest path, host path or mode.",
  },
  {
    code: "ERR_VM_STATE",
    message: "{operation} on a machine that is {state}",
    remedy: "Create one machine for each run, and close it after its last use.",
  },
  {
    code: "ERR_VM_CALL_SYMBOL",
    message: "the program exports no function {symbol}; it exports: {allowed}",
    remedy:
      "Give a global function of the program; static ones, and those of a stripped program, have no name.",
  },
  {
    code: "ERR_VM_CALL_ARGUMENT",
    message: "call of {symbol}: {argument} is {found}, allowed: {allowed}",
    remedy: "Pass what the function takes, or correct the signature given to guestFunction().",
  },
  {
    code: "ERR_VM_CALL_MEMORY",
    message: "call of {symbol}: its arguments cannot be put on the guest's stack: {reason}",
    remedy: "Pass less at once, or give the program a larger stack.",
  },
  {
    code: "ERR_VM_CALL_ENDED",
    message: "{operation} ended the run: {outcome}",
    remedy: "Look at vm.result. A machine whose run has ended takes no more calls: create another one.",
  },
  {
    code: "ERR_VM_WORKER",
    message: "the machine's thread ended unexpectedly: {reason}",
    remedy: "Look at the cause; a plugin may have ended the thread.",
  },
] as const satisfies readonly ErrorRow[];

export type VmErrorCode = (typeof ERROR_TABLE)[number]["code"];

/** A value as an error reports it. Addresses are bigint and shown in hexadecimal. */
export type Fact = bigint | number | string | boolean | null | undefined;
export type Facts = Readonly<Record<string, Fact>>;

const rows: ReadonlyMap<string, ErrorRow> = /* @__PURE__ */ new Map(
  ERROR_TABLE.map((row) => [row.code, row]),
);

/** What went wrong with a machine, its options, its plugins or its guest. Never thrown for an errno of the guest. */
export class VmError extends Error {
  override readonly name = "VmError";
  readonly code: VmErrorCode;
  readonly facts: Facts;
  readonly remedy: string;

  constructor(code: VmErrorCode, facts: Facts = {}, options?: { cause?: unknown }) {
    const row = rows.get(code)!;
    // A message that ends with another error's sentence brings its own full stop.
    super(`${fill(row.message, facts).replace(/[.]$/, "")}. ${row.remedy}`, options);
    this.code = code;
    this.facts = facts;
    this.remedy = row.remedy;
  }

  /** The error as structured-cloneable data, for the way between threads. */
  toJSON(): VmErrorData {
    return { code: this.code, facts: this.facts, cause: causeText(this.cause), stack: this.stack };
  }

  /** Source: what `toJSON()` gave on another thread. */
  static from(data: VmErrorData): VmError {
    const error = new VmError(
      data.code,
      data.facts,
      data.cause === undefined ? undefined : { cause: data.cause },
    );
    if (data.stack !== undefined) error.stack = data.stack;
    return error;
  }
}

export interface VmErrorData {
  readonly code: VmErrorCode;
  readonly facts: Facts;
  readonly cause: string | undefined;
  readonly stack: string | undefined;
}

/** A broken invariant of ours, never the user's or the guest's doing. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** The reason of anything that was thrown, as one line. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  try {
    return String(thrown);
  } catch {
    return typeof thrown;
  }
}

function causeText(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? (cause.stack ?? reasonOf(cause)) : reasonOf(cause);
}

function fill(message: string, facts: Facts): string {
  return message.replaceAll(/\{(\w+)\}/g, (_, name: string) => show(facts[name]));
}

function show(fact: Fact): string {
  if (typeof fact !== "bigint") return String(fact);
  return fact < 0n ? `-0x${(-fact).toString(16)}` : `0x${fact.toString(16)}`;
}
