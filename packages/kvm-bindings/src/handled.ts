/** What every class over a native object has: its handle, which only this package sees, an id, and close(). */
import { KvmError } from "./errors.js";
import { NATIVE, type NativeHandle, native } from "./load-native.js";

/** Which call failed. */
export interface CallFacts {
  readonly ioctl?: string;
  readonly syscall?: string;
}

/** What went wrong, for a result below zero. */
export function failure(result: number, what: string, facts: CallFacts = {}): KvmError {
  switch (result) {
    case NATIVE.CLOSED:
      return new KvmError("ERR_KVM_CLOSED", { what, ...facts });
    case NATIVE.WRONG_THREAD:
      return new KvmError("ERR_KVM_WRONG_THREAD", { what, ...facts });
    case NATIVE.BUFFER:
      return new KvmError("ERR_KVM_BUFFER", { what, ...facts });
    case NATIVE.RANGE:
    case NATIVE.ARGUMENT:
      return new KvmError("ERR_KVM_ARGUMENT", {
        what: facts.ioctl ?? what,
        value: "an argument of another type",
        allowed: "what the types say, in memory that is not shared",
        ...facts,
      });
    case NATIVE.ADDRESS:
      return new KvmError("ERR_KVM_ADDRESS", { what, ...facts });
    default: {
      const errno = -result;
      return facts.ioctl === undefined
        ? new KvmError("ERR_KVM_SYSTEM_CALL", { what, errno, ...facts })
        : new KvmError("ERR_KVM_IOCTL", { what, errno, ...facts });
    }
  }
}

/** A handle, or the error that came instead. */
export function handleOr(result: NativeHandle | number, what: string, facts: CallFacts = {}): NativeHandle {
  if (typeof result === "number") throw failure(result, what, facts);
  return result;
}

/** Another handle to what a thread of this process has open; `types` are bits of native/kvmkit.h. */
export function attach(what: string, id: number, types: number): NativeHandle {
  const result = native().attach(id, types);
  if (result === NATIVE.NO_SUCH_ID) throw new KvmError("ERR_KVM_NO_SUCH_ID", { what, id });
  return handleOr(result, what);
}

/** The native handle behind an object of this package. */
export let handleOf: (object: Handled) => NativeHandle;

export abstract class Handled {
  readonly #handle: NativeHandle;
  /** For messages: `Vcpu 0`. */
  readonly #what: string;
  #closed = false;

  static {
    handleOf = (object) => object.#handle;
  }

  /** @internal */
  protected constructor(handle: NativeHandle, what: string) {
    this.#handle = handle;
    this.#what = what;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Identifies the object in the process; another thread's `attach(id)` finds it while it is open. */
  get id(): number {
    return this.checked(this.#handle.id());
  }

  /** Gives the object back; calls after that throw ERR_KVM_CLOSED. Closing twice does nothing. */
  close(): void {
    this.#closed = true;
    this.#handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal A result that is no error. */
  protected checked(result: number, facts: CallFacts = {}): number {
    if (result < 0) throw this.failed(result, facts);
    return result;
  }

  /** @internal */
  protected failed(result: number, facts: CallFacts = {}): KvmError {
    return failure(result, this.#what, facts);
  }
}
