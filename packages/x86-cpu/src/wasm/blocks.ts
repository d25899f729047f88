/**
 * Blocks: records for the instructions from one address to the next branch that is always taken, within one page. Links
 * between blocks of a page are pointers in their records; the cache of blocks finds the others.
 */
import type { CodeCache, CodePage } from "../code-cache.js";
import { type Instruction, type Operand, OperandKind } from "../instruction.js";
import { Arena, Engine } from "../layout.js";
import type { Machine } from "../machine.js";
import { FUSED_SIZES, FUSIBLE } from "./handlers/branches.js";
import { addressOf, lower } from "./lower.js";
import { blockCacheEntry } from "./module.js";
import { Field, MAX_BLOCK, type MicroOp, RECORD_SIZE, RECORDS_END } from "./records.js";

/** Decodes the instruction at an offset of a page; `undefined` where that faults, or it goes on in the next page. */
export type DecodeAt = (page: CodePage, offset: number) => Instruction | undefined;

/** A record with what the block's end will add to it. */
interface Draft extends MicroOp {
  readonly offset: number;
  readonly count: number;
}

export class BlockBuilder {
  private readonly m: Machine;
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly decodeAt: DecodeAt;
  /** Records of blocks by page, then by offset. */
  private readonly byPage = new Map<number, Map<number, number>>();
  private free: number = Arena.records;
  /** How often everything was forgotten: pointers to records of before are void. */
  generation = 0;

  constructor(m: Machine, cache: CodeCache, handlers: Iterable<string>, decodeAt: DecodeAt) {
    this.m = m;
    this.decodeAt = decodeAt;
    this.numbers = new Map([...handlers].map((name, number) => [name, number]));
    cache.dropped = (page) => this.drop(page.index);
    this.clear();
  }

  /** Forgets all blocks. */
  clear(): void {
    this.generation++;
    this.byPage.clear();
    this.free = Arena.records;
    this.m.i32.fill(-1, Arena.blocks >> 2, Arena.records >> 2);
  }

  private drop(page: number): void {
    const blocks = this.byPage.get(page);
    if (blocks === undefined) return;
    this.byPage.delete(page);
    for (const offset of blocks.keys()) {
      const entry = blockCacheEntry(page * 0x1000 + offset) >> 2;
      if (this.m.i32[entry] === ((page * 0x1000 + offset) | 0)) this.m.i32[entry] = -1;
    }
  }

  /** The record that a block starts with; makes it if need be. */
  block(page: CodePage, offset: number): number {
    const known = this.byPage.get(page.index)?.get(offset);
    const record = known ?? this.build(page, offset);
    const physical = page.index * 0x1000 + offset;
    const entry = blockCacheEntry(physical) >> 2;
    this.m.i32[entry] = physical;
    this.m.i32[entry + 1] = record;
    return record;
  }

  private build(page: CodePage, offset: number): number {
    const drafts = this.draft(page, offset);
    if (this.free + drafts.length * RECORD_SIZE > RECORDS_END) this.clear();
    const first = this.free;
    this.free += drafts.length * RECORD_SIZE;
    let remaining = drafts.reduce((sum, { count }) => sum + count, 0);
    drafts.forEach((draft, n) => {
      this.write(first + n * RECORD_SIZE, draft, remaining);
      remaining -= draft.count;
    });
    let blocks = this.byPage.get(page.index);
    if (blocks === undefined) this.byPage.set(page.index, (blocks = new Map()));
    blocks.set(offset, first);
    return first;
  }

  private write(at: number, draft: Draft, remaining: number): void {
    const { view } = this.m;
    view.setUint16(at + Field.handler, this.numbers.get(draft.handler)!, true);
    view.setUint16(at + Field.offset, draft.offset, true);
    view.setUint16(at + Field.destination, draft.destination ?? 0, true);
    view.setUint16(at + Field.source, draft.source ?? 0, true);
    view.setUint16(at + Field.base, draft.base ?? 0, true);
    view.setUint16(at + Field.index, draft.index ?? 0, true);
    view.setUint8(at + Field.shift, draft.shift ?? 0);
    view.setUint8(at + Field.count, draft.count);
    view.setUint16(at + Field.remaining, remaining, true);
    view.setBigInt64(at + Field.displacement, draft.displacement ?? 0n, true);
    view.setBigInt64(at + Field.immediate, draft.immediate ?? 0n, true);
  }

  private draft(page: CodePage, start: number): Draft[] {
    const drafts: Draft[] = [];
    let offset = start;
    for (let n = 0; n < MAX_BLOCK; n++) {
      const i = offset < 0x1000 ? this.decodeAt(page, offset) : undefined;
      if (i === undefined) {
        // The next page, or an instruction that the other engine has to fetch.
        drafts.push(offset < 0x1000 ? bail(offset) : fallThrough(offset));
        return drafts;
      }
      const next = offset + i.length;
      const branch = nearBranch(i, next);
      if (branch) {
        addBranch(drafts, branch, offset);
        if (branch.ends) return drafts;
      } else {
        const ops = lower(i, { next });
        if (ops === undefined) {
          drafts.push(bail(offset));
          return drafts;
        }
        const place = offset;
        // The instruction counts with its first record: only that one can leave.
        ops.forEach((op, k) => {
          drafts.push({ ...op, offset: place, count: k === ops.length - 1 ? 1 : 0 });
        });
      }
      offset = next;
    }
    drafts.push(fallThrough(offset));
    return drafts;
  }
}

function bail(offset: number): Draft {
  return { handler: "bail", offset, count: 1 };
}

/** Goes on at an offset, as a branch that is no instruction. */
function fallThrough(offset: number): Draft {
  const near = offset < 0x1000;
  return {
    handler: near ? "jmp.near" : "jmp.far",
    displacement: BigInt(offset),
    offset: offset & 0xfff,
    count: 0,
  };
}

interface Branch {
  readonly ops: readonly MicroOp[];
  /** Nothing behind it is executed. */
  readonly ends: boolean;
  /** Condition number, where there is one and the target is in the page. */
  readonly fusible: number;
}

/** A near branch as records, or `undefined`. */
function nearBranch(i: Instruction, next: number): Branch | undefined {
  const { mnemonic } = i.form;
  const returnOffset = BigInt(next) << 32n;
  if (mnemonic === "ret")
    return { ops: [{ handler: "ret", immediate: BigInt(i.a.lo) }], ends: true, fusible: -1 };
  if (mnemonic === "jmp" || mnemonic === "call") {
    if (i.a.kind === OperandKind.relative) {
      const target = next + i.a.lo;
      const handler = `${mnemonic}.${isInPage(target) ? "near" : "far"}`;
      const immediate = mnemonic === "call" ? returnOffset : 0n;
      return { ops: [{ handler, displacement: BigInt(target), immediate }], ends: true, fusible: -1 };
    }
    const ops = indirect(i, next, returnOffset);
    return ops && { ops, ends: true, fusible: -1 };
  }
  if (!mnemonic.startsWith("j") || i.a.kind !== OperandKind.relative || /cxz$/.test(mnemonic))
    return undefined;
  const target = next + i.a.lo;
  const number = i.opcode & 15;
  const near = isInPage(target);
  const handler = `j${number}.${near ? "near" : "far"}`;
  return { ops: [{ handler, displacement: BigInt(target) }], ends: false, fusible: near ? number : -1 };
}

function isInPage(offset: number): boolean {
  return offset >= 0 && offset < 0x1000;
}

/** JMP and CALL through a register, or through memory that a record in front loads. */
function indirect(i: Instruction, next: number, immediate: bigint): readonly MicroOp[] | undefined {
  if (i.a.size !== 8) return undefined;
  const handler = `${i.form.mnemonic}.r`;
  if (i.a.kind === OperandKind.gpr64) return [{ handler, source: addressOf(i.a), immediate }];
  const load = lower({ ...i, b: i.a, a: OPERAND, form: { ...i.form, mnemonic: "mov" } }, { next });
  return load && [...load, { handler, source: Engine.operand, immediate }];
}

/** The engine's operand slot as a register. */
const OPERAND: Operand = {
  kind: OperandKind.gpr64,
  size: 8,
  register: 0,
  index: Engine.operand >> 2,
  lo: 0,
  hi: 0,
};

/** Adds a branch; a comparison of registers right in front of it becomes one with it. */
function addBranch(drafts: Draft[], { ops, fusible }: Branch, offset: number): void {
  const before = drafts[drafts.length - 1];
  const fused = before && fusible >= 0 ? fuse(before, fusible) : undefined;
  if (fused) {
    const [branch] = ops;
    drafts[drafts.length - 1] = { ...fused, displacement: branch!.displacement! };
    return;
  }
  ops.forEach((op, k) => {
    drafts.push({ ...op, offset, count: k === ops.length - 1 ? 1 : 0 });
  });
}

function fuse(before: Draft, number: number): Draft | undefined {
  const match = /^(cmp|test)\.r([ri])\.(8|32|64)$/.exec(before.handler);
  if (!match || before.count !== 1 || !FUSIBLE.includes(number)) return undefined;
  if (!FUSED_SIZES.includes(Number(match[3]) as 8)) return undefined;
  const handler = `${before.handler}.j${number}`;
  if (match[2] === "r") return { ...before, handler, count: 2 };
  const immediate = Number(BigInt.asUintN(32, before.immediate!));
  const { immediate: _moved, ...rest } = before;
  return { ...rest, handler, base: immediate & 0xffff, index: immediate >>> 16, count: 2 };
}
