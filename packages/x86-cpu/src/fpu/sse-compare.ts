/** CMPPS and its kin, COMIS and UCOMIS. SDM Vol. 2A, "CMPPD", "COMISD"; Vol. 2B, "UCOMISD". */
import { RFLAGS, STATUS_FLAGS } from "../architecture.js";
import { setStatus } from "../flags.js";
import type { Execute } from "../instruction.js";
import type { Machine } from "../machine.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { compare, noteDenormals } from "./arithmetic.js";
import { type Float, isNan, Kind, unpackDouble, unpackSingle } from "./formats.js";
import { type Environment, Exception, raise } from "./rounding.js";
import { flushDenormal } from "./sse-arithmetic.js";
import {
  checkSse,
  commitResult,
  denormalsAreZeros,
  result,
  signal,
  sourceOffset,
  sseEnvironment,
} from "./sse-state.js";

const UNORDERED = 2;

/** -1, 0, 1, or 2 for unordered. `signals`: a quiet NaN raises IE as well. */
function relate(env: Environment, a: Float, b: Float, signals: boolean): number {
  if (isNan(a) || isNan(b)) {
    const isSignaling = a.kind === Kind.signalingNan || b.kind === Kind.signalingNan;
    if (signals || isSignaling) raise(env, Exception.IE);
    return UNORDERED;
  }
  noteDenormals(env, a, b);
  return compare(a, b);
}

function operand(m: Machine, at: number, size: number): Float {
  const value =
    size === 8 ? unpackDouble(m.view.getBigUint64(at, true)) : unpackSingle(m.view.getInt32(at, true));
  return denormalsAreZeros(m) ? flushDenormal(value) : value;
}

/** Predicates 0 to 3: EQ, LT, LE, UNORD; 4 to 7 negate them. LT and LE signal quiet NaNs. */
const PREDICATES: readonly ((relation: number) => boolean)[] = [
  (r) => r === 0,
  (r) => r === -1,
  (r) => r === -1 || r === 0,
  (r) => r === UNORDERED,
];

function cmp(size: number, count: number): Execute {
  return (m, i) => {
    checkSse(m);
    const source = sourceOffset(m, i, i.b, size * count);
    const env = sseEnvironment(m);
    const predicate = i.c.lo & 7;
    const signals = (predicate & 3) === 1 || (predicate & 3) === 2;
    for (let at = 0; at < size * count; at += size) {
      const relation = relate(env, operand(m, i.a.index + at, size), operand(m, source + at, size), signals);
      const holds = PREDICATES[predicate & 3]!(relation) !== predicate >= 4;
      for (let n = 0; n < size; n += 4) result.setInt32(at + n, holds ? -1 : 0, true);
    }
    signal(m, env);
    commitResult(m, i.a, size * count);
  };
}

/** ZF, PF and CF say equal, unordered (all three) and less; OF, SF and AF are cleared. */
export const RELATION_FLAGS: Readonly<Record<number, number>> = {
  [-1]: RFLAGS.CF,
  0: RFLAGS.ZF,
  1: 0,
  [UNORDERED]: RFLAGS.ZF | RFLAGS.PF | RFLAGS.CF,
};

function comis(size: number, signals: boolean): Execute {
  return (m, i) => {
    checkSse(m);
    const source = sourceOffset(m, i, i.b, size);
    const env = sseEnvironment(m);
    const relation = relate(env, operand(m, i.a.index, size), operand(m, source, size), signals);
    signal(m, env);
    setStatus(m, STATUS_FLAGS, RELATION_FLAGS[relation]!);
  };
}

export const sseCompare: SemanticsTable = {
  cmpps: cmp(4, 4),
  cmppd: cmp(8, 2),
  cmpss: cmp(4, 1),
  "cmpsd xmm, xmm/m64, imm8": cmp(8, 1),
  comiss: comis(4, true),
  comisd: comis(8, true),
  ucomiss: comis(4, false),
  ucomisd: comis(8, false),
};
