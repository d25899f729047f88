import { closeSync } from "node:fs";
import { kvmTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { capabilities } from "./capabilities.js";
import { KvmError } from "./errors.js";
import { GuestMemory } from "./guest-memory.js";
import { hostIo } from "./host-io.js";
import { type IoctlName, ioctls, requestOf } from "./ioctls.js";
import { StopSource } from "./stop-source.js";
import { code, type Machine, machine } from "./testing/machine.js";
import { KVM_MEM } from "./vm.js";

/** What each ioctl does, once, on a machine of its own. A host that lacks it must say which capability is missing. */
const cases: Readonly<Record<IoctlName, (t: ExecutionContext, m: Machine) => void>> = {
  KVM_GET_API_VERSION: (t, { kvm }) => t.is(kvm.apiVersion, 12),
  KVM_CREATE_VM: (t, { kvm }) => {
    using vm = kvm.createVm();
    t.true(vm.fd > 2);
  },
  KVM_GET_MSR_INDEX_LIST: (t, { kvm }) => t.true(kvm.msrIndexList().includes(STAR)),
  KVM_GET_MSR_FEATURE_INDEX_LIST: (t, { kvm }) => t.true(Array.isArray(kvm.msrFeatureIndexList())),
  KVM_CHECK_EXTENSION: (t, { kvm, vm }) => {
    t.is(kvm.checkExtension("KVM_CAP_USER_MEMORY"), 1);
    t.is(vm.checkExtension(capabilities.KVM_CAP_USER_MEMORY), 1);
    t.is(kvm.checkExtension(0xffff), 0);
  },
  KVM_GET_VCPU_MMAP_SIZE: (t, { kvm }) => t.true(kvm.vcpuMmapSize >= 4096),
  KVM_GET_SUPPORTED_CPUID: (t, { kvm }) => {
    const leaf0 = kvm.supportedCpuid().find((entry) => entry.function === 0)!;
    t.true(leaf0.eax >= 1);
    t.is(kvm.supportedCpuid(), kvm.supportedCpuid());
  },
  KVM_GET_EMULATED_CPUID: (t, { kvm }) => t.true(kvm.emulatedCpuid().length > 0),
  KVM_X86_GET_MCE_CAP_SUPPORTED: (t, { kvm }) => t.true(kvm.mceCapSupported() > 0n),
  KVM_GET_SUPPORTED_HV_CPUID: (t, { vcpu }) => t.true(vcpu.supportedHvCpuid().length > 0),

  KVM_SET_USER_MEMORY_REGION: (t, { vm }) => {
    using memory = GuestMemory.allocate(0x4000);
    const slot = { slot: 1, guestPhysAddr: 0x1000_0000n };
    vm.setUserMemoryRegion({ ...slot, memory, offset: 0x1000, sizeBytes: 0x2000, flags: KVM_MEM.READONLY });
    vm.setUserMemoryRegion(slot);
    // Removed: another slot may stand there now.
    vm.setUserMemoryRegion({ ...slot, slot: 2, memory });
    t.throws(
      () => vm.setUserMemoryRegion({ ...slot, slot: 3, memory }),
      errno("KVM_SET_USER_MEMORY_REGION", "EEXIST"),
    );
  },
  KVM_SET_USER_MEMORY_REGION2: (t, { vm }) => {
    using memory = GuestMemory.allocate(0x4000);
    using guestMemfd = vm.createGuestMemfd(0x4000);
    const flags = KVM_MEM.GUEST_MEMFD;
    const region = { slot: 1, guestPhysAddr: 0x1000_0000n, memory, guestMemfd, flags };
    // Some kernels give private memory to some types of VM only, and refuse the flag for the others.
    const refused = attempt(() => vm.setUserMemoryRegion(region));
    if (refused === undefined) t.notThrows(() => vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0n }));
    else t.is(refused.message, "KVM_SET_USER_MEMORY_REGION2: EINVAL");
  },
  KVM_CREATE_GUEST_MEMFD: (t, { vm }) => {
    using memfd = vm.createGuestMemfd(0x4000);
    t.true(memfd.fd > 2);
  },
  KVM_SET_MEMORY_ATTRIBUTES: (_t, { vm }) => vm.setMemoryAttributes(0n, 0x1000n, 0n),
  KVM_GET_DIRTY_LOG: (t, m) => {
    logDirtyPages(m, code.countOnce);
    m.vcpu.run();
    const log = m.vm.getDirtyLog(0);
    t.is(log.length, 0x400 / 8);
    // The counter lies in page 2.
    t.is(log[0], 0b100);
    t.is(m.vm.getDirtyLog(0)[0], 0);
  },
  KVM_CLEAR_DIRTY_LOG: (t, m) => {
    m.vm.enableCap("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", 1n);
    logDirtyPages(m, code.countOnce);
    m.vcpu.run();
    const log = m.vm.getDirtyLog(0);
    t.is(m.vm.getDirtyLog(0)[0], 0b100, "kept until cleared");
    m.vm.clearDirtyLog(0, 0, 64, log.subarray(0, 8));
    t.is(m.vm.getDirtyLog(0)[0], 0);
  },
  KVM_RESET_DIRTY_RINGS: (t) => {
    const ringBytes = 65536;
    const prepare: Parameters<typeof machine>[1] = {
      prepare: (vm) => vm.enableCap("KVM_CAP_DIRTY_LOG_RING_ACQ_REL", BigInt(ringBytes)),
    };
    using m = machine(code.countOnce, prepare);
    m.vcpu.mapDirtyRing(ringBytes);
    logDirtyPages(m, code.countOnce);
    m.vcpu.run();
    // One entry for each time that KVM noticed a write: once where the page then stays writable, always where the
    // instruction is emulated.
    const taken = m.vcpu.takeDirtyGfns();
    t.deepEqual([...new Set(taken.map(({ slot, offset }) => `${slot}:${offset}`))], ["0:2"]);
    t.deepEqual(m.vcpu.takeDirtyGfns(), []);
    t.is(m.vm.resetDirtyRings(), taken.length);
  },
  KVM_SET_TSS_ADDR: (t, { vm }) => t.notThrows(() => vm.setTssAddr(0xfffb_d000)),
  KVM_SET_IDENTITY_MAP_ADDR: (t, { kvm, vm }) => {
    using fresh = kvm.createVm();
    t.notThrows(() => fresh.setIdentityMapAddr(0xfffb_c000n));
    t.throws(() => vm.setIdentityMapAddr(0xfffb_c000n), errno("KVM_SET_IDENTITY_MAP_ADDR", "EINVAL"));
  },
  KVM_REGISTER_COALESCED_MMIO: (t, m) => {
    // mov byte ptr [0x8000+i], 1 twice would need a hole: ports are simpler. out 0xe4, al; out 0xe4, al; hlt
    m.vm.registerCoalescedMmio({ addr: 0xe4n, size: 1, pio: 1 });
    load(m, [0xb0, 0x07, 0xe6, 0xe4, 0xe6, 0xe4, 0xf4]);
    t.is(m.vcpu.run(), 5 /* KVM_EXIT_HLT: no exit for the writes */);
    const writes = m.vcpu.takeCoalescedMmio();
    t.deepEqual(
      writes.map(({ phys_addr, len, pio, data }) => [phys_addr, len, pio, data[0]]),
      [
        [0xe4n, 1, 1, 7],
        [0xe4n, 1, 1, 7],
      ],
    );
    t.deepEqual(m.vcpu.takeCoalescedMmio(), []);
  },
  KVM_UNREGISTER_COALESCED_MMIO: (t, m) => {
    const zone = { addr: 0xe4n, size: 1, pio: 1 };
    m.vm.registerCoalescedMmio(zone);
    m.vm.unregisterCoalescedMmio(zone);
    load(m, code.exits);
    t.is(m.vcpu.run(), 2 /* KVM_EXIT_IO */);
  },
  KVM_MEMORY_ENCRYPT_OP: (t, { vm }) => {
    t.throws(() => vm.checkMemoryEncryption(), errno("KVM_MEMORY_ENCRYPT_OP", "ENOTTY"));
    t.throws(() => vm.memoryEncryptOp(0, 0), errno("KVM_MEMORY_ENCRYPT_OP", "ENOTTY"));
    t.throws(() => vm.memoryEncryptOp(3 /* LAUNCH_UPDATE_DATA */, 0), { code: "ERR_KVM_ADDRESS" });
  },
  KVM_MEMORY_ENCRYPT_REG_REGION: (t, { vm, memory }) => {
    t.throws(() => vm.memoryEncryptRegRegion(memory), errno("KVM_MEMORY_ENCRYPT_REG_REGION", "ENOTTY"));
  },
  KVM_MEMORY_ENCRYPT_UNREG_REGION: (t, { vm, memory }) => {
    t.throws(() => vm.memoryEncryptUnregRegion(memory), errno("KVM_MEMORY_ENCRYPT_UNREG_REGION", "ENOTTY"));
  },

  KVM_CREATE_VCPU: (t, { vm }) => {
    t.is(vm.createVcpu(1).vcpuId, 1);
    t.throws(() => vm.createVcpu(1), errno("KVM_CREATE_VCPU", "EEXIST"));
  },
  KVM_CREATE_IRQCHIP: (t) => {
    using m = irqMachine();
    t.is(m.vcpu.getMpState(), 0);
  },
  KVM_IRQ_LINE: (t) => {
    using m = irqMachine();
    // Pin 4 of the master PIC: edge-triggered, so the request stays latched.
    m.vm.irqLine(4, true);
    m.vm.irqLine(4, false);
    const { chip } = m.vm.getIrqchip(0);
    t.is(chip[1]! & 0x10, 0x10, "irr");
  },
  KVM_GET_IRQCHIP: (t) => {
    using m = irqMachine();
    t.is(m.vm.getIrqchip(2).chip_id, 2);
  },
  KVM_SET_IRQCHIP: (t) => {
    using m = irqMachine();
    const state = m.vm.getIrqchip(0);
    state.chip[2] = 0xef; // imr
    m.vm.setIrqchip(state);
    t.is(m.vm.getIrqchip(0).chip[2], 0xef);
  },
  KVM_SET_GSI_ROUTING: (t) => {
    using m = irqMachine();
    t.notThrows(() => m.vm.setGsiRouting([{ gsi: 5, type: 1, u: [0, 5] }]));
  },
  KVM_IRQFD: (t) => {
    using m = irqMachine();
    const fd = hostIo.eventfd();
    m.vm.irqfd({ fd, gsi: 4 });
    hostIo.write(fd, [new Uint8Array(new BigUint64Array([1n]).buffer)]);
    // The kernel raises the line from a work queue.
    const requested = (): number => m.vm.getIrqchip(0).chip[1]!;
    while (requested() === 0) hostIo.sleep(1);
    t.is(requested(), 0x10);
    m.vm.irqfd({ fd, gsi: 4, flags: 1 /* KVM_IRQFD_FLAG_DEASSIGN */ });
    closeSync(fd);
  },
  KVM_IOEVENTFD: (t, m) => {
    const fd = hostIo.eventfd(0, 2048);
    m.vm.ioeventfd({ addr: 0xe4n, len: 1, fd, flags: 2 /* KVM_IOEVENTFD_FLAG_PIO */ });
    load(m, [0xe6, 0xe4, 0xe6, 0xe4, 0xf4]);
    t.is(m.vcpu.run(), 5 /* KVM_EXIT_HLT: no exit for the writes */);
    const count = new BigUint64Array(1);
    hostIo.read(fd, [new Uint8Array(count.buffer)]);
    t.is(count[0], 2n);
    closeSync(fd);
  },
  KVM_SIGNAL_MSI: (t) => {
    using m = irqMachine();
    // The local APIC is disabled by software after reset, and so takes nothing.
    t.false(m.vm.signalMsi({ address_lo: 0xfee0_0000, data: 0x30 }));
  },
  KVM_CREATE_PIT2: (t) => {
    using m = irqMachine();
    m.vm.createPit2();
    t.throws(() => m.vm.createPit2(), errno("KVM_CREATE_PIT2", "EEXIST"));
  },
  KVM_GET_PIT2: (t) => {
    using m = irqMachine();
    m.vm.createPit2();
    t.is(m.vm.getPit2().channels.length, 3);
  },
  KVM_SET_PIT2: (t) => {
    using m = irqMachine();
    m.vm.createPit2();
    const state = m.vm.getPit2();
    state.channels[2]!.mode = 3;
    m.vm.setPit2(state);
    t.is(m.vm.getPit2().channels[2]!.mode, 3);
  },
  KVM_SET_CLOCK: (t, { vm }) => {
    vm.setClock({ clock: 1_000_000_000_000n });
    t.true(vm.getClock().clock >= 1_000_000_000_000n);
  },
  KVM_GET_CLOCK: (t, { vm }) => t.true(vm.getClock().clock > 0n),
  KVM_CREATE_DEVICE: (t, { vm }) => {
    // Type 4 is VFIO, which a kernel may have been built without.
    const refused = attempt(() => vm.createDevice(4).close());
    t.is(refused?.message ?? "", refused === undefined ? "" : "KVM_CREATE_DEVICE: ENODEV");
  },
  KVM_SET_DEVICE_ATTR: (t, { vcpu }) => {
    // KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET
    if (!vcpu.hasDeviceAttr(0, 0n)) return t.throws(() => vcpu.setDeviceAttr(0, 0n, new Uint8Array(8)));
    const offset = vcpu.getDeviceAttr(0, 0n);
    vcpu.setDeviceAttr(0, 0n, offset);
    return t.deepEqual(vcpu.getDeviceAttr(0, 0n), offset);
  },
  KVM_GET_DEVICE_ATTR: (t, { kvm }) => {
    // KVM_X86_XCOMP_GUEST_SUPP
    if (kvm.hasDeviceAttr(0, 0n)) t.is(kvm.getDeviceAttr(0, 0n).length, 8);
    else t.throws(() => kvm.getDeviceAttr(0, 0n), { instanceOf: KvmError });
  },
  KVM_HAS_DEVICE_ATTR: (t, { vcpu }) => t.false(vcpu.hasDeviceAttr(99, 99n)),
  KVM_ENABLE_CAP: (t, { vm, vcpu }) => {
    t.notThrows(() => vm.enableCap("KVM_CAP_X86_USER_SPACE_MSR", 1n));
    t.throws(() => vm.enableCap(0xffff), errno("KVM_ENABLE_CAP", "EINVAL"));
    // It takes an address, which cannot be checked.
    t.throws(() => vcpu.enableCap("KVM_CAP_HYPERV_ENLIGHTENED_VMCS", 8n), { code: "ERR_KVM_ADDRESS" });
  },
  KVM_X86_SET_MSR_FILTER: (t, m) => {
    m.vm.enableCap("KVM_CAP_X86_USER_SPACE_MSR", 4n /* KVM_MSR_EXIT_REASON_FILTER */);
    m.vm.setMsrFilter([{ flags: 1, base: 0x174, nmsrs: 3, bitmap: Uint8Array.of(0b110) }]);
    // mov ecx, 0x174; rdmsr (16-bit code: the operand prefix)
    load(m, [0x66, 0xb9, 0x74, 0x01, 0x00, 0x00, 0x0f, 0x32]);
    m.vcpu.run();
    t.like(m.vcpu.decodeExit(), { reason: "KVM_EXIT_X86_RDMSR", index: 0x174 });
  },
  KVM_SET_PMU_EVENT_FILTER: (t, { vm }) => {
    t.notThrows(() => vm.setPmuEventFilter({ action: 0, events: [0xc0n] }));
  },
  KVM_GET_STATS_FD: (t, { vm, vcpu }) => {
    using ofVm = vm.statistics();
    using ofVcpu = vcpu.statistics();
    t.true(ofVm.read().length > 0);
    const exits = () => ofVcpu.read().find(({ name }) => name === "exits")!.values[0]!;
    const before = exits();
    vcpu.run();
    t.true(exits() > before);
  },

  KVM_RUN: (t, { vcpu }) => t.is(vcpu.run(), 2 /* KVM_EXIT_IO */),
  KVM_INTERRUPT: (t, m) => {
    // sti; nop; jmp $. Vector 0x21 leads to 0:0x3000, where a hlt stands.
    load(m, [0xfb, 0x90, 0xeb, 0xfe]);
    m.memory.view().setUint16(0x21 * 4, 0x3000, true);
    m.memory.copyFrom(Uint8Array.of(0xf4), 0x3000);
    m.vcpu.setRegs({ rip: 0x1000n, rsp: 0x8000n, rflags: 0x202n });
    m.vcpu.interrupt(0x21);
    t.is(m.vcpu.run(), 5 /* KVM_EXIT_HLT */);
    t.is(m.vcpu.getRegs().rip, 0x3001n);
  },
  KVM_NMI: (t, m) => {
    load(m, code.spin);
    m.memory.view().setUint16(2 * 4, 0x3000, true);
    m.memory.copyFrom(Uint8Array.of(0xf4), 0x3000);
    m.vcpu.nmi();
    t.is(m.vcpu.run(), 5 /* KVM_EXIT_HLT */);
    t.is(m.vcpu.getRegs().rip, 0x3001n);
  },
  KVM_SMI: (t, { vcpu }) => {
    vcpu.smi();
    t.is(vcpu.getVcpuEvents().smi.pending, 1);
  },
  KVM_SET_SIGNAL_MASK: (t, m) => {
    // Even a mask of everything leaves the signal through that ends a run.
    m.vcpu.setSignalMask(0xffff_ffff_ffff_ffffn);
    load(m, code.spin);
    t.is(runFor(m, 5), 10 /* KVM_EXIT_INTR */);
    m.vcpu.setSignalMask(undefined);
  },
  KVM_SET_GUEST_DEBUG: (t, m) => {
    load(m, [0x90, 0x90, 0xf4]);
    m.vcpu.setGuestDebug({ control: 3 /* ENABLE, SINGLESTEP */ });
    m.vcpu.run();
    t.like(m.vcpu.decodeExit(), { reason: "KVM_EXIT_DEBUG", pc: 0x1001n });
  },
  KVM_TRANSLATE: (t) => {
    using m = machine(code.spin, { mode: "64-bit ring 0" });
    t.like(m.vcpu.translate(0x1234n), { valid: 1, physical_address: 0x1234n });
    t.is(m.vcpu.translate(0x4000_0000n).valid, 0);
  },
  KVM_KVMCLOCK_CTRL: (t, { vcpu }) => {
    // EINVAL: the guest has set no kvmclock up that could be told.
    t.throws(() => vcpu.kvmclockCtrl(), errno("KVM_KVMCLOCK_CTRL", "EINVAL"));
  },
  KVM_PRE_FAULT_MEMORY: (t, { vcpu }) => t.is(vcpu.preFaultMemory({ gpa: 0n, size: 0x4000n }).size, 0n),

  KVM_GET_REGS: (t, { vcpu }) => t.is(vcpu.getRegs().rip, 0x1000n),
  KVM_SET_REGS: (t, { vcpu }) => {
    vcpu.setRegs({ rax: 0xffff_ffff_ffff_ffffn, r15: 15n, rip: 0x1000n, rflags: 2n });
    t.like(vcpu.getRegs(), { rax: 0xffff_ffff_ffff_ffffn, rbx: 0n, r15: 15n, rip: 0x1000n, rflags: 2n });
  },
  KVM_GET_SREGS: (t, { vcpu }) => t.like(vcpu.getSregs().cs, { base: 0n, selector: 0, limit: 0xffff }),
  KVM_SET_SREGS: (t, { vcpu }) => {
    const sregs = vcpu.getSregs();
    vcpu.setSregs({ ...sregs, gdt: { base: 0x5000n, limit: 0x17 } });
    t.deepEqual(vcpu.getSregs(), { ...sregs, gdt: { base: 0x5000n, limit: 0x17 } });
    // LMA without PG is no state of a processor (SDM Vol. 3A, "Initializing IA-32e Mode").
    t.throws(
      () => vcpu.setSregs({ ...sregs, efer: 0x400n, cr0: 0x8000_0001n }),
      errno("KVM_SET_SREGS", "EINVAL"),
    );
  },
  KVM_GET_SREGS2: (t, { vcpu }) => t.is(vcpu.getSregs2().pdptrs.length, 4),
  KVM_SET_SREGS2: (t, { vcpu }) => {
    const sregs = vcpu.getSregs2();
    vcpu.setSregs2({ ...sregs, cr2: 0x1234n });
    t.is(vcpu.getSregs2().cr2, 0x1234n);
  },
  KVM_GET_FPU: (t, { vcpu }) => t.like(vcpu.getFpu(), { fcw: 0x37f, fsw: 0 }),
  KVM_SET_FPU: (t, { vcpu }) => {
    const fpu = vcpu.getFpu();
    fpu.xmm[3] = Uint8Array.from({ length: 16 }, (_, i) => i);
    vcpu.setFpu(fpu);
    t.deepEqual(vcpu.getFpu(), fpu);
  },
  KVM_GET_MSRS: (t, { vcpu }) => {
    t.deepEqual(vcpu.getMsrs([EFER]), [{ index: EFER, data: 0n }]);
    t.throws(() => vcpu.getMsrs([EFER, 0xdead_beef]), { code: "ERR_KVM_MSR", message: /0xdeadbeef/ });
  },
  KVM_SET_MSRS: (t, { vcpu }) => {
    vcpu.setMsrs([{ index: LSTAR, data: 0x1234_5000n }]);
    t.deepEqual(vcpu.getMsrs([LSTAR]), [{ index: LSTAR, data: 0x1234_5000n }]);
    t.throws(() => vcpu.setMsrs([{ index: 0xdead_beef, data: 0n }]), { code: "ERR_KVM_MSR" });
  },
  KVM_GET_CPUID2: (t, { kvm, vcpu }) => {
    vcpu.setCpuid2(kvm.supportedCpuid());
    t.is(vcpu.getCpuid2().length, kvm.supportedCpuid().length);
  },
  KVM_SET_CPUID2: (t, { vcpu }) => {
    const entry = { function: 0, index: 0, flags: 0, eax: 1, ebx: 2, ecx: 3, edx: 4 };
    vcpu.setCpuid2([entry]);
    t.deepEqual(vcpu.getCpuid2(), [entry]);
  },
  KVM_GET_LAPIC: (t) => {
    using m = irqMachine();
    t.is(m.vcpu.getLapic().length, 1024);
  },
  KVM_SET_LAPIC: (t) => {
    using m = irqMachine();
    const regs = m.vcpu.getLapic();
    regs[0xf0] = 0xff; // spurious-interrupt vector
    regs[0xf1] = 0x01; // software enable
    m.vcpu.setLapic(regs);
    t.is(m.vcpu.getLapic()[0xf1], 0x01);
  },
  KVM_GET_MP_STATE: (t, { vcpu }) => t.is(vcpu.getMpState(), 0),
  KVM_SET_MP_STATE: (t) => {
    using m = irqMachine();
    m.vcpu.setMpState(3);
    t.is(m.vcpu.getMpState(), 3);
  },
  KVM_GET_VCPU_EVENTS: (t, { vcpu }) => t.is(vcpu.getVcpuEvents().exception.injected, 0),
  KVM_SET_VCPU_EVENTS: (t, { vcpu }) => {
    const events = vcpu.getVcpuEvents();
    vcpu.setVcpuEvents({ ...events, nmi: { ...events.nmi, masked: 1 } });
    t.is(vcpu.getVcpuEvents().nmi.masked, 1);
  },
  KVM_GET_DEBUGREGS: (t, { vcpu }) => t.is(vcpu.getDebugregs().dr7, 0x400n),
  KVM_SET_DEBUGREGS: (t, { vcpu }) => {
    vcpu.setDebugregs({ db: [0x1000n, 0n, 0n, 0n], dr6: 0xffff_0ff0n, dr7: 0x400n });
    t.is(vcpu.getDebugregs().db[0], 0x1000n);
  },
  KVM_GET_XSAVE: (t, { vcpu }) => t.true(vcpu.getXsave().length >= 4096),
  KVM_GET_XSAVE2: (t, { vcpu, vm }) => {
    t.is(vcpu.getXsave().length, Math.max(4096, vm.checkExtension("KVM_CAP_XSAVE2")));
  },
  KVM_SET_XSAVE: (t, { vcpu }) => {
    const area = vcpu.getXsave();
    vcpu.setXsave(area);
    t.deepEqual(vcpu.getXsave(), area);
    t.throws(() => vcpu.setXsave(area.subarray(0, 512)), { code: "ERR_KVM_BUFFER" });
  },
  KVM_GET_XCRS: (t, { vcpu }) => t.like(vcpu.getXcrs(), { nr_xcrs: 1, xcrs: [{ xcr: 0, value: 1n }] }),
  KVM_SET_XCRS: (t, { kvm, vcpu }) => {
    vcpu.setCpuid2(kvm.supportedCpuid());
    const xcrs = vcpu.getXcrs();
    vcpu.setXcrs(xcrs);
    t.deepEqual(vcpu.getXcrs(), xcrs);
  },
  KVM_GET_NESTED_STATE: (t, { vcpu }) => t.true(vcpu.getNestedState().size >= 128),
  KVM_SET_NESTED_STATE: (t, { vcpu }) => {
    const state = vcpu.getNestedState();
    vcpu.setNestedState(state);
    t.deepEqual(vcpu.getNestedState(), state);
  },
  KVM_SET_TSC_KHZ: (t, { vcpu }) => t.notThrows(() => vcpu.setTscKhz(vcpu.getTscKhz())),
  KVM_GET_TSC_KHZ: (t, { vcpu, vm }) => {
    t.true(vcpu.getTscKhz() > 0);
    t.is(vm.getTscKhz(), vcpu.getTscKhz());
  },
  KVM_X86_SETUP_MCE: (t, { vcpu }) => t.notThrows(() => vcpu.setupMce(1n)),
  KVM_X86_SET_MCE: (t, { vcpu }) => {
    vcpu.setupMce(1n);
    // A corrected error of bank 0: valid, not uncorrected, so it is only recorded.
    t.notThrows(() => vcpu.setMce({ status: 1n << 63n, bank: 0 }));
  },
};

const EFER = 0xc000_0080;
const STAR = 0xc000_0081;
const LSTAR = 0xc000_0082;

function errno(ioctl: string, errnoName: string) {
  return { instanceOf: KvmError, code: "ERR_KVM_IOCTL", message: `${ioctl}: ${errnoName}` } as const;
}

/** The KvmError of a call that a host may refuse. */
function attempt(call: () => void): KvmError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof KvmError) return error;
    throw error;
  }
}

function irqMachine(): Machine {
  return machine(code.halt, { prepare: (vm) => vm.createIrqchip() });
}

function load({ memory }: Machine, program: readonly number[]): void {
  memory.copyFrom(Uint8Array.from(program), 0x1000);
}

function logDirtyPages(m: Machine, program: readonly number[]): void {
  load(m, program);
  m.vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory: m.memory, flags: KVM_MEM.LOG_DIRTY_PAGES });
}

function runFor({ vcpu }: Machine, ms: number): number {
  using stop = new StopSource();
  stop.armWall(ms);
  return vcpu.run(stop);
}

for (const row of ioctls) {
  const { name, section } = row;
  kvmTest(`${name} (KVM api.rst ${section || "5"})`, (t) => {
    using m = machine(code.exits);
    try {
      cases[name](t, m);
    } catch (error) {
      const unsupported = error instanceof KvmError && error.code === "ERR_KVM_UNSUPPORTED";
      if (!unsupported) throw error;
      t.is(m.vm.checkExtension(error.capability as keyof typeof capabilities), 0);
      t.log(`unsupported here: ${error.capability}`);
    }
  });
}

test("request numbers are those of the kernel (asm-generic/ioctl.h)", (t) => {
  const known = Object.fromEntries(ioctls.map((row) => [row.name, requestOf(row)]));
  // The values that Debian 12's header gives in C, and gives wrong in C++.
  t.is(known["KVM_GET_SUPPORTED_CPUID"], 0xc008ae05);
  t.is(known["KVM_SET_MSRS"], 0x4008ae89);
  t.is(known["KVM_GET_XSAVE"], 0x9000aea4);
  t.is(known["KVM_RUN"], 0xae80);
});
