/** SDM Vol. 1, "Decimal Arithmetic Instructions". None of them exists in 64-bit mode. */
import { RFLAGS, Vector } from "../architecture.js";
import { raise } from "../faults.js";
import { setStatus, signZeroParity } from "../flags.js";
import type { Execute } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import type { SemanticsTable } from "./semantics.js";

const AL = State.gpr;
const AH = State.gpr + 1;
const { CF, AF, SF, ZF, PF } = RFLAGS;

function adjusts(m: Machine): { low: boolean; high: boolean } {
  const al = m.u8[AL]!;
  return { low: (al & 15) > 9 || (m.flags & AF) !== 0, high: al > 0x99 || (m.flags & CF) !== 0 };
}

/** DAA (`sign` 1) and DAS (`sign` -1). */
function decimalAdjust(sign: number): Execute {
  return (m) => {
    const { low, high } = adjusts(m);
    const al = m.u8[AL]! + sign * ((low ? 6 : 0) + (high ? 0x60 : 0));
    // DAS sets CF also where subtracting 6 borrows.
    const borrow = sign < 0 && low && m.u8[AL]! < 6;
    m.u8[AL] = al;
    setStatus(m, CF | AF | SF | ZF | PF, (low ? AF : 0) | (high || borrow ? CF : 0) | signZeroParity(al, 1));
  };
}

/** AAA and AAS: one decimal digit in AL, the carry into AH. */
function asciiAdjust(sign: number): Execute {
  return (m) => {
    const { low } = adjusts(m);
    if (low) m.u16[AL >> 1] = m.u16[AL >> 1]! + sign * 0x106;
    m.u8[AL] = m.u8[AL]! & 15;
    setStatus(m, CF | AF, low ? CF | AF : 0);
    setStatus(m, SF | ZF | PF, signZeroParity(m.u8[AL]!, 1));
  };
}

export const decimal: SemanticsTable = {
  daa: decimalAdjust(1),
  das: decimalAdjust(-1),
  aaa: asciiAdjust(1),
  aas: asciiAdjust(-1),
  aam: (m, i) => {
    const base = i.a.kind === 0 ? 10 : i.a.lo & 0xff;
    if (base === 0) raise(m, Vector.DE);
    const al = m.u8[AL]!;
    m.u8[AH] = Math.floor(al / base);
    m.u8[AL] = al % base;
    setStatus(m, SF | ZF | PF, signZeroParity(m.u8[AL]!, 1));
  },
  aad: (m, i) => {
    const base = i.a.kind === 0 ? 10 : i.a.lo & 0xff;
    m.u8[AL] = m.u8[AL]! + m.u8[AH]! * base;
    m.u8[AH] = 0;
    setStatus(m, SF | ZF | PF, signZeroParity(m.u8[AL]!, 1));
  },
  salc: (m) => {
    m.u8[AL] = m.flags & CF ? 0xff : 0;
  },
};
