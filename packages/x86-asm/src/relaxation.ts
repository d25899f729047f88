/**
 * Gives every branch its shortest form that reaches.
 *
 * All branches start short and only grow, as GNU as does it, so the loop ends, and without alignment in between
 * the result is the least one. A pass walks the fixes of a section once; a branch that looks forward assumes
 * that what lies between moves as much as it has moved itself.
 */
import { FixKind, FixWord, type SectionBuffer } from "./sections.js";
import type { SymbolTable } from "./symbols.js";

/** Where everything in a section ends up. */
export interface SectionLayout {
  readonly section: SectionBuffer;
  /** Bytes by which the fixes before the i-th have grown; one more entry than there are fixes. */
  readonly growth: Int32Array;
  readonly sizeBytes: number;
}

/** Bytes that the long form has beyond the short one: JMP E9 loses no opcode byte, Jcc gains the 0F. */
export function branchGrowth(opcode: number, longWidth: number): number {
  return longWidth - 1 + (opcode === 0xeb ? 0 : 1);
}

export function relax(section: SectionBuffer, symbols: SymbolTable): SectionLayout {
  const { fixes, bytes, fixCount: count } = section;
  let growth = new Int32Array(count + 1);
  const own = new Int32Array(count);
  const region = regions(section);
  for (let changed = true; changed; ) {
    changed = false;
    const next = new Int32Array(count + 1);
    for (let i = 0; i < count; i++) {
      const at = i * FixWord.stride;
      const kind = fixes[at + FixWord.kind]!;
      if (kind === FixKind.branch && own[i] === 0) {
        const stretch = next[i]! - growth[i]!;
        if (!reaches(section, symbols, i, next, growth, region, stretch)) {
          own[i] = branchGrowth(bytes[fixes[at]!]!, fixes[at + FixWord.extra]!);
          changed = true;
        }
      } else if (kind === FixKind.align) {
        own[i] = padding(fixes[at]! + next[i]!, Number(section.addends[i]));
      }
      next[i + 1] = next[i]! + own[i]!;
      if (next[i + 1] !== growth[i + 1]) changed = true;
    }
    growth = next;
  }
  return { section, growth, sizeBytes: section.length + growth[count]! };
}

/** Bytes up to the next multiple of `align`. */
export function padding(offset: number, align: number): number {
  const rest = offset % align;
  return rest === 0 ? 0 : align - rest;
}

/** Numbers the stretches between alignments: within one, everything moves alike. */
function regions({ fixes, fixCount }: SectionBuffer): Int32Array {
  const region = new Int32Array(fixCount + 1);
  for (let i = 0; i < fixCount; i++) {
    region[i + 1] = region[i]! + Number(fixes[i * FixWord.stride + FixWord.kind] === FixKind.align);
  }
  return region;
}

/** Whether the short form of branch `i` reaches its target. */
function reaches(
  section: SectionBuffer,
  symbols: SymbolTable,
  i: number,
  next: Int32Array,
  growth: Int32Array,
  region: Int32Array,
  stretch: number,
): boolean {
  const at = i * FixWord.stride;
  const symbol = symbols.entries[section.fixes[at + FixWord.symbol]!]!;
  if (symbol.place !== section.index) return false;
  const addend = section.addends[i]!;
  if (typeof addend === "bigint") return false;
  const end = section.fixes[at]! + 2 + next[i]!;
  const { fixesBefore } = symbol;
  let target = (symbol.value as number) + addend;
  if (fixesBefore <= i) target += next[fixesBefore]!;
  else {
    target += growth[fixesBefore]!;
    if (stretch < 0 || region[fixesBefore] === region[i]) target += stretch;
    else if (target < end - 2) return true;
  }
  const distance = target - end;
  return distance >= -128 && distance <= 127;
}
