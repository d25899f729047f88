/** The error tables of all packages in one shape: package name -> rows of code, message, remedy. */
import { ERROR_TABLE as elf } from "@kvmkit/elf";
import { KERNEL_ERRORS } from "@kvmkit/guest-kernel";
import { ERROR_TABLE as hypervisor } from "@kvmkit/hypervisor";
import { errors as kvmBindings } from "@kvmkit/kvm-bindings";
import { ASM_ERRORS } from "@kvmkit/x86-asm";
import { CPU_ERRORS } from "@kvmkit/x86-cpu";
import { ERROR_TABLE as cli } from "../dist/tsc/errors.js";

/** The assembler's hints belong to each message; what they have in common is this. */
const ASM_REMEDY = "The message has the position, and a hint where one form was nearly right.";

export const errorTables = {
  "@kvmkit/cli": cli,
  "@kvmkit/hypervisor": hypervisor,
  "@kvmkit/guest-kernel": fromRecord(KERNEL_ERRORS),
  "@kvmkit/x86-asm": Object.entries(ASM_ERRORS).map(([code, message]) => ({
    code,
    message,
    remedy: ASM_REMEDY,
  })),
  "@kvmkit/elf": elf,
  "@kvmkit/kvm-bindings": fromRecord(kvmBindings),
  "@kvmkit/x86-cpu": Object.entries(CPU_ERRORS).map(([code, remedy]) => ({
    code,
    message: "The message says what was asked for and what is allowed.",
    remedy,
  })),
};

function fromRecord(errors) {
  return Object.entries(errors).map(([code, { message, remedy }]) => ({ code, message, remedy }));
}
