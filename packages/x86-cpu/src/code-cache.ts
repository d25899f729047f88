/**
 * Decoded instructions, by page of RAM. A page keeps what was decoded from it until one of the bytes behind that
 * changes: guest stores announce themselves (`Machine.codeWritten`), and what the VMM writes between two runs is
 * found by comparing a page with its copy when it is first fetched from in a run.
 */
import type { Instruction } from "./instruction.js";
import { PAGE_SIZE } from "./layout.js";
import type { Machine } from "./machine.js";
import { watchCodePage } from "./paging.js";

/** Decoded instructions by offset in the page, for one code size. */
export type Slots = (Instruction | undefined)[];

export class CodePage {
  /** Index into `codePages`. */
  readonly index: number;
  readonly pointer: number;
  /** For 16-, 32- and 64-bit code. */
  private readonly slots: Partial<Record<number, Slots>> = {};
  /** One for each byte that an instruction in `slots` was decoded from. */
  private readonly decoded = new Uint8Array(PAGE_SIZE);
  private readonly copy: Int32Array;
  private readonly live: Int32Array;
  /** The run in which it was last found unchanged. */
  checkedIn: number;

  constructor(m: Machine, index: number, run: number) {
    this.index = index;
    this.pointer = m.memory.ram.byteOffset + index * PAGE_SIZE;
    this.live = m.i32.subarray(this.pointer >> 2, (this.pointer + PAGE_SIZE) >> 2);
    this.copy = this.live.slice();
    this.checkedIn = run;
  }

  slotsFor(mode: number): Slots {
    return (this.slots[mode] ??= new Array(PAGE_SIZE));
  }

  add(offset: number, length: number, mode: number, instruction: Instruction): void {
    const end = Math.min(offset + length, PAGE_SIZE);
    this.decoded.fill(1, offset, end);
    this.slotsFor(mode)[offset] = instruction;
    for (let word = offset >> 2; word <= (end - 1) >> 2; word++) this.copy[word] = this.live[word]!;
  }

  /** Whether something was decoded from a range of bytes. */
  covers(offset: number, size: number): boolean {
    return this.decoded.subarray(offset, offset + size).includes(1);
  }

  /** Whether bytes that matter differ from what was decoded. Takes the others as they are now. */
  isStale(): boolean {
    const { live, copy, decoded } = this;
    for (let word = 0; word < live.length; word++) {
      if (live[word] === copy[word]) continue;
      const at = word * 4;
      const changed = live[word]! ^ copy[word]!;
      for (let n = 0; n < 4; n++) if ((changed >>> (n * 8)) & 0xff && decoded[at + n]) return true;
      copy[word] = live[word]!;
    }
    return false;
  }
}

/** Beyond this many pages everything is dropped: bounded memory, and no program's hot code is that large. */
const MAX_PAGES = 4096;

export class CodeCache {
  private readonly m: Machine;
  private readonly pages = new Map<number, CodePage>();
  /** Number of the run: what the VMM may have changed is looked for once in each. */
  private currentRun = 0;
  /** Told of a page whose instructions are no longer right. */
  dropped: (page: CodePage) => void = () => {};

  constructor(m: Machine) {
    this.m = m;
    m.codeWritten = (pointer, size) => this.written(pointer, size);
  }

  /** The VMM has had control since the last fetch. */
  beginRun(): void {
    this.currentRun++;
    this.m.closeWindow();
  }

  get run(): number {
    return this.currentRun;
  }

  /** The page of RAM at `index`, with what was decoded from it and is still right. */
  page(index: number): CodePage {
    let page = this.pages.get(index);
    if (page && page.checkedIn !== this.currentRun) {
      if (page.isStale()) {
        this.drop(page);
        page = undefined;
      } else page.checkedIn = this.currentRun;
    }
    return page ?? this.open(index);
  }

  private open(index: number): CodePage {
    if (this.pages.size >= MAX_PAGES) for (const old of [...this.pages.values()]) this.drop(old);
    const page = new CodePage(this.m, index, this.currentRun);
    this.pages.set(index, page);
    watchCodePage(this.m, index);
    return page;
  }

  private drop(page: CodePage): void {
    this.pages.delete(page.index);
    this.m.codePages[page.index] = 0;
    this.m.closeWindow();
    this.dropped(page);
  }

  /** A store is about to change bytes that lie in one page. */
  private written(pointer: number, size: number): void {
    const page = this.pages.get((pointer - this.m.memory.ram.byteOffset) >>> 12);
    if (page?.covers(pointer - page.pointer, size)) this.drop(page);
  }
}
