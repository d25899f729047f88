/** The error tables of all packages, for `kvm explain` and docs/errors.md. */
import { ERROR_TABLE as ELF_ERRORS } from "@kvmkit/elf";
import { ERROR_TABLE as VM_ERRORS } from "@kvmkit/hypervisor";
import { ASM_ERRORS } from "@kvmkit/x86-asm";
import { ERROR_TABLE as CLI_ERRORS, type ErrorRow } from "./errors.js";

/** The assembler's hints belong to each message; what they have in common is this. */
const ASM_REMEDY = "The message has the position, and a hint where one form was nearly right.";

export const ERROR_TABLES: Readonly<Record<string, readonly ErrorRow[]>> = {
  "@kvmkit/cli": CLI_ERRORS,
  "@kvmkit/x86-asm": Object.entries(ASM_ERRORS).map(([code, message]) => ({
    code,
    message,
    remedy: ASM_REMEDY,
  })),
  "@kvmkit/elf": ELF_ERRORS,
  "@kvmkit/hypervisor": VM_ERRORS,
};

export const ALL_ERRORS: readonly ErrorRow[] = Object.values(ERROR_TABLES).flat();
