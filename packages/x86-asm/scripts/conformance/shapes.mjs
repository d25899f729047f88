/** Texts for the forms of the instruction table: each operand in its awkward shapes, as objdump spells them. */
import { EncodingKind, FormFlag, OperandBit, Slot } from "../../dist/table.js";

const registers = {
  r8: { 64: ["cl", "spl", "r9b", "ah"], 32: ["cl", "bh"], 16: ["cl", "bh"] },
  r16: { 64: ["cx", "r10w"], 32: ["cx", "si"], 16: ["cx", "si"] },
  r32: { 64: ["ecx", "r11d"], 32: ["ecx", "edi"], 16: ["ecx", "edi"] },
  r64: { 64: ["rcx", "r12"] },
  sreg: { 64: ["ds", "fs"], 32: ["es", "gs"], 16: ["ss", "ds"] },
  cr: { 64: ["cr0", "cr8"], 32: ["cr4"], 16: ["cr0"] },
  dr: { 64: ["db7", "db0"], 32: ["db6"], 16: ["db0"] },
  st: { 64: ["st(3)"], 32: ["st(1)"], 16: ["st(7)"] },
  mm: { 64: ["mm1", "mm7"], 32: ["mm1", "mm7"], 16: ["mm2"] },
  xmm: { 64: ["xmm1", "xmm14"], 32: ["xmm1", "xmm7"], 16: ["xmm2"] },
  tr: { 32: ["tr3", "tr7"], 16: ["tr6"] },
  bnd: { 64: ["bnd1", "bnd3"], 32: ["bnd2"], 16: ["bnd0"] },
  ymm: { 64: ["ymm1", "ymm14"], 32: ["ymm1", "ymm7"], 16: ["ymm2"] },
  zmm: { 64: ["zmm1", "zmm30"], 32: ["zmm1", "zmm7"], 16: ["zmm2"] },
  k: { 64: ["k1", "k7"], 32: ["k2"], 16: ["k3"] },
  tmm: { 64: ["tmm1", "tmm7"] },
};

const memory = {
  64: [
    "[rax]",
    "[rsp]",
    "[rbp]",
    "[r12]",
    "[r13]",
    "[rcx+0x7f]",
    "[rdx-0x80]",
    "[rbx+0x80]",
    "[rsi+rdi*4-0x12345678]",
    "[r14+r15*8+0x10]",
    "[r13+rax*1]",
    "[rax*2+0x0]",
    "[rip+0x1234]",
    "ds:0x1234",
    "fs:[rax]",
    "gs:0x10",
    "[esi+0x4]",
    "es:[rbp+0x8]",
    "[rsp+rbp*2]",
    "[r8d+r9d*4]",
  ],
  32: [
    "[eax]",
    "[esp]",
    "[ebp]",
    "[ecx+0x7f]",
    "[edx-0x80]",
    "[ebx+0x80]",
    "[esi+edi*4-0x12345678]",
    "[ebp+eax*1]",
    "[eax*2+0x0]",
    "ds:0x1234",
    "fs:[eax]",
    "gs:0x10",
    "[bx+si]",
    "[bp+0x4]",
    "es:[ebp+0x8]",
  ],
  16: [
    "[bx+si]",
    "[bx+di+0x7f]",
    "[bp+si-0x80]",
    "[bp+di+0x80]",
    "[si]",
    "[di]",
    "[bp+0x0]",
    "[bx+0x1234]",
    "ds:0x1234",
    "es:[bx]",
    "[eax+ebx*4]",
    "gs:[bp+0x2]",
    "[esp]",
  ],
};

const widthWords = {
  8: "BYTE PTR ",
  16: "WORD PTR ",
  32: "DWORD PTR ",
  48: "FWORD PTR ",
  64: "QWORD PTR ",
  80: "TBYTE PTR ",
  128: "XMMWORD PTR ",
  256: "YMMWORD PTR ",
  512: "ZMMWORD PTR ",
};

const immediates = {
  imm4: ["0x0", "0x3", "0x2"],
  imm8: ["0x1", "0x7f", "0x80", "0xff", "-0x80"],
  imm16: ["0x1", "0x80", "0x1234", "0xffff"],
  imm32: ["0x1", "0x80", "0x12345678", "0xffffffff"],
  imm64: ["0x123456789abcdef0", "0xffffffff"],
  simm8: ["0x1", "0x7f", "-0x80"],
  simm32: ["0x80", "0x12345678", "-0x80000000", "0x7fffffff"],
  1: ["1"],
  3: ["3"],
};

/** The spellings of one operand of a form in a mode, the plain one first. */
function shapes(operand, form, bits) {
  const { notation, accepts, check, fixed } = operand;
  if (form.kind === EncodingKind.lockedControl && notation === "cr") return ["cr8", "cr15"];
  if (notation in immediates) return immediates[notation];
  const string = /^m(\d*)\((\w+)\)$/.exec(notation);
  if (string) return stringShapes(string[1], string[2], bits);
  if (fixed >= 0) return [notation];
  if (notation.startsWith("rel")) {
    // GNU as makes jmpw and jmpd short where it can.
    return /^jmp[wd]/.test(form.mnemonic) ? ["0x10", "0x1234"] : ["0x10", "0x1234", ".+0x10"];
  }
  if (notation.startsWith("ptr")) return notation.endsWith("16") ? ["0x8:0x1234"] : ["0x8:0x12345678"];
  if (notation.startsWith("moffs")) return [`ds:0x12${bits === 64 ? "345678" : "34"}`, `fs:0x10`];
  const found = [];
  for (const [file, byMode] of Object.entries(registers)) {
    // Test registers share their bit with tiles.
    if (accepts & OperandBit[file] && (notation === "tr") === (file === "tr"))
      found.push(...(byMode[bits] ?? []));
  }
  if (check === 0) {
    const all = memory[bits].filter((address) => fitsAddressSize(address, form));
    const widths = [8, 16, 32, 48, 64, 80, 128, 256, 512].filter(
      (width) => accepts & OperandBit[`m${width}`],
    );
    const word = widths.length === 1 && !UNSIZED.test(form.mnemonic) ? widthWords[widths[0]] : "";
    if (widths.length > 0) found.push(...someAddresses(all).map((address) => word + address));
  }
  return found;
}

/** GNU as takes no width word before what these read. */
const UNSIZED = /^(movdir64b|enqcmds?|(ld|st)tilecfg)$/;

/** Whether an address may stand where the form has one address size: its registers have that width. */
function fitsAddressSize(address, { addressSize }) {
  if (addressSize === 0) return true;
  const registers = { 1: /\b(bx|si|di|bp)\b/, 2: /\be[a-ds][xpi]\b|\be[bs]p\b/, 3: /\br/ }[addressSize];
  return registers.test(address);
}

function stringShapes(width, register, bits) {
  const prefix = width === "" ? "" : widthWords[width];
  const names = {
    64: [`r${register}`, `e${register}`],
    32: [`e${register}`, register],
    16: [register, `e${register}`],
  };
  const segments = register === "di" ? ["es"] : ["ds", "fs"];
  return segments.flatMap((segment) => names[bits].map((name) => `${prefix}${segment}:[${name}]`));
}

/** Addresses besides the first that a form is tried with; every form has others, so that all turn up often. */
const ADDRESSES_EACH = 3;
let turn = 0;

/** Begins the turns of addresses and registers anew. */
export function startTurns() {
  turn = 0;
}

function someAddresses(list) {
  const [plain, ...others] = list;
  if (others.length <= ADDRESSES_EACH) return list;
  const picked = Array.from({ length: ADDRESSES_EACH }, () => others[turn++ % others.length]);
  return [plain, ...new Set(picked)];
}

/** One instruction for each shape of each operand, the others plain. Deterministic, but for the turn of addresses. */
export function textsOf(form, bits) {
  return isVector(form) ? vectorTexts(form, bits) : legacyTexts(form, bits);
}

function isVector({ kind }) {
  return kind === EncodingKind.vex || kind === EncodingKind.evex || kind === EncodingKind.xop;
}

function legacyTexts(form, bits) {
  const operands = form.operands.map((operand) => shapes(operand, form, bits));
  if (operands.some((list) => list.length === 0)) return [];
  const texts = new Set();
  const plain = operands.map((list) => list[0]);
  const mnemonic = form.kind === EncodingKind.addressed ? `addr32 ${form.mnemonic}` : form.mnemonic;
  texts.add(text(mnemonic, plain));
  operands.forEach((list, i) => {
    for (const shape of list) texts.add(text(mnemonic, plain.with(i, shape)));
  });
  if (form.operands.at(-1)?.optional) texts.add(text(mnemonic, plain.slice(0, -1)));
  // Between registers a hint is the only way to some forms.
  const isRegisters = operands.length > 1 && !/[[\]:]/.test(plain.join());
  const slots = form.operands.map(({ slot }) => slot);
  if (isRegisters && slots[0] === Slot.reg && slots[1] === Slot.rm)
    texts.add(`{load} ${text(mnemonic, plain)}`);
  if (isRegisters && slots[0] === Slot.rm && slots[1] === Slot.reg)
    texts.add(`{store} ${text(mnemonic, plain)}`);
  return [...texts];
}

const VECTOR_REGISTERS = ["xmm", "ymm", "zmm"];
const MASKS = ["{k1}", "{k7}", "{k5}"];
const ROUNDINGS = ["{rn-sae}", "{rd-sae}", "{ru-sae}", "{rz-sae}"];
/** Index vectors with a base or without. */
const VSIB = {
  64: ["[rax+V1*4]", "[r13+V14*8+0x40]", "[V9*1+0x0]", "[rsp+V5*2-0x80]"],
  32: ["[eax+V1*4]", "[ebp+V6*8+0x40]", "[V3*1+0x0]"],
  16: ["[eax+V1*4]", "[ebp+V6*8+0x40]"],
};
const VSIB_HIGH = ["[rax+V17*4]", "[r13+V30*8+0x40]"];

/**
 * Of a vector form: plain registers, high ones, memory, and each decoration that it takes. Predicates that are part of
 * the mnemonic are many: their forms get one of each.
 */
function vectorTexts(form, bits) {
  const { mnemonic, kind, flags } = form;
  const isEvex = kind === EncodingKind.evex;
  const isPredicate = (flags & FormFlag.suffix) !== 0;
  const texts = [];
  const add = (operands, hint = "") => texts.push(`${hint}${text(mnemonic, operands)}`);
  const low = vectorOperands(form, bits, 0);
  if (low === undefined) return [];
  const mask = MASKS[turn % MASKS.length];
  const required = (flags & FormFlag.maskRequired) !== 0 ? mask : "";
  const withMask = (operands, decoration) => operands.with(0, operands[0] + decoration);
  const plain = required === "" ? low : withMask(low, required);
  add(plain);
  if (form.operands[0]?.slot === Slot.rm && form.operands.at(-1).slot === Slot.reg) add(low, "{store} ");
  if (required === "") add(low, isEvex ? "{evex} " : "{vex} ");
  const memory = form.operands.findIndex(({ accepts }) => (accepts & (MEMORY | VECTOR_INDEX)) !== 0);
  if (memory >= 0) {
    const address = vectorAddress(form, memory, bits, false);
    add(plain.with(memory, address + (memory === 0 ? required : "")));
    if (!isPredicate && required === "") {
      add(low.with(memory, vectorAddress(form, memory, bits, false)), isEvex ? "{evex} " : "{vex} ");
    }
  }
  if (bits === 64 && !isPredicate) {
    const high = vectorOperands(form, bits, isEvex ? 2 : 1);
    add(required === "" ? high : withMask(high, required));
    if (memory >= 0) add(withMask(high.with(memory, vectorAddress(form, memory, bits, isEvex)), required));
  }
  if (!isEvex) return texts;
  const isMemoryFirst = memory === 0 && (form.operands[0].accepts & ANY_REGISTER_BITS) === 0;
  if ((flags & FormFlag.mask) !== 0 && required === "") {
    const zeroing = (flags & FormFlag.zeroing) !== 0 && !isMemoryFirst ? "{z}" : "";
    add(withMask(low, mask + zeroing));
  }
  const element = (flags >> FormFlag.broadcastShift) & 3;
  if (element !== 0) add(low.with(memory, broadcast(form, memory, 8 << element, bits)));
  const last = form.operands.findLastIndex(({ accepts }) => (accepts & ANY_REGISTER_BITS) !== 0);
  if ((flags & FormFlag.rounding) !== 0) add(low.with(last, low[last] + ROUNDINGS[turn++ % 4]));
  if ((flags & FormFlag.suppressExceptions) !== 0) add(low.with(last, `${low[last]}{sae}`));
  return texts;
}

const MEMORY = 0x1ff << 15;
const VECTOR_INDEX = 7 << 27;
const ANY_REGISTER_BITS = 0x7fff;

/** Register operands (memory where there is no register), low ones, from 8 on, or from 16 on. */
function vectorOperands(form, bits, height) {
  const list = form.operands.map((operand, i) => {
    const { notation, accepts, fixed } = operand;
    if (notation in immediates) return immediates[notation][turn++ % immediates[notation].length];
    if (fixed >= 0) return notation;
    const file = VECTOR_REGISTERS.find((name) => (accepts & OperandBit[name]) !== 0);
    const number = [1 + i, 8 + ((turn + 3 * i) % 8), 16 + ((turn + 5 * i) % 16)][height];
    if (file !== undefined) return `${file}${number}`;
    if ((accepts & OperandBit.k) !== 0) return `k${2 + i}`;
    if ((accepts & OperandBit.tmm) !== 0) return `tmm${1 + i}`;
    if ((accepts & (OperandBit.r32 | OperandBit.r64)) !== 0) {
      const choices = registers[(accepts & OperandBit.r64) !== 0 ? "r64" : "r32"][bits];
      return choices?.[height === 0 ? 0 : choices.length - 1];
    }
    return vectorAddress(form, i, bits, false);
  });
  return list.includes(undefined) ? undefined : list;
}

/** Addresses in turn; displacements at both ends of what a byte of units reaches. */
function vectorAddress(form, i, bits, high) {
  const { accepts } = form.operands[i];
  const vector = (accepts & VECTOR_INDEX) >> 18;
  if (vector !== 0) {
    const file = VECTOR_REGISTERS.find((name) => (vector & OperandBit[name]) !== 0);
    const list = high ? VSIB_HIGH : VSIB[bits];
    const word = widthWords[form.rexW ? 64 : 32];
    return word + list[turn++ % list.length].replace("V", file);
  }
  const width = [8, 16, 32, 48, 64, 80, 128, 256, 512].filter((bitsOf) => accepts & OperandBit[`m${bitsOf}`]);
  const word = width.length === 1 && !UNSIZED.test(form.mnemonic) ? widthWords[width[0]] : "";
  return word + unitAddress(form, bits);
}

function unitAddress(form, bits) {
  if ((form.flags & FormFlag.sib) !== 0) return ["[rax+rcx*1]", "[r13+r9*4+0x10]", "[rbx]"][turn++ % 3];
  if (form.kind === EncodingKind.evex && turn % 3 === 0) {
    turn++;
    const unit = 1 << ((form.flags >> FormFlag.unitShift) & 7);
    const displacement = [`+0x${(127 * unit).toString(16)}`, `-0x${(128 * unit).toString(16)}`, "+0x1"][
      turn % 3
    ];
    return `[${{ 64: "rdx", 32: "edx", 16: "bx+si" }[bits]}${displacement}]`;
  }
  return memory[bits][turn++ % memory[bits].length];
}

/** One element for all; the number of elements is written where nothing else says it, and never hurts. */
function broadcast(form, i, element, bits) {
  const whole = [128, 256, 512].find((width) => form.operands[i].accepts & OperandBit[`m${width}`]);
  const count = (whole ?? 64) / element;
  const word = { 16: "WORD", 32: "DWORD", 64: "QWORD" }[element];
  return turn % 2 === 0
    ? `${word} BCST ${unitAddress(form, bits)}{1to${count}}`
    : `${unitAddress(form, bits)}{1to${count}}`;
}

function text(mnemonic, operands) {
  return operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(",")}`;
}
