/**
 * What CPUID says by default: long mode, SSE2, no SSE3 or later, no XSAVE or AVX, no BMI, so that C libraries take
 * the paths that this processor has. SDM Vol. 2A, "CPUID—CPU Identification"; leaf 40000000H: KVM cpuid.rst.
 */
import type { CpuidEntry, Machine } from "./machine.js";

const bits = (...positions: readonly number[]): number =>
  positions.reduce((value, bit) => value | (1 << bit), 0);

/** EAX, EBX, ECX, EDX of a leaf; the subleaf where it matters. */
type Leaf = readonly [leaf: number, eax: number, ebx: number, ecx: number, edx: number, subleaf?: number];

/** Three (or four) registers of text, in the order that they are given. */
function text(value: string, word: number): number {
  const bytes = [0, 1, 2, 3].map((n) => value.charCodeAt(word * 4 + n) || 0);
  return bytes.reduceRight((result, byte) => (result << 8) | byte, 0);
}

const VENDOR = "GenuineIntel";
const HYPERVISOR = "kvmkitkvmkit";
const BRAND = "kvmkit software CPU";

const LEAF_1_ECX = bits(13 /* CX16 */, 31 /* HYPERVISOR */);
const LEAF_1_EDX = bits(
  0 /* FPU */,
  2 /* DE */,
  3 /* PSE */,
  4 /* TSC */,
  5 /* MSR */,
  6 /* PAE */,
  8 /* CX8 */,
  11 /* SEP */,
  13 /* PGE */,
  15 /* CMOV */,
  16 /* PAT */,
  19 /* CLFSH */,
  23 /* MMX */,
  24 /* FXSR */,
  25 /* SSE */,
  26 /* SSE2 */,
);
const LEAF_7_EBX = bits(0 /* FSGSBASE */, 7 /* SMEP */, 20 /* SMAP */);
const LEAF_80000001_ECX = bits(0 /* LAHF in 64-bit mode */);
const LEAF_80000001_EDX = bits(11 /* SYSCALL */, 20 /* NX */, 26 /* 1 GiB pages */, 29 /* LM */);

/** Deterministic cache parameters: type and level, ways, sets of 64-byte lines. */
function cache(subleaf: number, type: number, level: number, ways: number, sets: number): Leaf {
  return [4, type | (level << 5) | (1 << 8), ((ways - 1) << 22) | 63, sets - 1, 0, subleaf];
}

const LEAVES: readonly Leaf[] = [
  [0, 7, text(VENDOR, 0), text(VENDOR, 2), text(VENDOR, 1)],
  // Family 6, model 15; lines of 64 bytes, one logical processor.
  [1, 0x6f0, (8 << 8) | (1 << 16), LEAF_1_ECX, LEAF_1_EDX],
  // 01: one call is enough; FF: see leaf 4.
  [2, 0xff01, 0, 0, 0],
  cache(0, 1, 1, 8, 64),
  cache(1, 2, 1, 8, 64),
  cache(2, 3, 2, 16, 1024),
  [4, 0, 0, 0, 0, 3],
  [7, 0, LEAF_7_EBX, 0, 0, 0],
  [0x40000000, 0x40000000, text(HYPERVISOR, 0), text(HYPERVISOR, 1), text(HYPERVISOR, 2)],
  [0x80000000, 0x80000008, text(VENDOR, 0), text(VENDOR, 2), text(VENDOR, 1)],
  [0x80000001, 0, 0, LEAF_80000001_ECX, LEAF_80000001_EDX],
  ...[0, 1, 2].map(
    (n): Leaf => [
      0x80000002 + n,
      text(BRAND, n * 4),
      text(BRAND, n * 4 + 1),
      text(BRAND, n * 4 + 2),
      text(BRAND, n * 4 + 3),
    ],
  ),
  [0x80000008, 40 | (48 << 8), 0, 0, 0],
];

/** `KVM_CPUID_FLAG_SIGNIFCANT_INDEX` */
const SUBLEAF_MATTERS = 1;

/** What this processor can do, as KVM_GET_SUPPORTED_CPUID says it. */
export function supportedCpuid(): CpuidEntry[] {
  return LEAVES.map(([leaf, eax, ebx, ecx, edx, subleaf]) => ({
    function: leaf,
    index: subleaf ?? 0,
    flags: subleaf === undefined ? 0 : SUBLEAF_MATTERS,
    eax: eax >>> 0,
    ebx: ebx >>> 0,
    ecx: ecx >>> 0,
    edx: edx >>> 0,
  }));
}

const NOTHING: CpuidEntry = { function: 0, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** The entry for a leaf, or, above the highest basic leaf, that of the highest (SDM Vol. 2A, "CPUID"). */
export function cpuidEntry(m: Machine, leaf: number, subleaf: number): CpuidEntry {
  const wanted = leaf >>> 0;
  const exact = findEntry(m, wanted, subleaf);
  if (exact) return exact;
  const isKnownLeaf = m.cpuid.some((entry) => entry.function === wanted);
  const highest = findEntry(m, 0, 0)?.eax ?? 0;
  const isBasic = wanted < 0x40000000;
  return (!isKnownLeaf && isBasic && wanted > highest && findEntry(m, highest, subleaf)) || NOTHING;
}

function findEntry(m: Machine, leaf: number, subleaf: number): CpuidEntry | undefined {
  return m.cpuid.find(
    (entry) =>
      entry.function === leaf && ((entry.flags & SUBLEAF_MATTERS) === 0 || entry.index === subleaf >>> 0),
  );
}

/** Installs a table, and derives from it what the rest of the processor has to know. */
export function setCpuid(m: Machine, entries: readonly CpuidEntry[]): void {
  m.cpuid = entries.map((entry) => ({ ...entry }));
  const width = findEntry(m, 0x80000008, 0)?.eax ?? 0;
  m.physicalBits = Math.min(Math.max(width & 0xff || 36, 32), 52);
  m.gigabytePages = ((findEntry(m, 0x80000001, 0)?.edx ?? 0) & (1 << 26)) !== 0;
}
