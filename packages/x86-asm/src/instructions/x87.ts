/** SDM Vol. 1, "x87 FPU Instructions". */
import type { Row } from "../notation.js";
import { opcode } from "./conditions.js";

/** The digit with memory, and the second byte of `D8` (to ST) and of `DC` and `DE` (to ST(i)). */
const ARITHMETIC: readonly (readonly [stem: string, digit: number, toTop: number, toOther: number])[] = [
  ["add", 0, 0xc0, 0xc0],
  ["mul", 1, 0xc8, 0xc8],
  ["sub", 4, 0xe0, 0xe8],
  ["subr", 5, 0xe8, 0xe0],
  ["div", 6, 0xf0, 0xf8],
  ["divr", 7, 0xf8, 0xf0],
];

function arithmetic(stem: string, digit: number, toTop: number, toOther: number): Row[] {
  const top = opcode(toTop, 0);
  const other = opcode(toOther, 0);
  return [
    [`f${stem} m32`, `D8 /${digit}`, "8087"],
    [`f${stem} m64`, `DC /${digit}`, "8087"],
    [`f${stem} st(0), st(i)`, `D8 ${top}+i`, "8087"],
    [`f${stem} st(i), st(0)`, `DC ${other}+i`, "8087"],
    [`f${stem} st(i)`, `D8 ${top}+i`, "8087 alias"],
    [`f${stem}`, `DE ${opcode(toOther, 1)}`, "8087 alias"],
    [`f${stem}p st(i), <st(0)>`, `DE ${other}+i`, "8087"],
    [`f${stem}p`, `DE ${opcode(toOther, 1)}`, "8087 alias"],
    [`fi${stem} m16`, `DE /${digit}`, "8087"],
    [`fi${stem} m32`, `DA /${digit}`, "8087"],
  ];
}

/** `op st(i)` with ST(1) where nothing is given; GNU as also takes ST in front, and objdump prints it where flags are set. */
function withOther(mnemonic: string, first: string, second: number, feature: string): Row[] {
  const hasBoth = /ip?$/.test(mnemonic);
  return [
    [`${mnemonic} st(i)`, `${first} ${opcode(second, 0)}+i`, hasBoth ? `${feature} alias` : feature],
    [`${mnemonic} st(0), st(i)`, `${first} ${opcode(second, 0)}+i`, hasBoth ? feature : `${feature} alias`],
    [mnemonic, `${first} ${opcode(second, 1)}`, `${feature} alias`],
  ];
}

function conditionalMoves(first: string, names: readonly string[]): Row[] {
  return names.map((name, i) => [`fcmov${name} st(0), st(i)`, `${first} ${opcode(0xc0, 8 * i)}+i`, "686"]);
}

/** Instructions without operands: the second byte behind D9. */
const PLAIN_D9: readonly (readonly [mnemonic: string, second: string, feature?: string])[] = [
  ["fnop", "D0"],
  ["fchs", "E0"],
  ["fabs", "E1"],
  ["ftst", "E4"],
  ["fxam", "E5"],
  ["fld1", "E8"],
  ["fldl2t", "E9"],
  ["fldl2e", "EA"],
  ["fldpi", "EB"],
  ["fldlg2", "EC"],
  ["fldln2", "ED"],
  ["fldz", "EE"],
  ["f2xm1", "F0"],
  ["fyl2x", "F1"],
  ["fptan", "F2"],
  ["fpatan", "F3"],
  ["fxtract", "F4"],
  ["fprem1", "F5", "387"],
  ["fdecstp", "F6"],
  ["fincstp", "F7"],
  ["fprem", "F8"],
  ["fyl2xp1", "F9"],
  ["fsqrt", "FA"],
  ["fsincos", "FB", "387"],
  ["frndint", "FC"],
  ["fscale", "FD"],
  ["fsin", "FE", "387"],
  ["fcos", "FF", "387"],
];

/** Those that have a form with FWAIT (`fx`) and one without (`fnx`). */
function waiting(stem: string, operands: string, encoding: string, feature = "8087"): Row[] {
  return [
    [`f${stem}${operands}`, `9B ${encoding}`, feature],
    [`fn${stem}${operands}`, encoding, feature],
  ];
}

/** The same with the operand size as a suffix. */
function waitingSized(stem: string, encoding: string): Row[] {
  return (["w", "d"] as const).flatMap((suffix): Row[] => {
    const size = suffix === "w" ? "o16" : "o32";
    return [
      [`f${stem}${suffix} m`, `9B ${size} ${encoding}`, `8087 =f${stem}`],
      [`fn${stem}${suffix} m`, `${size} ${encoding}`, `8087 =fn${stem}`],
    ];
  });
}

export const x87: readonly Row[] = [
  ["fld m32", "D9 /0", "8087"],
  ["fld m64", "DD /0", "8087"],
  ["fld m80", "DB /5", "8087"],
  ["fld st(i)", "D9 C0+i", "8087"],
  ["fst m32", "D9 /2", "8087"],
  ["fst m64", "DD /2", "8087"],
  ["fst st(i)", "DD D0+i", "8087"],
  ["fstp m32", "D9 /3", "8087"],
  ["fstp m64", "DD /3", "8087"],
  ["fstp m80", "DB /7", "8087"],
  ["fstp st(i)", "DD D8+i", "8087"],
  ["fild m16", "DF /0", "8087"],
  ["fild m32", "DB /0", "8087"],
  ["fild m64", "DF /5", "8087"],
  ["fist m16", "DF /2", "8087"],
  ["fist m32", "DB /2", "8087"],
  ["fistp m16", "DF /3", "8087"],
  ["fistp m32", "DB /3", "8087"],
  ["fistp m64", "DF /7", "8087"],
  ["fisttp m16", "DF /1", "SSE3"],
  ["fisttp m32", "DB /1", "SSE3"],
  ["fisttp m64", "DD /1", "SSE3"],
  ["fbld m80", "DF /4", "8087"],
  ["fbstp m80", "DF /6", "8087"],
  ...withOther("fxch", "D9", 0xc8, "8087"),
  ...conditionalMoves("DA", ["b", "e", "be", "u"]),
  ...conditionalMoves("DB", ["nb", "ne", "nbe", "nu"]),

  ...ARITHMETIC.flatMap((row) => arithmetic(...row)),

  ["fcom m32", "D8 /2", "8087"],
  ["fcom m64", "DC /2", "8087"],
  ...withOther("fcom", "D8", 0xd0, "8087"),
  ["fcomp m32", "D8 /3", "8087"],
  ["fcomp m64", "DC /3", "8087"],
  ...withOther("fcomp", "D8", 0xd8, "8087"),
  ["fcompp", "DE D9", "8087"],
  ...withOther("fucom", "DD", 0xe0, "387"),
  ...withOther("fucomp", "DD", 0xe8, "387"),
  ["fucompp", "DA E9", "387"],
  ["ficom m16", "DE /2", "8087"],
  ["ficom m32", "DA /2", "8087"],
  ["ficomp m16", "DE /3", "8087"],
  ["ficomp m32", "DA /3", "8087"],
  ...withOther("fcomi", "DB", 0xf0, "686"),
  ...withOther("fcomip", "DF", 0xf0, "686"),
  ...withOther("fucomi", "DB", 0xe8, "686"),
  ...withOther("fucomip", "DF", 0xe8, "686"),

  ...PLAIN_D9.map(([mnemonic, second, feature]): Row => [mnemonic, `D9 ${second}`, feature ?? "8087"]),

  ...waiting("init", "", "DB E3"),
  ...waiting("clex", "", "DB E2"),
  ...waiting("eni", "", "DB E0"),
  ...waiting("disi", "", "DB E1"),
  ...waiting("setpm", "", "DB E4", "287"),
  ["frstpm", "DB E5", "287"],
  ...waiting("stcw", " m16", "D9 /7"),
  ["fldcw m16", "D9 /5", "8087"],
  ...waiting("stsw", " m16", "DD /7"),
  ...waiting("stsw", " ax", "DF E0", "287"),
  ...waiting("stsw", "", "DF E0", "287"),
  ...waiting("stenv", " m", "D9 /6"),
  ...waitingSized("stenv", "D9 /6"),
  ["fldenv m", "D9 /4", "8087"],
  ["fldenvw m", "o16 D9 /4", "8087 =fldenv"],
  ["fldenvd m", "o32 D9 /4", "387 =fldenv"],
  ...waiting("save", " m", "DD /6"),
  ...waitingSized("save", "DD /6"),
  ["frstor m", "DD /4", "8087"],
  ["frstorw m", "o16 DD /4", "8087 =frstor"],
  ["frstord m", "o32 DD /4", "387 =frstor"],
  ["ffree st(i)", "DD C0+i", "8087"],
  ["ffreep st(i)", "DF C0+i", "287"],
  ["fwait", "9B", "8087"],
  ["wait", "9B", "8087 alias"],
];
