/**
 * The kernel heap: caches of small objects of one size (*slab*), carved from pages that are never given back.
 *
 * A cache is three quadwords: the free list (the first 8 bytes of a free object are its link), the part of the newest
 * page that was not carved yet, and how many objects there are in both. Reserving comes before any change that needs
 * objects, so that what runs out of memory has changed nothing.
 */
import { type Assembler, mem, rax, rcx, rdx } from "@kvmkit/x86-asm";
import { DIRECT_MAP_BASE, PAGE_SIZE } from "./abi/index.js";
import { fn, global, variable } from "./emit.js";

export interface Slab {
  /** Functions are `<name>_reserve`, `<name>_alloc`, `<name>_free`. */
  readonly name: string;
  /** A divisor of the page size. */
  readonly objectSize: number;
}

export function emitSlab(a: Assembler, { name, objectSize }: Slab): void {
  const freeList = `${name}_free_list`;
  const uncarved = `${name}_uncarved`;
  const available = `${name}_available`;
  for (const field of [freeList, uncarved, available]) variable(a, field);
  emitReserve(a, name, objectSize);
  emitAlloc(a, name, objectSize);
  emitFree(a, name);
}

/**
 * <name>_reserve: makes sure that the next allocations succeed.
 * Entry: rcx = how many objects, at most a page full. Exit: CF = 1 if there is no memory. Clobbers rax, rcx, rdx.
 */
function emitReserve(a: Assembler, name: string, objectSize: number): void {
  const fnName = `${name}_reserve`;
  fn(a, fnName);
  a.cmp(global(`${name}_available`), rcx);
  a.jae(`${fnName}.enough`);
  a.call("alloc_page");
  a.test(rax, rax);
  a.stc();
  a.jz(`${fnName}.out`);
  a.movabs(rdx, DIRECT_MAP_BASE);
  a.add(rdx, rax);
  // What is left of the old page goes to the free list.
  a.label(`${fnName}.rest`);
  a.mov(rax, global(`${name}_uncarved`));
  a.test(rax, PAGE_SIZE - 1);
  a.jz(`${fnName}.new`);
  a.mov(rcx, global(`${name}_free_list`));
  a.mov(mem.qword(rax), rcx);
  a.mov(global(`${name}_free_list`), rax);
  a.add(global(`${name}_uncarved`), objectSize);
  a.jmp(`${fnName}.rest`);
  a.label(`${fnName}.new`);
  a.mov(global(`${name}_uncarved`), rdx);
  a.add(global(`${name}_available`), PAGE_SIZE / objectSize);
  a.label(`${fnName}.enough`);
  a.clc();
  a.label(`${fnName}.out`);
  a.ret();
}

/** <name>_alloc: an object that was reserved. Exit: rax = Gva; its contents are anything. Clobbers RFLAGS. */
function emitAlloc(a: Assembler, name: string, objectSize: number): void {
  const fnName = `${name}_alloc`;
  fn(a, fnName);
  a.dec(global(`${name}_available`));
  a.mov(rax, global(`${name}_free_list`));
  a.test(rax, rax);
  a.jz(`${fnName}.carve`);
  a.push(mem.qword(rax));
  a.pop(global(`${name}_free_list`));
  a.ret();
  a.label(`${fnName}.carve`);
  a.mov(rax, global(`${name}_uncarved`));
  a.add(global(`${name}_uncarved`), objectSize);
  a.ret();
}

/** <name>_free: gives an object back. Entry: rdx = Gva. Clobbers rax, RFLAGS. */
function emitFree(a: Assembler, name: string): void {
  fn(a, `${name}_free`);
  a.mov(rax, global(`${name}_free_list`));
  a.mov(mem.qword(rdx), rax);
  a.mov(global(`${name}_free_list`), rdx);
  a.inc(global(`${name}_available`));
  a.ret();
}
