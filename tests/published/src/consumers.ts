/** The smallest use of each package, as data: a program for an empty folder, and all that it prints. */

export interface Consumer {
  readonly name: string;
  readonly program: string;
  readonly output: string;
  readonly needsKvm?: boolean;
}

export const consumers: readonly Consumer[] = [
  {
    name: "x86-asm",
    program: `
      import { Assembler, link, mem, rax, rbx } from "@kvmkit/x86-asm";
      const a = new Assembler({ bits: 64 });
      a.mov(rax, mem.qword(rbx, 8));
      a.ret();
      console.log(Buffer.from(a.assemble().sections[0].bytes).toString("hex"));`,
    output: "488b4308c3\n",
  },
  {
    name: "elf",
    program: `
      import { readFileSync } from "node:fs";
      import { readElf } from "@kvmkit/elf";
      const bytes = readFileSync(process.execPath);
      console.log(readElf(bytes).header.e_ident[0].toString(16));`,
    output: "7f\n",
  },
  {
    name: "kvm-bindings",
    program: `
      import { Kvm } from "@kvmkit/kvm-bindings";
      const kvm = Kvm.open();
      console.log(kvm.apiVersion);
      kvm.close();`,
    output: "12\n",
    needsKvm: true,
  },
  {
    name: "hypervisor",
    program: `
      import { createVm } from "@kvmkit/hypervisor";
      const boot = { protocol: "real", image: Uint8Array.of(0xf4) };
      const vm = await createVm({ accel: "soft", memoryBytes: 65536, boot });
      console.log(vm.accel, (await vm.run()).kind);
      vm.close();`,
    output: "soft halted\n",
  },
  {
    name: "guest-kernel",
    program: `
      import { buildKernel } from "@kvmkit/guest-kernel";
      import { HYPERCALL_PORT } from "@kvmkit/guest-kernel/abi";
      const kernel = buildKernel();
      console.log(HYPERCALL_PORT, kernel.segments.length > 0, kernel.entry >= 0xffffffff80000000n);`,
    output: "228 true true\n",
  },
];

/** READMEs whose first program is run, and all that it prints: nothing where it only computes. */
export const readmePrograms: readonly { name: string; output: string; needsKvm?: boolean }[] = [
  { name: "x86-asm", output: "" },
  { name: "x86-cpu", output: "KVM_EXIT_IO KVM_EXIT_HLT\n" },
  { name: "guest-kernel", output: "" },
  { name: "hypervisor", output: "ahalted\n" },
  { name: "kvm-bindings", output: "a", needsKvm: true },
];
