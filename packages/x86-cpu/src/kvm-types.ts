/** Register structures in the field names and units of KVM (api.rst, KVM_GET_REGS, KVM_GET_SREGS, KVM_GET_FPU…). */

/** `struct kvm_regs` */
export interface KvmRegs {
  rax: bigint;
  rbx: bigint;
  rcx: bigint;
  rdx: bigint;
  rsi: bigint;
  rdi: bigint;
  rsp: bigint;
  rbp: bigint;
  r8: bigint;
  r9: bigint;
  r10: bigint;
  r11: bigint;
  r12: bigint;
  r13: bigint;
  r14: bigint;
  r15: bigint;
  rip: bigint;
  rflags: bigint;
}

/** `struct kvm_segment` */
export interface KvmSegment {
  base: bigint;
  /** In bytes, expanded by the granularity bit. */
  limit: number;
  selector: number;
  type: number;
  present: number;
  dpl: number;
  db: number;
  s: number;
  l: number;
  g: number;
  avl: number;
  unusable: number;
}

/** `struct kvm_dtable` */
export interface KvmDtable {
  base: bigint;
  limit: number;
}

/** `struct kvm_sregs`, without the interrupt bitmap: interrupts are queued by `Cpu.interrupt`. */
export interface KvmSregs {
  cs: KvmSegment;
  ds: KvmSegment;
  es: KvmSegment;
  fs: KvmSegment;
  gs: KvmSegment;
  ss: KvmSegment;
  tr: KvmSegment;
  ldt: KvmSegment;
  gdt: KvmDtable;
  idt: KvmDtable;
  cr0: bigint;
  cr2: bigint;
  cr3: bigint;
  cr4: bigint;
  cr8: bigint;
  efer: bigint;
  apic_base: bigint;
}

/** `struct kvm_fpu` */
export interface KvmFpu {
  /** ST(0) to ST(7): 16 bytes each, of which 10 are used. */
  fpr: Uint8Array[];
  fcw: number;
  fsw: number;
  /** Abridged tag word: a bit for each physical register that is not empty. */
  ftwx: number;
  last_opcode: number;
  last_ip: bigint;
  last_dp: bigint;
  /** 16 bytes each. */
  xmm: Uint8Array[];
  mxcsr: number;
}

/** `struct kvm_debugregs` */
export interface KvmDebugregs {
  db: bigint[];
  dr6: bigint;
  dr7: bigint;
  flags: bigint;
}

/** `struct kvm_vcpu_events`, as far as a processor without APIC and SMM has it. */
export interface KvmVcpuEvents {
  exception: { injected: number; nr: number; has_error_code: number; pending: number; error_code: number };
  interrupt: { injected: number; nr: number; soft: number; shadow: number };
  nmi: { injected: number; pending: number; masked: number };
}

/** `struct kvm_msr_entry` */
export interface KvmMsrEntry {
  index: number;
  data: bigint;
}

/** `struct kvm_translation` */
export interface KvmTranslation {
  linear_address: bigint;
  physical_address: bigint;
  valid: number;
  writeable: number;
  usermode: number;
}
