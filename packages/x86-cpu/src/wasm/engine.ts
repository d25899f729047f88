/**
 * The WebAssembly engine: runs 64-bit code in the module that it emits, and hands to the TypeScript engine what the module
 * leaves out: other modes, rare instructions, and everything that faults or leaves for the VMM.
 */
import { CR0, CR4, RFLAGS } from "../architecture.js";
import type { CodeCache, CodePage } from "../code-cache.js";
import { decode } from "../decode.js";
import { CpuError } from "../errors.js";
import type { Instruction } from "../instruction.js";
import { Ended, type Interpreter } from "../interpreter.js";
import { Engine, State, Tlb } from "../layout.js";
import type { Machine } from "../machine.js";
import { isCanonical, Kind, lastTranslation, PAGE_MASK, tlbEntry, tryTranslate } from "../paging.js";
import { webAssembly } from "../webassembly.js";
import { BlockBuilder } from "./blocks.js";
import { Reason } from "./emitter.js";
import { buildModule, makeHandlers } from "./module.js";
import { Field } from "./records.js";

const RIP = State.rip >> 2;
const VERIFIED = Tlb.write >> 2;
const PAGE = Tlb.page >> 2;
const NOT_VERIFIED = 1;
const MXCSR_PLAIN_MASK = 0xffe0;
const MXCSR_PLAIN = 0x1fa0;

/** Record to start from, instructions left; returns a `Reason`. */
type Enter = (record: number, left: number) => number;

/** Made for the first processor that needs them: for private and for shared memory. */
const modules: { private?: object; shared?: object } = {};
let handlers: ReturnType<typeof makeHandlers> | undefined;

function compiledModule(shared: boolean): object {
  handlers ??= makeHandlers();
  const key = shared ? "shared" : "private";
  return (modules[key] ??= new webAssembly!.Module(buildModule(handlers, shared)));
}

/** Whether this host can compile the module: WebAssembly with 128-bit SIMD, and code generation allowed. */
export class WasmEngine {
  private readonly m: Machine;
  private readonly interpreter: Interpreter;
  private readonly cache: CodeCache;
  private readonly builder: BlockBuilder;
  private readonly enter: Enter;

  /** Throws `ERR_CPU_ENGINE` where the host cannot run the module. */
  constructor(m: Machine, cache: CodeCache, interpreter: Interpreter) {
    this.m = m;
    this.cache = cache;
    this.interpreter = interpreter;
    this.enter = this.instantiate();
    this.builder = new BlockBuilder(m, cache, handlers!.keys(), (page, offset) =>
      this.decodeAt(page, offset),
    );
  }

  private instantiate(): Enter {
    const { wasm } = this.m.memory;
    const shared = typeof SharedArrayBuffer !== "undefined" && wasm.buffer instanceof SharedArrayBuffer;
    try {
      const fill = (lo: number, hi: number, writes: number) => this.fill(lo, hi, writes !== 0);
      const { exports } = new webAssembly!.Instance(compiledModule(shared), { env: { memory: wasm, fill } });
      return exports["enter"] as Enter;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CpuError("ERR_CPU_ENGINE", `the WebAssembly engine does not run here: ${reason}`, { reason });
    }
  }

  /** The VMM may have written to guest memory: pages are looked at again before they are executed. */
  beginRun(): void {
    const { i32 } = this.m;
    for (let entry = Tlb.fetchUser >> 2; entry < Tlb.end >> 2; entry += Tlb.stride >> 2) {
      i32[entry + VERIFIED] = NOT_VERIFIED;
    }
  }

  /** As `Interpreter.burst`. */
  burst(count: number): number {
    const { m, interpreter } = this;
    let left = count;
    while (left > 0) {
      const record = m.long64 ? this.locate() : 0;
      if (record === 0) {
        const before = m.instructions;
        const ended = interpreter.burst(m.long64 ? 1 : left);
        left -= m.instructions - before;
        if (ended !== Ended.boundary || m.attention || !m.long64) return ended;
        continue;
      }
      left = this.execute(record, left);
      if (left > 0 && this.needsOther) {
        const ended = interpreter.burst(1);
        left--;
        if (ended !== Ended.boundary || m.attention) return ended;
      }
    }
    return Ended.boundary;
  }

  /** The module has left an instruction to the other engine. */
  private needsOther = false;

  /** Runs records until the module leaves for something else than a block that it does not have. Returns what is left. */
  private execute(first: number, count: number): number {
    const { m } = this;
    const { i32 } = m;
    i32[Engine.dataTlb >> 2] = m.tlb << 2;
    i32[Engine.fetchTlb >> 2] = m.fetchTlb << 2;
    i32[Engine.plainFloat >> 2] = (i32[State.mxcsr >> 2]! & MXCSR_PLAIN_MASK) === MXCSR_PLAIN ? 1 : 0;
    let record = first;
    let left = count;
    this.needsOther = false;
    for (;;) {
      const reason = this.enter(record, left);
      const rest = i32[Engine.left >> 2]!;
      m.instructions += left - rest;
      left = rest;
      if (reason === Reason.bail || reason === Reason.budget) {
        // A block that is longer than the budget is executed one by one.
        this.needsOther = true;
        return left;
      }
      const from = i32[Engine.record >> 2]!;
      const { generation } = this.builder;
      record = this.locate();
      if (record === 0) {
        this.needsOther = true;
        return left;
      }
      if (reason === Reason.link && generation === this.builder.generation)
        i32[(from + Field.immediate) >> 2] = record;
    }
  }

  /** The record for RIP, with page and fetch TLB set up; 0 where the other engine has to find out. */
  private locate(): number {
    const { m } = this;
    const { i32 } = m;
    // The emitted SSE handlers check neither; the other engine raises #UD or #NM.
    if ((m.cr0 & (CR0.EM | CR0.TS)) !== 0 || (m.cr4 & CR4.OSFXSR) === 0) return 0;
    const zeroAndSign = RFLAGS.ZF | RFLAGS.SF;
    if ((m.flags & zeroAndSign) === zeroAndSign) return 0;
    const lo = i32[RIP]!;
    const hi = i32[RIP + 1]!;
    const entry = tlbEntry(m.fetchTlb, lo);
    const page = lo & PAGE_MASK;
    if (i32[entry] !== page || i32[entry + 1] !== hi) {
      if (!isCanonical(hi)) return 0;
      if (tryTranslate(m, m.fetchTlb, lo, hi, Kind.fetch) < 0) return 0;
    }
    const codePage = this.cache.page(i32[entry + PAGE]!);
    i32[entry + VERIFIED] = page;
    i32[entry + VERIFIED + 1] = hi;
    i32[Engine.ripPage >> 2] = page;
    i32[(Engine.ripPage >> 2) + 1] = hi;
    i32[Engine.physicalPage >> 2] = codePage.index << 12;
    return this.builder.block(codePage, lo & 0xfff);
  }

  /** Decodes for a block; what crosses a page end or is no instruction is left to the other engine. */
  private decodeAt(page: CodePage, offset: number): Instruction | undefined {
    const slots = page.slotsFor(8);
    const known = slots[offset];
    if (known) return known.crosses ? undefined : known;
    const decoded = decode(this.m.u8, page.pointer + offset, page.pointer + 0x1000, 8);
    if (typeof decoded !== "object") return undefined;
    page.add(offset, decoded.length, 8, decoded);
    return decoded;
  }

  /** Fills the TLB for one page. Whether it can be accessed in this way without further ado. */
  private fill(lo: number, hi: number, writes: boolean): number {
    const { m } = this;
    if (m.tlb === Tlb.never >> 2 || !isCanonical(hi)) return 0;
    tryTranslate(m, m.tlb, lo, hi, writes ? Kind.write : Kind.read);
    if (lastTranslation().error !== 0) return 0;
    const entry = tlbEntry(m.tlb, lo) + ((writes ? Tlb.write : Tlb.read) >> 2);
    return m.i32[entry] === (lo & PAGE_MASK) && m.i32[entry + 1] === hi ? 1 : 0;
  }
}
