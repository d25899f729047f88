/**
 * From decoded instructions to records: a table by mnemonic of how each instruction is done by the interpreter's handlers.
 * What is not in it, and what has a form that the handlers do not do, is left to the TypeScript engine.
 */
import { Seg } from "../architecture.js";
import { type Instruction, type Operand, OperandKind } from "../instruction.js";
import { Engine, Segment, State } from "../layout.js";
import { CONDITION_NAMES } from "../operations/data-transfer.js";
import type { MicroOp } from "./records.js";

/** The records for an instruction, or `undefined` where it is left out. */
export type Lowering = (i: Instruction) => readonly MicroOp[] | undefined;

/** Address in the state of a register operand. */
export function addressOf({ kind, index, size }: Operand): number {
  if (kind === OperandKind.xmm) return index;
  return size === 1 ? index : size === 2 ? index * 2 : index * 4;
}

const isRegister = ({ kind }: Operand): boolean => kind >= OperandKind.gpr8 && kind <= OperandKind.gpr64;
const isMemory = ({ kind }: Operand): boolean => kind === OperandKind.memory;
const isImmediate = ({ kind }: Operand): boolean => kind === OperandKind.immediate;
const isXmm = ({ kind }: Operand): boolean => kind === OperandKind.xmm;
const bits = ({ size }: Operand): number => size * 8;

function value({ lo, hi }: Operand): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}

function segmentBase(segment: number): number {
  return State.segments + segment * Segment.stride;
}

interface Address {
  /** A record that has to come before, because base, index and segment do not fit into one. */
  readonly before: readonly MicroOp[];
  readonly fields: Pick<MicroOp, "base" | "index" | "shift" | "displacement">;
}

/** The memory operand of a record. RIP-relative addresses are relative to RIP's page: `at` is the next instruction's offset in it. */
function memory(i: Instruction, at: number): Address {
  const isRelative = i.base === State.rip >> 2;
  const displacement = ((BigInt(i.dispHi) << 32n) | BigInt(i.dispLo >>> 0)) + (isRelative ? BigInt(at) : 0n);
  const base = isRelative ? Engine.ripPage : i.base * 4;
  const plain = { base, index: i.index * 4, shift: i.shift, displacement };
  const segment = i.segment === Seg.FS || i.segment === Seg.GS ? segmentBase(i.segment) : undefined;
  if (i.addressSize === 8 && segment === undefined) return { before: [], fields: plain };
  const hasBase = i.base !== State.zero >> 2;
  const hasIndex = i.index !== State.zero >> 2;
  if (i.addressSize === 8 && segment !== undefined && !(hasBase && hasIndex)) {
    if (!hasBase) return { before: [], fields: { ...plain, base: segment } };
    return { before: [], fields: { ...plain, index: segment, shift: 0 } };
  }
  const handler = i.addressSize === 8 ? "address.64" : "address.32";
  const computed = { base: Engine.address, index: segment ?? State.zero, shift: 0, displacement: 0n };
  return { before: [{ handler, ...plain }], fields: computed };
}

/** Context of one instruction: offsets in its page. */
export interface Place {
  /** Of the next instruction. */
  readonly next: number;
}

let place: Place = { next: 0 };

/** One record with a memory operand. */
function withMemory(i: Instruction, op: MicroOp): MicroOp[] {
  const { before, fields } = memory(i, place.next);
  return [...before, { ...op, ...fields }];
}

// --- integers ---

/** `name.kind.size` for two operands of which at most one is memory. */
function two(name: string): Lowering {
  return (i) => {
    const size = bits(i.a);
    if (isRegister(i.a)) {
      const op = { destination: addressOf(i.a) };
      if (isRegister(i.b)) return [{ handler: `${name}.rr.${size}`, ...op, source: addressOf(i.b) }];
      if (isImmediate(i.b)) return [{ handler: `${name}.ri.${size}`, ...op, immediate: value(i.b) }];
      if (isMemory(i.b)) return withMemory(i, { handler: `${name}.rm.${size}`, ...op });
    }
    if (!isMemory(i.a)) return undefined;
    if (isRegister(i.b)) return withMemory(i, { handler: `${name}.mr.${size}`, source: addressOf(i.b) });
    return isImmediate(i.b)
      ? withMemory(i, { handler: `${name}.mi.${size}`, immediate: value(i.b) })
      : undefined;
  };
}

/** XOR and SUB of a register with itself are what they look like; nothing to gain but the shape of the code. */
function one(name: string): Lowering {
  return (i) => {
    const size = bits(i.a);
    if (isMemory(i.a)) return withMemory(i, { handler: `${name}.m.${size}` });
    return [{ handler: `${name}.r.${size}`, destination: addressOf(i.a) }];
  };
}

function shift(name: string, sizes: readonly number[]): Lowering {
  return (i) => {
    const size = bits(i.a);
    if (!sizes.includes(size)) return undefined;
    const place_ = isMemory(i.a) ? "m" : "r";
    const count = i.b.lo & (size === 64 ? 63 : 31);
    if (isImmediate(i.b) && count === 0) return undefined;
    const kind = isImmediate(i.b) ? "i" : "c";
    const op = { handler: `${name}.${place_}${kind}.${size}`, immediate: BigInt(count) };
    return isMemory(i.a) ? withMemory(i, op) : [{ ...op, destination: addressOf(i.a) }];
  };
}

const ALL = [8, 16, 32, 64];
const WIDE = [32, 64];

function doubleShift(name: string): Lowering {
  return (i) => {
    const size = bits(i.a);
    const count = i.c.lo & (size === 64 ? 63 : 31);
    if (!isRegister(i.a) || size < 32 || !isImmediate(i.c) || count === 0) return undefined;
    const operands = { destination: addressOf(i.a), source: addressOf(i.b) };
    return [{ handler: `${name}.${size}`, ...operands, immediate: BigInt(count) }];
  };
}

function bitTest(name: string): Lowering {
  return (i) => {
    const size = bits(i.a);
    if (!isRegister(i.a) || size < 32) return undefined;
    const destination = addressOf(i.a);
    if (isImmediate(i.b)) return [{ handler: `${name}.ri.${size}`, destination, immediate: value(i.b) }];
    return [{ handler: `${name}.rr.${size}`, destination, source: addressOf(i.b) }];
  };
}

/** A source that may be memory, loaded by a record of its own; then `op` with it as a register. */
function loaded(i: Instruction, source: Operand, op: MicroOp): MicroOp[] | undefined {
  if (!isMemory(source)) return [{ ...op, source: addressOf(source) }];
  const load = withMemory(i, { handler: `operand.${bits(source)}` });
  return [...load, { ...op, source: Engine.operand }];
}

function bitScan(name: string): Lowering {
  return (i) =>
    bits(i.a) < 32
      ? undefined
      : loaded(i, i.b, { handler: `${name}.${bits(i.a)}`, destination: addressOf(i.a) });
}

/** MUL, DIV and their kin with the accumulator. */
function accumulator(name: string): Lowering {
  return (i) => (bits(i.a) < 32 ? undefined : loaded(i, i.a, { handler: `${name}.${bits(i.a)}` }));
}

const imul: Lowering = (i) => {
  const size = bits(i.a);
  if (i.b.kind === OperandKind.none) return accumulator("imul")(i);
  if (size < 32) return undefined;
  const destination = addressOf(i.a);
  if (i.c.kind === OperandKind.none) {
    if (isMemory(i.b)) return withMemory(i, { handler: `imul.rm.${size}`, destination });
    return [{ handler: `imul.rr.${size}`, destination, source: addressOf(i.b) }];
  }
  const op = { destination, immediate: value(i.c) };
  if (isMemory(i.b)) return withMemory(i, { handler: `imul.rmi.${size}`, ...op });
  return [{ handler: `imul.rri.${size}`, ...op, source: addressOf(i.b) }];
};

function extend(name: string, signed: boolean): Lowering {
  return (i) => {
    if (i.a.size < 4) return undefined;
    const from = bits(i.b);
    const handler = signed ? `${name}.${from}.${bits(i.a)}` : `${name}.${from}`;
    if (from === 32 && i.a.size === 4) return two("mov")(i);
    const op = { handler: `${handler}.${isMemory(i.b) ? "m" : "r"}`, destination: addressOf(i.a) };
    return isMemory(i.b) ? withMemory(i, op) : [{ ...op, source: addressOf(i.b) }];
  };
}

const mov: Lowering = (i) => {
  const integer = (o: Operand) => isRegister(o) || isMemory(o) || isImmediate(o);
  return integer(i.a) && integer(i.b) && i.a.size > 0 ? two("mov")(i) : undefined;
};

const lea: Lowering = (i) => {
  if (i.a.size < 4 || i.addressSize !== 8) return undefined;
  const { before, fields } = memory({ ...i, segment: Seg.DS }, place.next);
  return [...before, { handler: `lea.${bits(i.a)}`, destination: addressOf(i.a), ...fields }];
};

const push: Lowering = (i) => {
  if (isImmediate(i.a))
    return i.operandSize === 2 ? undefined : [{ handler: "push.i", immediate: value(i.a) }];
  if (i.a.size !== 8 || i.a.kind === OperandKind.segment) return undefined;
  return loaded(i, i.a, { handler: "push.r" });
};

const pop: Lowering = (i) =>
  i.a.kind === OperandKind.gpr64 ? [{ handler: "pop.r", destination: addressOf(i.a) }] : undefined;

const xchg: Lowering = (i) => {
  const size = bits(i.a);
  if (i.opcode === 0x90 && i.a === i.b) return [{ handler: "nop" }];
  if (size < 32) return undefined;
  if (isMemory(i.a)) return withMemory(i, { handler: `xchg.mr.${size}`, source: addressOf(i.b) });
  return isMemory(i.b)
    ? withMemory(i, { handler: `xchg.mr.${size}`, source: addressOf(i.a) })
    : [{ handler: `xchg.rr.${size}`, destination: addressOf(i.a), source: addressOf(i.b) }];
};

const bswap: Lowering = (i) =>
  i.a.size < 4 ? undefined : [{ handler: `bswap.${bits(i.a)}`, destination: addressOf(i.a) }];

function cmov(number: number): Lowering {
  return (i) =>
    i.a.size < 4
      ? undefined
      : loaded(i, i.b, { handler: `cmov.${number}.${bits(i.a)}`, destination: addressOf(i.a) });
}

function set(number: number): Lowering {
  return (i) => (isMemory(i.a) ? undefined : [{ handler: `set.${number}`, destination: addressOf(i.a) }]);
}

const plain =
  (handler: string): Lowering =>
  () => [{ handler }];

const nop = plain("nop");

const leave: Lowering = (i) => (i.operandSize === 2 ? undefined : [{ handler: "leave" }]);

// --- strings ---

/** REP MOVS and REP STOS; a single one, and the others, are rare enough. */
function string(stem: string, copies: boolean): Readonly<Record<string, Lowering>> {
  return Object.fromEntries(
    ["b", "w", "d", "q"].map((width, shift_) => {
      const lowering: Lowering = (i) => {
        const isPlain = i.repeat !== 0 && i.addressSize === 8 && (!copies || i.segment < Seg.FS);
        if (!isPlain || i.form.operands.length !== 0) return undefined;
        return [{ handler: "string", destination: copies ? 1 : 0, immediate: BigInt(shift_) }];
      };
      return [`${stem}${width}`, lowering];
    }),
  );
}

// --- SSE ---

/** The low bits of an XMM register, or its upper half. */
function half(upper: boolean): Lowering {
  const offset = upper ? 8 : 0;
  return (i) => {
    if (isMemory(i.a)) return withMemory(i, { handler: "half.mx", source: addressOf(i.b) + offset });
    return withMemory(i, { handler: "half.xm", destination: addressOf(i.a) + offset });
  };
}

function whole(aligned: boolean): Lowering {
  const name = aligned ? "mova" : "movu";
  return (i) => {
    if (isMemory(i.a)) return withMemory(i, { handler: `${name}.mr`, source: addressOf(i.b) });
    if (isMemory(i.b)) return withMemory(i, { handler: `${name}.rm`, destination: addressOf(i.a) });
    return [{ handler: "movx.rr", destination: addressOf(i.a), source: addressOf(i.b) }];
  };
}

/** MOVSS and MOVSD. */
function scalarMove(bytes: number): Lowering {
  return (i) => {
    if (!isXmm(i.a) && !isXmm(i.b)) return undefined;
    if (isMemory(i.a)) return withMemory(i, { handler: `movs.${bytes}.mx`, source: addressOf(i.b) });
    if (isMemory(i.b)) return withMemory(i, { handler: `movzx.${bytes}.xm`, destination: addressOf(i.a) });
    return [{ handler: `movs.${bytes}.xx`, destination: addressOf(i.a), source: addressOf(i.b) }];
  };
}

/** MOVD and MOVQ. */
const movdq: Lowering = (i) => {
  if (isXmm(i.a)) {
    const bytes = isXmm(i.b) ? 8 : i.b.size;
    if (isMemory(i.b)) return withMemory(i, { handler: `movzx.${bytes}.xm`, destination: addressOf(i.a) });
    if (!isXmm(i.b) && !isRegister(i.b)) return undefined;
    return [{ handler: `movzx.${bytes}.xr`, destination: addressOf(i.a), source: addressOf(i.b) }];
  }
  if (!isXmm(i.b)) return undefined;
  const bytes = i.a.size;
  if (isMemory(i.a)) return withMemory(i, { handler: `movs.${bytes}.mx`, source: addressOf(i.b) });
  return [
    { handler: bytes === 4 ? "movd.rx" : "movq.rx", destination: addressOf(i.a), source: addressOf(i.b) },
  ];
};

/** Packed operations: a source in memory has to be aligned. */
function packed(handler: string): Lowering {
  return (i) => {
    if (!isXmm(i.a)) return undefined;
    const destination = addressOf(i.a);
    if (isXmm(i.b)) return [{ handler, destination, source: addressOf(i.b) }];
    if (!isMemory(i.b)) return undefined;
    const load = withMemory(i, { handler: "mova.rm", destination: Engine.operand });
    return [...load, { handler, destination, source: Engine.operand }];
  };
}

/** PXOR and XORPS of a register with itself clear it. */
const exclusive: Lowering = (i) => {
  if (isXmm(i.a) && isXmm(i.b) && i.a.register === i.b.register) {
    return [{ handler: "clear.x", destination: addressOf(i.a) }];
  }
  return packed("pxor")(i);
};

function laneShift(name: string, lane: number): Lowering {
  return (i) => {
    if (!isXmm(i.a) || !isImmediate(i.b)) return undefined;
    const count = i.b.lo & 0xff;
    const destination = addressOf(i.a);
    if (count < lane) return [{ handler: name, destination, immediate: BigInt(count) }];
    // All bits shifted out: zero, or copies of the sign.
    if (name.startsWith("psra")) return [{ handler: name, destination, immediate: BigInt(lane - 1) }];
    return [{ handler: "clear.x", destination }];
  };
}

/** Four selectors of two bits, as byte offsets. */
function selectors({ lo }: Operand): bigint {
  return [0, 1, 2, 3].reduce((word, n) => word | (BigInt(((lo >> (n * 2)) & 3) * 4) << BigInt(n * 8)), 0n);
}

function shuffle(handler: string): Lowering {
  const inner = packed(handler);
  return (i) => {
    const ops = inner(i);
    return ops?.map((op) => (op.handler === handler ? { ...op, immediate: selectors(i.c) } : op));
  };
}

function scalarFloat(handler: string): Lowering {
  return (i) => {
    const destination = addressOf(i.a);
    if (isMemory(i.b)) return withMemory(i, { handler: `${handler}.xm`, destination });
    return [{ handler: `${handler}.xx`, destination, source: addressOf(i.b) }];
  };
}

const fromInteger =
  (name: string): Lowering =>
  (i) => {
    const op = { handler: `${name}.${bits(i.b)}.x${isMemory(i.b) ? "m" : "r"}`, destination: addressOf(i.a) };
    return isMemory(i.b) ? withMemory(i, op) : [{ ...op, source: addressOf(i.b) }];
  };

const toInteger =
  (name: string): Lowering =>
  (i) => {
    const op = { handler: `${name}.${bits(i.a)}.r${isMemory(i.b) ? "m" : "x"}`, destination: addressOf(i.a) };
    return isMemory(i.b) ? withMemory(i, op) : [{ ...op, source: addressOf(i.b) }];
  };

const mask =
  (handler: string): Lowering =>
  (i) =>
    isXmm(i.b) ? [{ handler, destination: addressOf(i.a), source: addressOf(i.b) }] : undefined;

const PACKED =
  "paddb paddw paddd paddq psubb psubw psubd psubq paddsb paddsw paddusb paddusw psubsb psubsw psubusb psubusw pavgb pavgw pminub pmaxub pminsw pmaxsw pmullw pmaddwd pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pand por pandn packsswb packuswb packssdw punpcklbw punpcklwd punpckldq punpcklqdq punpckhbw punpckhwd punpckhdq punpckhqdq".split(
    " ",
  );

/** Same bits, other name. */
const SAME: Readonly<Record<string, string>> = {
  andps: "pand",
  andpd: "pand",
  orps: "por",
  orpd: "por",
  andnps: "pandn",
  andnpd: "pandn",
  unpcklps: "punpckldq",
  unpckhps: "punpckhdq",
  unpcklpd: "punpcklqdq",
  unpckhpd: "punpckhqdq",
};

const each = (names: readonly string[], lowering: (name: string) => Lowering): Record<string, Lowering> =>
  Object.fromEntries(names.map((name) => [name, lowering(name)]));

const LOWERINGS: Readonly<Record<string, Lowering>> = {
  ...each(["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp", "test"], two),
  ...each(["inc", "dec", "neg", "not"], one),
  ...each(["shl", "shr", "sar"], (name) => shift(name, ALL)),
  ...each(["rol", "ror"], (name) => shift(name, WIDE)),
  ...each(["shld", "shrd"], doubleShift),
  ...each(["bt", "bts", "btr", "btc"], bitTest),
  ...each(["bsf", "bsr"], bitScan),
  ...each(["mul", "div", "idiv"], accumulator),
  imul,
  mov,
  movabs: mov,
  movnti: mov,
  movzx: extend("movzx", false),
  movsx: extend("movsx", true),
  movsxd: extend("movsx", true),
  lea,
  push,
  pushw: push,
  pop,
  leave,
  leaveq: leave,
  xchg,
  bswap,
  ...Object.fromEntries(
    CONDITION_NAMES.flatMap((name, n) => [[`cmov${name}`, cmov(n)] as const, [`set${name}`, set(n)]]),
  ),
  ...each(["cdqe", "cwde", "cqo", "cdq"], plain),
  ...each(["nop", "pause", "endbr64", "endbr32", "lfence", "mfence", "sfence"], () => nop),
  ...each(["prefetchnta", "prefetcht0", "prefetcht1", "prefetcht2", "prefetchw"], () => nop),
  ...string("movs", true),
  ...string("stos", false),
  ...each(["movaps", "movapd", "movdqa", "movntps", "movntpd", "movntdq"], () => whole(true)),
  ...each(["movups", "movupd", "movdqu"], () => whole(false)),
  movss: scalarMove(4),
  "movsd xmm": scalarMove(8),
  movd: movdq,
  movq: movdq,
  ...each(["movlps", "movlpd"], () => half(false)),
  ...each(["movhps", "movhpd"], () => half(true)),
  movhlps: (i) => [{ handler: "half.xx", destination: addressOf(i.a), source: addressOf(i.b) + 8 }],
  movlhps: (i) => [{ handler: "half.xx", destination: addressOf(i.a) + 8, source: addressOf(i.b) }],
  ...each(PACKED, packed),
  ...Object.fromEntries(Object.entries(SAME).map(([name, same]) => [name, packed(same)])),
  ...each(["pxor", "xorps", "xorpd"], () => exclusive),
  ...each(["psllw", "psrlw", "psraw"], (name) => laneShift(name, 16)),
  ...each(["pslld", "psrld", "psrad"], (name) => laneShift(name, 32)),
  ...each(["psllq", "psrlq"], (name) => laneShift(name, 64)),
  pshufd: shuffle("pshufd"),
  shufps: shuffle("shufps"),
  ...each(["movmskps", "movmskpd", "pmovmskb"], mask),
  ...each(
    ["add", "sub", "mul", "div", "sqrt", "min", "max"].flatMap((name) => [`${name}sd`, `${name}ss`]),
    scalarFloat,
  ),
  ...each(["comisd", "ucomisd"], () => scalarFloat("comisd")),
  ...each(["comiss", "ucomiss"], () => scalarFloat("comiss")),
  ...each(["cvtsi2sd", "cvtsi2ss"], fromInteger),
  ...each(["cvttsd2si", "cvttss2si"], toInteger),
  ...each(["cvtss2sd", "cvtsd2ss"], scalarFloat),
};

/** The records of an instruction, or `undefined`. LOCK makes no difference: nothing comes between. */
export function lower(i: Instruction, where: Place): readonly MicroOp[] | undefined {
  const { mnemonic } = i.form;
  const isSse = isXmm(i.a) || isXmm(i.b);
  const lowering = (isSse ? LOWERINGS[`${mnemonic} xmm`] : undefined) ?? LOWERINGS[mnemonic];
  if (lowering === undefined || (mnemonic === "movsd" && lowering === LOWERINGS["movsd"] && isSse))
    return undefined;
  place = where;
  return lowering(i);
}
