/** Instructions per CPU second that iced-x86 makes and encodes: the same ten as the builder's. */
import { Code, Encoder, Instruction, MemoryOperand, Register } from "iced-x86";
import { rate } from "./measure.mjs";

const COUNT = 20_000;
const { RAX, RBX, RCX, RSP, RDI, RSI, EAX, R12 } = Register;

function memory(base, index, scale, displacement) {
  return new MemoryOperand(
    base,
    index,
    scale,
    BigInt(displacement),
    displacement === 0 ? 0 : 1,
    false,
    Register.None,
  );
}

const makers = [
  () => Instruction.createRegMem(Code.Mov_r64_rm64, RAX, memory(RBX, RCX, 4, -8)),
  () => Instruction.createRegI32(Code.Add_rm64_imm8, RAX, 8),
  (i) => Instruction.createMemReg(Code.Mov_rm64_r64, memory(RSP, Register.None, 1, i & 255), RAX),
  (i) => Instruction.createRegMem(Code.Lea_r64_m, RDI, memory(RSI, Register.None, 1, i)),
  () => Instruction.createRegReg(Code.Xor_r32_rm32, EAX, EAX),
  () => Instruction.createReg(Code.Push_r64, R12),
  () => Instruction.createReg(Code.Pop_r64, R12),
  (i) => Instruction.createRegI32(Code.Cmp_rm64_imm32, RAX, i),
  () => Instruction.createRegI32(Code.Mov_rm64_imm32, RCX, 123456),
  () => Instruction.createRegReg(Code.Test_rm64_r64, RAX, RAX),
];

const result = rate(COUNT, 5, () => {
  const encoder = new Encoder(64);
  for (let i = 0; i < COUNT; i += 10) {
    for (const make of makers) {
      const instruction = make(i);
      encoder.encode(instruction, 0n);
      instruction.free();
    }
  }
  encoder.takeBuffer();
  encoder.free();
});
console.log(JSON.stringify(result));
