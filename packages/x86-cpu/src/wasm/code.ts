/** One function body in the making: instructions as methods, labels by name, locals by name. */
import {
  ByteWriter,
  Memory,
  type MemoryName,
  Op,
  type OpName,
  Simd,
  type SimdName,
  Type,
} from "./encoding.js";

/** A label that branches can name. */
export interface Label {
  readonly depth: number;
}

export class Code {
  readonly out = new ByteWriter();
  private depth = 0;

  /** Locals in groups of one type; `parameters` come before them. */
  locals(groups: readonly (readonly [count: number, type: number])[]): this {
    this.out.u32(groups.length);
    for (const [count, type] of groups) this.out.u32(count).byte(type);
    return this;
  }

  op(...names: readonly OpName[]): this {
    for (const name of names) this.out.byte(Op[name]);
    return this;
  }

  simd(name: SimdName, ...immediates: readonly number[]): this {
    this.out.byte(0xfd).u32(Simd[name]).bytes(immediates);
    return this;
  }

  /** v128.load and v128.store, which take an alignment and an offset. */
  v128(name: "v128.load" | "v128.store", offset = 0): this {
    this.out.byte(0xfd).u32(Simd[name]).byte(0).u32(offset);
    return this;
  }

  i32(value: number): this {
    this.out.byte(0x41).s32(value);
    return this;
  }

  i64(value: bigint | number): this {
    this.out.byte(0x42).s64(BigInt(value));
    return this;
  }

  v128const(bytes: readonly number[]): this {
    this.out.byte(0xfd).u32(Simd["v128.const"]).bytes(bytes);
    return this;
  }

  get(local: number): this {
    this.out.byte(0x20).u32(local);
    return this;
  }

  set(local: number): this {
    this.out.byte(0x21).u32(local);
    return this;
  }

  tee(local: number): this {
    this.out.byte(0x22).u32(local);
    return this;
  }

  /** A load or store at `offset` from the address on the stack; alignment is only a hint, and left at bytes. */
  mem(name: MemoryName, offset = 0): this {
    this.out.byte(Memory[name][0]).byte(0).u32(offset);
    return this;
  }

  call(index: number): this {
    this.out.byte(0x10).u32(index);
    return this;
  }

  private open(opcode: number, type: number): Label {
    this.out.byte(opcode).byte(type);
    return { depth: ++this.depth };
  }

  block(type: number = Type.none): Label {
    return this.open(0x02, type);
  }

  loop(type: number = Type.none): Label {
    return this.open(0x03, type);
  }

  if(type: number = Type.none): Label {
    return this.open(0x04, type);
  }

  else(): this {
    this.out.byte(0x05);
    return this;
  }

  end(): this {
    this.depth--;
    this.out.byte(0x0b);
    return this;
  }

  br({ depth }: Label): this {
    this.out.byte(0x0c).u32(this.depth - depth);
    return this;
  }

  brIf({ depth }: Label): this {
    this.out.byte(0x0d).u32(this.depth - depth);
    return this;
  }

  /** Jumps by the number on the stack; `labels[0]` for 0, `otherwise` beyond the last. */
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.out.byte(0x0e).u32(labels.length);
    for (const label of labels) this.out.u32(this.depth - label.depth);
    this.out.u32(this.depth - otherwise.depth);
    return this;
  }
}
