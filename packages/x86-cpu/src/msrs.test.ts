import test from "ava";
import { CR4 } from "./architecture.js";
import { CpuError } from "./errors.js";
import { MSR_NUMBERS, Msr } from "./msrs.js";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { Guest, type GuestOptions } from "./scripts/guest/guest.js";

for (const engine of ENGINES) {
  const run = (code: string, change: (guest: Guest) => void = () => {}, options: GuestOptions = {}) => {
    const guest = new Guest(new SoftBox(engine), options);
    change(guest);
    return { guest, ...guest.run(code) };
  };

  const rdmsr = (index: number) => `mov ecx, ${index}\nrdmsr`;
  const wrmsr = (index: number, value: bigint) =>
    `mov ecx, ${index}\nmov eax, ${value & 0xffffffffn}\nmov edx, ${value >> 32n}\nwrmsr`;

  test(`${engine}: RDMSR and WRMSR raise #GP(0) for registers that there are not (SDM Vol. 2B, "RDMSR")`, (t) => {
    for (const index of [0, 0x11, 0x1b + 1, 0x3f, 0x2fe, 0x802, 0xc0000085, 0xc0000103, 0xffffffff]) {
      t.is(run(rdmsr(index)).what, "#GP(0x0)", index.toString(16));
      t.is(run(wrmsr(index, 0n)).what, "#GP(0x0)", index.toString(16));
    }
  });

  test(`${engine}: each MSR reads as it was written, and clears the upper halves of RAX and RDX (SDM Vol. 2B, "RDMSR")`, (t) => {
    const value: Readonly<Record<number, bigint>> = {
      [Msr.IA32_BIOS_SIGN_ID]: 0n,
      [Msr.IA32_DEBUGCTL]: 0n,
      [Msr.IA32_PAT]: 0x0606050104070600n,
      [Msr.IA32_SYSENTER_CS]: 0x10n,
      [Msr.IA32_FMASK]: 0x47700n,
      [Msr.IA32_EFER]: 0xd01n,
      [Msr.IA32_APIC_BASE]: 0xfee00900n,
    };
    for (const index of MSR_NUMBERS) {
      if (index === Msr.IA32_TIME_STAMP_COUNTER) continue;
      const written = value[index] ?? 0xffff800012345678n;
      const { what, regs, guest } = run(
        `${wrmsr(index, written)}\nmov rax, -1\nmov rdx, -1\n${rdmsr(index)}`,
      );
      t.is(what, "done");
      t.is((regs.rdx << 32n) | regs.rax, written, index.toString(16));
      t.is((guest.box as SoftBox).cpu.getMsr(index), written);
    }
  });

  test(`${engine}: values that an MSR cannot hold raise #GP(0) and change nothing (SDM Vol. 4, "Architectural MSRs")`, (t) => {
    const canonical = [
      ...[Msr.IA32_LSTAR, Msr.IA32_CSTAR, Msr.IA32_FS_BASE, Msr.IA32_GS_BASE, Msr.IA32_KERNEL_GS_BASE],
      ...[Msr.IA32_SYSENTER_ESP, Msr.IA32_SYSENTER_EIP],
    ].map((index) => [index, 0x800000000000n] as const);
    for (const [index, value] of [
      ...canonical,
      [Msr.IA32_EFER, 0xd03n],
      [Msr.IA32_EFER, 0xc01n],
      [Msr.IA32_EFER, 0x100000d01n],
      [Msr.IA32_PAT, 2n],
      [Msr.IA32_PAT, 0x0800000000000000n],
      [Msr.IA32_SYSENTER_CS, 0x100000000n],
    ] as const) {
      const { what, guest } = run(wrmsr(index, value));
      const { cpu } = guest.box as SoftBox;
      t.is(what, "#GP(0x0)", `${index.toString(16)} ${value.toString(16)}`);
      const before = cpu.getMsr(index);
      const error = t.throws(() => cpu.setMsrs([{ index, data: value }]), { instanceOf: CpuError });
      t.is((error as CpuError).code, "ERR_CPU_MSR");
      t.is(cpu.getMsr(index), before);
    }
    const error = t.throws(() => new SoftBox(engine).cpu.getMsr(0x11), { instanceOf: CpuError });
    t.is((error as CpuError).code, "ERR_CPU_MSR");
  });

  test(`${engine}: the time-stamp counter counts instructions, from what was written; TSD keeps it from level 3 (SDM Vol. 2B, "RDTSC")`, (t) => {
    const { regs } = run(
      `${wrmsr(Msr.IA32_TIME_STAMP_COUNTER, 0x1ffffffffn)}\nrdtsc\nmov rbx, rax\nmov rsi, rdx\nnop\nnop\nrdtsc`,
    );
    t.deepEqual([(regs.rsi << 32n) | regs.rbx, (regs.rdx << 32n) | regs.rax], [0x200000000n, 0x200000005n]);
    const tsd = ({ sregs }: Guest) => void (sregs.cr4 |= BigInt(CR4.TSD));
    t.is(run("rdtsc", tsd, { level: 3 }).what, "#GP(0x0)");
    t.is(run("rdtsc", tsd).what, "done");
    t.is(run("rdtsc", () => {}, { level: 3 }).what, "done");
  });
}
