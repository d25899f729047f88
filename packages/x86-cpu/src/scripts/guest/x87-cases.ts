/** x87 cases that sweeps have found: in ring 3, for both engines and for /dev/kvm. */
import { At, type Guest } from "./guest.js";

export interface X87Case {
  readonly title: string;
  readonly code: string;
  /** FNSTSW behind it. */
  readonly status: bigint;
  /** ST(0) behind it, by FXSAVE: significand, sign and exponent. */
  readonly top: readonly [significand: bigint, signExponent: number];
}

/** Denormal single and double operands. */
const write = (guest: Guest): void => {
  guest
    .write(At.data, 0x00000003n)
    .write(At.data + 8, 0x8000000000000001n)
    .write(At.data + 16, 0x37dn);
};

export const X87_CASES: readonly X87Case[] = [
  {
    title: "FLD m32 of a denormal flags DE, and pushes even where it is unmasked",
    code: `fldcw [${At.data + 16}]\nfld dword ptr [${At.data}]`,
    status: 0xb882n,
    top: [0xc000000000000000n, 0x3f6b],
  },
  {
    title: "FLD m64 of a denormal flags DE, and pushes even where it is unmasked",
    code: `fldcw [${At.data + 16}]\nfld qword ptr [${At.data + 8}]`,
    status: 0xb882n,
    top: [0x8000000000000000n, 0xbbcd],
  },
  {
    title: "FLD m64 of a denormal flags DE where it is masked",
    code: `fld qword ptr [${At.data + 8}]`,
    status: 0x3802n,
    top: [0x8000000000000000n, 0xbbcd],
  },
  {
    title: "FSCALE beyond the biased exponent of an unmasked overflow gives infinity, rounded up",
    code: `mov dword ptr [${At.data + 16}], 0x352\nmov dword ptr [${At.data + 24}], 100000\nfild dword ptr [${At.data + 24}]\nfild dword ptr [${At.data + 24}]\nfldcw [${At.data + 16}]\nfscale`,
    status: 0xb2a8n,
    top: [0x8000000000000000n, 0x7fff],
  },
];

/** What a case leaves: status word, and ST(0). */
export function runX87(guest: Guest, { code }: X87Case) {
  write(guest);
  const { what, regs } = guest.run(
    `fninit\n${code}\nfnstsw ax\nmovzx eax, ax\nfxsave64 [${At.data + 0x100}]`,
  );
  const st0 = At.data + 0x120;
  return { what, status: regs.rax, top: [guest.word(st0), guest.view.getUint16(st0 + 8, true)] as const };
}
