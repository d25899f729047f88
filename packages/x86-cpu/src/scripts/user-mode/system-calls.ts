/** The system calls that a static program makes on its way, answered by the host. Numbers and errors are Linux's. */
import type { Cpu } from "../../cpu.js";

const ENOSYS = -38;
const ENOTTY = -25;
const EBADF = -9;
const PAGE = 4096;
const ARCH_SET_FS = 0x1002;
const MSR_FS_BASE = 0xc0000100;

const align = (value: number): number => Math.ceil(value / PAGE) * PAGE;

export class SystemCalls {
  /** Exit status, once there is one. */
  status: number | undefined;
  private readonly cpu: Cpu;
  private readonly chunks: Uint8Array[] = [];
  private break_: number;
  private readonly breakEnd: number;
  private mmapTop: number;

  constructor(cpu: Cpu, programEnd: number, mmapTop: number) {
    this.cpu = cpu;
    this.break_ = align(programEnd);
    this.breakEnd = this.break_ + 64 * 2 ** 20;
    this.mmapTop = mmapTop;
  }

  /** All that was written to descriptors 1 and 2. */
  output(): Uint8Array {
    const all = new Uint8Array(this.chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** Answers the call in the registers. Returns whether the program is over. */
  answer(): boolean {
    const regs = this.cpu.getRegs();
    const [rdi, rsi, rdx] = [Number(regs.rdi), Number(regs.rsi), Number(regs.rdx)];
    const result = this.call(Number(regs.rax), rdi, rsi, rdx, Number(BigInt.asIntN(32, regs.r10)));
    if (this.status !== undefined) return true;
    this.cpu.setRegs({ ...regs, rax: BigInt.asUintN(64, BigInt(result)) });
    return false;
  }

  private call(number: number, a: number, b: number, c: number, d: number): number {
    switch (number) {
      case 1:
        return this.write(a, b, c);
      case 20:
        return this.writev(a, b, c);
      case 9:
        return this.mmap(a, b, d);
      case 10: // mprotect
      case 11: // munmap
      case 13: // rt_sigaction
      case 14: // rt_sigprocmask
      case 28: // madvise
      case 273: // set_robust_list
        return 0;
      case 12:
        return this.brk(a);
      case 16:
        return ENOTTY;
      case 39: // getpid
      case 186: // gettid
      case 218: // set_tid_address
        return 1;
      case 60:
      case 231:
        this.status = a & 0xff;
        return 0;
      case 158:
        if (a !== ARCH_SET_FS) return ENOSYS;
        this.cpu.setMsrs([{ index: MSR_FS_BASE, data: BigInt(b) }]);
        return 0;
      case 202: // futex: nobody waits
        return 0;
      case 228:
        return this.clockGettime(b);
      default:
        return ENOSYS;
    }
  }

  private write(descriptor: number, at: number, length: number): number {
    if (descriptor !== 1 && descriptor !== 2) return EBADF;
    this.chunks.push(this.cpu.memory.ram.slice(at, at + length));
    return length;
  }

  private writev(descriptor: number, vector: number, count: number): number {
    const { ram } = this.cpu.memory;
    const view = new DataView(ram.buffer, ram.byteOffset);
    let sum = 0;
    for (let n = 0; n < count; n++) {
      const at = vector + n * 16;
      sum += this.write(
        descriptor,
        Number(view.getBigUint64(at, true)),
        Number(view.getBigUint64(at + 8, true)),
      );
    }
    return sum;
  }

  private brk(wanted: number): number {
    if (wanted >= this.break_ && wanted <= this.breakEnd) {
      this.cpu.memory.ram.fill(0, this.break_, wanted);
      this.break_ = wanted;
    }
    return this.break_;
  }

  private mmap(address: number, length: number, flags: number): number {
    if (flags & 0x10) return address;
    this.mmapTop -= align(length);
    this.cpu.memory.ram.fill(0, this.mmapTop, this.mmapTop + align(length));
    return this.mmapTop;
  }

  /** Time passes with instructions, a nanosecond each. */
  private clockGettime(at: number): number {
    const { ram } = this.cpu.memory;
    const view = new DataView(ram.buffer, ram.byteOffset);
    view.setBigUint64(at, BigInt(Math.floor(this.cpu.instructions / 1e9)), true);
    view.setBigUint64(at + 8, BigInt(this.cpu.instructions % 1e9), true);
    return 0;
  }
}
