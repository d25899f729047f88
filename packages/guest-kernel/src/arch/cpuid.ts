/**
 * The feature bits that the kernel asks for. None is required: where CPUID does not show one, the kernel goes
 * without. Source: SDM Vol. 2A, "CPUID - CPU Identification".
 */
export interface CpuidFeature {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: "ebx" | "ecx" | "edx";
  readonly bit: number;
}

export const CPUID = {
  XSAVE: { leaf: 1, subleaf: 0, register: "ecx", bit: 26 },
  FSGSBASE: { leaf: 7, subleaf: 0, register: "ebx", bit: 0 },
  SMEP: { leaf: 7, subleaf: 0, register: "ebx", bit: 7 },
  SMAP: { leaf: 7, subleaf: 0, register: "ebx", bit: 20 },
  UMIP: { leaf: 7, subleaf: 0, register: "ecx", bit: 2 },
} as const satisfies Record<string, CpuidFeature>;

/** Leaf whose EDX:EAX are the bits of XCR0 that may be set. */
export const CPUID_XSTATE_LEAF = 0xd;
