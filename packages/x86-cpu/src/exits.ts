/** Why `run` returned, in KVM's names and numbers (KVM api.rst, "The kvm_run structure"). */

export const EXIT_REASONS = {
  KVM_EXIT_IO: 2,
  KVM_EXIT_HLT: 5,
  KVM_EXIT_MMIO: 6,
  KVM_EXIT_IRQ_WINDOW_OPEN: 7,
  KVM_EXIT_SHUTDOWN: 8,
  KVM_EXIT_INTR: 10,
  KVM_EXIT_INTERNAL_ERROR: 17,
} as const;

export type ExitReason = keyof typeof EXIT_REASONS;

export type CpuExit =
  | {
      readonly reason: "KVM_EXIT_IO";
      /** KVM_EXIT_IO_IN or KVM_EXIT_IO_OUT */
      readonly direction: 0 | 1;
      readonly port: number;
      /** Bytes of one item: 1, 2 or 4. */
      readonly size: number;
      /** Items; more than one only for INS and OUTS. */
      readonly count: number;
      /** `size * count` bytes: what is written, or to be filled in place with what is read. */
      readonly data: Uint8Array;
    }
  | {
      readonly reason: "KVM_EXIT_MMIO";
      /** Guest-physical address. */
      readonly phys_addr: number;
      /** 1 to 8 bytes; to be filled in place where `is_write` is 0. */
      readonly data: Uint8Array;
      readonly len: number;
      readonly is_write: 0 | 1;
    }
  | { readonly reason: "KVM_EXIT_HLT" }
  | { readonly reason: "KVM_EXIT_IRQ_WINDOW_OPEN" }
  | { readonly reason: "KVM_EXIT_SHUTDOWN" }
  | {
      readonly reason: "KVM_EXIT_INTR";
      /** The budget is used up, or the stop flag is set. */
      readonly cause: "budget" | "stop";
    }
  | {
      readonly reason: "KVM_EXIT_INTERNAL_ERROR";
      /** KVM_INTERNAL_ERROR_EMULATION */
      readonly suberror: 1;
      /** Bytes at RIP, as far as they can be read. */
      readonly insn_bytes: Uint8Array;
    };

/** KVM_EXIT_IO_IN, KVM_EXIT_IO_OUT */
export const KVM_EXIT_IO_IN = 0;
export const KVM_EXIT_IO_OUT = 1;
