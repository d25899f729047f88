/** Checks of what callers pass in: each refuses with a KvmError that says what was found and what is allowed. */
import { type CapabilityName, capabilities } from "./capabilities.js";
import { KvmError } from "./errors.js";

/** The number of a capability given by name or number. */
export function capabilityNumber(capability: CapabilityName | number): number {
  const number = typeof capability === "number" ? capability : capabilities[capability];
  if (!Number.isInteger(number) || number < 0)
    throw new KvmError("ERR_KVM_ARGUMENT", {
      what: "capability",
      value: capability,
      allowed: "a KVM_CAP_ name of src/capabilities.ts, or a number",
    });
  return number;
}

/** Refuses what is not an integer of [min, max]. */
export function integerOf(what: string, value: number, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
    throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: `an integer from ${min} to ${max}` });
  return value;
}

/** Refuses what is not an array. */
export function arrayOf<T>(what: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value;
  throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: "an array" });
}

/** A class, also one whose constructor is private. */
interface Class<T> {
  readonly name: string;
  readonly prototype: T;
  [Symbol.hasInstance](value: unknown): boolean;
}

/** Refuses what is not an instance of the class; undefined passes. */
export function instanceOf<T>(what: string, value: T | undefined, type: Class<T>): T | undefined {
  if (value === undefined || type[Symbol.hasInstance](value)) return value;
  throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: `a ${type.name}` });
}

/** Refuses what is not a bigint of 64 bits. */
export function u64Of(what: string, value: bigint): bigint {
  if (typeof value !== "bigint" || value < 0n || value > 0xffff_ffff_ffff_ffffn)
    throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: "a bigint of 64 bits" });
  return value;
}
