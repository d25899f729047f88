/** How the x87 chooses among NaN operands. SDM Vol. 1, table "Rules for Handling NaNs". */
import { type Float, type Format, INDEFINITE, isNan, Kind, quiet } from "./formats.js";
import { type Environment, Exception, raise } from "./rounding.js";

/** The NaN that an operation on `a` and `b` gives, or `undefined` where neither is one. Raises IE. */
export function chooseNan(env: Environment, a: Float, b: Float): Float | undefined {
  if (a.kind === Kind.unsupported || b.kind === Kind.unsupported) {
    raise(env, Exception.IE);
    return INDEFINITE;
  }
  if (!isNan(a) && !isNan(b)) return undefined;
  const signaling = (value: Float) => value.kind === Kind.signalingNan;
  if (signaling(a) || signaling(b)) raise(env, Exception.IE);
  if (!isNan(b)) return quiet(a);
  if (!isNan(a)) return quiet(b);
  if (signaling(a) !== signaling(b)) return signaling(a) ? b : a;
  return quiet(larger(a, b));
}

/** The one with the larger significand; of equal ones the positive. */
function larger(a: Float, b: Float): Float {
  if (a.significand !== b.significand) return a.significand > b.significand ? a : b;
  return a.sign <= b.sign ? a : b;
}

export type Operation = (env: Environment, format: Format, a: Float, b: Float) => Float;

/** An operation that NaNs and unsupported operands do not reach. */
export function guarded(operation: Operation): Operation {
  return (env, format, a, b) => chooseNan(env, a, b) ?? operation(env, format, a, b);
}
