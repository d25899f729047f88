/*
 * Every number and size of the tables against the kernel's header, at compile time.
 * Generated from the tables in src/ by scripts/generate.mjs.
 *
 * #ifdef marks what is newer than the oldest header that this is built with; an ioctl or an exit is a macro and
 * guards itself.
 */
#include <linux/kvm.h>
#include <stddef.h>

/* ---- requests ---- */
#ifdef KVM_GET_API_VERSION
_Static_assert(KVM_GET_API_VERSION == 0x0000ae00u, "KVM_GET_API_VERSION");
#endif
#ifdef KVM_CREATE_VM
_Static_assert(KVM_CREATE_VM == 0x0000ae01u, "KVM_CREATE_VM");
#endif
#ifdef KVM_GET_MSR_INDEX_LIST
_Static_assert(KVM_GET_MSR_INDEX_LIST == 0xc004ae02u, "KVM_GET_MSR_INDEX_LIST");
#endif
#ifdef KVM_GET_MSR_FEATURE_INDEX_LIST
_Static_assert(KVM_GET_MSR_FEATURE_INDEX_LIST == 0xc004ae0au, "KVM_GET_MSR_FEATURE_INDEX_LIST");
#endif
#ifdef KVM_CHECK_EXTENSION
_Static_assert(KVM_CHECK_EXTENSION == 0x0000ae03u, "KVM_CHECK_EXTENSION");
#endif
#ifdef KVM_GET_VCPU_MMAP_SIZE
_Static_assert(KVM_GET_VCPU_MMAP_SIZE == 0x0000ae04u, "KVM_GET_VCPU_MMAP_SIZE");
#endif
#ifdef KVM_GET_SUPPORTED_CPUID
_Static_assert(KVM_GET_SUPPORTED_CPUID == 0xc008ae05u, "KVM_GET_SUPPORTED_CPUID");
#endif
#ifdef KVM_GET_EMULATED_CPUID
_Static_assert(KVM_GET_EMULATED_CPUID == 0xc008ae09u, "KVM_GET_EMULATED_CPUID");
#endif
#ifdef KVM_X86_GET_MCE_CAP_SUPPORTED
_Static_assert(KVM_X86_GET_MCE_CAP_SUPPORTED == 0x8008ae9du, "KVM_X86_GET_MCE_CAP_SUPPORTED");
#endif
#ifdef KVM_GET_SUPPORTED_HV_CPUID
_Static_assert(KVM_GET_SUPPORTED_HV_CPUID == 0xc008aec1u, "KVM_GET_SUPPORTED_HV_CPUID");
#endif
#ifdef KVM_SET_USER_MEMORY_REGION
_Static_assert(KVM_SET_USER_MEMORY_REGION == 0x4020ae46u, "KVM_SET_USER_MEMORY_REGION");
#endif
#ifdef KVM_SET_USER_MEMORY_REGION2
_Static_assert(KVM_SET_USER_MEMORY_REGION2 == 0x40a0ae49u, "KVM_SET_USER_MEMORY_REGION2");
#endif
#ifdef KVM_CREATE_GUEST_MEMFD
_Static_assert(KVM_CREATE_GUEST_MEMFD == 0xc040aed4u, "KVM_CREATE_GUEST_MEMFD");
#endif
#ifdef KVM_SET_MEMORY_ATTRIBUTES
_Static_assert(KVM_SET_MEMORY_ATTRIBUTES == 0x4020aed2u, "KVM_SET_MEMORY_ATTRIBUTES");
#endif
#ifdef KVM_GET_DIRTY_LOG
_Static_assert(KVM_GET_DIRTY_LOG == 0x4010ae42u, "KVM_GET_DIRTY_LOG");
#endif
#ifdef KVM_CLEAR_DIRTY_LOG
_Static_assert(KVM_CLEAR_DIRTY_LOG == 0xc018aec0u, "KVM_CLEAR_DIRTY_LOG");
#endif
#ifdef KVM_RESET_DIRTY_RINGS
_Static_assert(KVM_RESET_DIRTY_RINGS == 0x0000aec7u, "KVM_RESET_DIRTY_RINGS");
#endif
#ifdef KVM_SET_TSS_ADDR
_Static_assert(KVM_SET_TSS_ADDR == 0x0000ae47u, "KVM_SET_TSS_ADDR");
#endif
#ifdef KVM_SET_IDENTITY_MAP_ADDR
_Static_assert(KVM_SET_IDENTITY_MAP_ADDR == 0x4008ae48u, "KVM_SET_IDENTITY_MAP_ADDR");
#endif
#ifdef KVM_REGISTER_COALESCED_MMIO
_Static_assert(KVM_REGISTER_COALESCED_MMIO == 0x4010ae67u, "KVM_REGISTER_COALESCED_MMIO");
#endif
#ifdef KVM_UNREGISTER_COALESCED_MMIO
_Static_assert(KVM_UNREGISTER_COALESCED_MMIO == 0x4010ae68u, "KVM_UNREGISTER_COALESCED_MMIO");
#endif
#ifdef KVM_MEMORY_ENCRYPT_OP
_Static_assert(KVM_MEMORY_ENCRYPT_OP == 0xc008aebau, "KVM_MEMORY_ENCRYPT_OP");
#endif
#ifdef KVM_MEMORY_ENCRYPT_REG_REGION
_Static_assert(KVM_MEMORY_ENCRYPT_REG_REGION == 0x8010aebbu, "KVM_MEMORY_ENCRYPT_REG_REGION");
#endif
#ifdef KVM_MEMORY_ENCRYPT_UNREG_REGION
_Static_assert(KVM_MEMORY_ENCRYPT_UNREG_REGION == 0x8010aebcu, "KVM_MEMORY_ENCRYPT_UNREG_REGION");
#endif
#ifdef KVM_CREATE_VCPU
_Static_assert(KVM_CREATE_VCPU == 0x0000ae41u, "KVM_CREATE_VCPU");
#endif
#ifdef KVM_CREATE_IRQCHIP
_Static_assert(KVM_CREATE_IRQCHIP == 0x0000ae60u, "KVM_CREATE_IRQCHIP");
#endif
#ifdef KVM_IRQ_LINE
_Static_assert(KVM_IRQ_LINE == 0x4008ae61u, "KVM_IRQ_LINE");
#endif
#ifdef KVM_GET_IRQCHIP
_Static_assert(KVM_GET_IRQCHIP == 0xc208ae62u, "KVM_GET_IRQCHIP");
#endif
#ifdef KVM_SET_IRQCHIP
_Static_assert(KVM_SET_IRQCHIP == 0x8208ae63u, "KVM_SET_IRQCHIP");
#endif
#ifdef KVM_SET_GSI_ROUTING
_Static_assert(KVM_SET_GSI_ROUTING == 0x4008ae6au, "KVM_SET_GSI_ROUTING");
#endif
#ifdef KVM_IRQFD
_Static_assert(KVM_IRQFD == 0x4020ae76u, "KVM_IRQFD");
#endif
#ifdef KVM_IOEVENTFD
_Static_assert(KVM_IOEVENTFD == 0x4040ae79u, "KVM_IOEVENTFD");
#endif
#ifdef KVM_SIGNAL_MSI
_Static_assert(KVM_SIGNAL_MSI == 0x4020aea5u, "KVM_SIGNAL_MSI");
#endif
#ifdef KVM_CREATE_PIT2
_Static_assert(KVM_CREATE_PIT2 == 0x4040ae77u, "KVM_CREATE_PIT2");
#endif
#ifdef KVM_GET_PIT2
_Static_assert(KVM_GET_PIT2 == 0x8070ae9fu, "KVM_GET_PIT2");
#endif
#ifdef KVM_SET_PIT2
_Static_assert(KVM_SET_PIT2 == 0x4070aea0u, "KVM_SET_PIT2");
#endif
#ifdef KVM_SET_CLOCK
_Static_assert(KVM_SET_CLOCK == 0x4030ae7bu, "KVM_SET_CLOCK");
#endif
#ifdef KVM_GET_CLOCK
_Static_assert(KVM_GET_CLOCK == 0x8030ae7cu, "KVM_GET_CLOCK");
#endif
#ifdef KVM_CREATE_DEVICE
_Static_assert(KVM_CREATE_DEVICE == 0xc00caee0u, "KVM_CREATE_DEVICE");
#endif
#ifdef KVM_SET_DEVICE_ATTR
_Static_assert(KVM_SET_DEVICE_ATTR == 0x4018aee1u, "KVM_SET_DEVICE_ATTR");
#endif
#ifdef KVM_GET_DEVICE_ATTR
_Static_assert(KVM_GET_DEVICE_ATTR == 0x4018aee2u, "KVM_GET_DEVICE_ATTR");
#endif
#ifdef KVM_HAS_DEVICE_ATTR
_Static_assert(KVM_HAS_DEVICE_ATTR == 0x4018aee3u, "KVM_HAS_DEVICE_ATTR");
#endif
#ifdef KVM_ENABLE_CAP
_Static_assert(KVM_ENABLE_CAP == 0x4068aea3u, "KVM_ENABLE_CAP");
#endif
#ifdef KVM_X86_SET_MSR_FILTER
_Static_assert(KVM_X86_SET_MSR_FILTER == 0x4188aec6u, "KVM_X86_SET_MSR_FILTER");
#endif
#ifdef KVM_SET_PMU_EVENT_FILTER
_Static_assert(KVM_SET_PMU_EVENT_FILTER == 0x4020aeb2u, "KVM_SET_PMU_EVENT_FILTER");
#endif
#ifdef KVM_GET_STATS_FD
_Static_assert(KVM_GET_STATS_FD == 0x0000aeceu, "KVM_GET_STATS_FD");
#endif
#ifdef KVM_RUN
_Static_assert(KVM_RUN == 0x0000ae80u, "KVM_RUN");
#endif
#ifdef KVM_INTERRUPT
_Static_assert(KVM_INTERRUPT == 0x4004ae86u, "KVM_INTERRUPT");
#endif
#ifdef KVM_NMI
_Static_assert(KVM_NMI == 0x0000ae9au, "KVM_NMI");
#endif
#ifdef KVM_SMI
_Static_assert(KVM_SMI == 0x0000aeb7u, "KVM_SMI");
#endif
#ifdef KVM_SET_SIGNAL_MASK
_Static_assert(KVM_SET_SIGNAL_MASK == 0x4004ae8bu, "KVM_SET_SIGNAL_MASK");
#endif
#ifdef KVM_SET_GUEST_DEBUG
_Static_assert(KVM_SET_GUEST_DEBUG == 0x4048ae9bu, "KVM_SET_GUEST_DEBUG");
#endif
#ifdef KVM_TRANSLATE
_Static_assert(KVM_TRANSLATE == 0xc018ae85u, "KVM_TRANSLATE");
#endif
#ifdef KVM_KVMCLOCK_CTRL
_Static_assert(KVM_KVMCLOCK_CTRL == 0x0000aeadu, "KVM_KVMCLOCK_CTRL");
#endif
#ifdef KVM_PRE_FAULT_MEMORY
_Static_assert(KVM_PRE_FAULT_MEMORY == 0xc040aed5u, "KVM_PRE_FAULT_MEMORY");
#endif
#ifdef KVM_GET_REGS
_Static_assert(KVM_GET_REGS == 0x8090ae81u, "KVM_GET_REGS");
#endif
#ifdef KVM_SET_REGS
_Static_assert(KVM_SET_REGS == 0x4090ae82u, "KVM_SET_REGS");
#endif
#ifdef KVM_GET_SREGS
_Static_assert(KVM_GET_SREGS == 0x8138ae83u, "KVM_GET_SREGS");
#endif
#ifdef KVM_SET_SREGS
_Static_assert(KVM_SET_SREGS == 0x4138ae84u, "KVM_SET_SREGS");
#endif
#ifdef KVM_GET_SREGS2
_Static_assert(KVM_GET_SREGS2 == 0x8140aeccu, "KVM_GET_SREGS2");
#endif
#ifdef KVM_SET_SREGS2
_Static_assert(KVM_SET_SREGS2 == 0x4140aecdu, "KVM_SET_SREGS2");
#endif
#ifdef KVM_GET_FPU
_Static_assert(KVM_GET_FPU == 0x81a0ae8cu, "KVM_GET_FPU");
#endif
#ifdef KVM_SET_FPU
_Static_assert(KVM_SET_FPU == 0x41a0ae8du, "KVM_SET_FPU");
#endif
#ifdef KVM_GET_MSRS
_Static_assert(KVM_GET_MSRS == 0xc008ae88u, "KVM_GET_MSRS");
#endif
#ifdef KVM_SET_MSRS
_Static_assert(KVM_SET_MSRS == 0x4008ae89u, "KVM_SET_MSRS");
#endif
#ifdef KVM_GET_CPUID2
_Static_assert(KVM_GET_CPUID2 == 0xc008ae91u, "KVM_GET_CPUID2");
#endif
#ifdef KVM_SET_CPUID2
_Static_assert(KVM_SET_CPUID2 == 0x4008ae90u, "KVM_SET_CPUID2");
#endif
#ifdef KVM_GET_LAPIC
_Static_assert(KVM_GET_LAPIC == 0x8400ae8eu, "KVM_GET_LAPIC");
#endif
#ifdef KVM_SET_LAPIC
_Static_assert(KVM_SET_LAPIC == 0x4400ae8fu, "KVM_SET_LAPIC");
#endif
#ifdef KVM_GET_MP_STATE
_Static_assert(KVM_GET_MP_STATE == 0x8004ae98u, "KVM_GET_MP_STATE");
#endif
#ifdef KVM_SET_MP_STATE
_Static_assert(KVM_SET_MP_STATE == 0x4004ae99u, "KVM_SET_MP_STATE");
#endif
#ifdef KVM_GET_VCPU_EVENTS
_Static_assert(KVM_GET_VCPU_EVENTS == 0x8040ae9fu, "KVM_GET_VCPU_EVENTS");
#endif
#ifdef KVM_SET_VCPU_EVENTS
_Static_assert(KVM_SET_VCPU_EVENTS == 0x4040aea0u, "KVM_SET_VCPU_EVENTS");
#endif
#ifdef KVM_GET_DEBUGREGS
_Static_assert(KVM_GET_DEBUGREGS == 0x8080aea1u, "KVM_GET_DEBUGREGS");
#endif
#ifdef KVM_SET_DEBUGREGS
_Static_assert(KVM_SET_DEBUGREGS == 0x4080aea2u, "KVM_SET_DEBUGREGS");
#endif
#ifdef KVM_GET_XSAVE
_Static_assert(KVM_GET_XSAVE == 0x9000aea4u, "KVM_GET_XSAVE");
#endif
#ifdef KVM_GET_XSAVE2
_Static_assert(KVM_GET_XSAVE2 == 0x9000aecfu, "KVM_GET_XSAVE2");
#endif
#ifdef KVM_SET_XSAVE
_Static_assert(KVM_SET_XSAVE == 0x5000aea5u, "KVM_SET_XSAVE");
#endif
#ifdef KVM_GET_XCRS
_Static_assert(KVM_GET_XCRS == 0x8188aea6u, "KVM_GET_XCRS");
#endif
#ifdef KVM_SET_XCRS
_Static_assert(KVM_SET_XCRS == 0x4188aea7u, "KVM_SET_XCRS");
#endif
#ifdef KVM_GET_NESTED_STATE
_Static_assert(KVM_GET_NESTED_STATE == 0xc080aebeu, "KVM_GET_NESTED_STATE");
#endif
#ifdef KVM_SET_NESTED_STATE
_Static_assert(KVM_SET_NESTED_STATE == 0x4080aebfu, "KVM_SET_NESTED_STATE");
#endif
#ifdef KVM_SET_TSC_KHZ
_Static_assert(KVM_SET_TSC_KHZ == 0x0000aea2u, "KVM_SET_TSC_KHZ");
#endif
#ifdef KVM_GET_TSC_KHZ
_Static_assert(KVM_GET_TSC_KHZ == 0x0000aea3u, "KVM_GET_TSC_KHZ");
#endif
#ifdef KVM_X86_SETUP_MCE
_Static_assert(KVM_X86_SETUP_MCE == 0x4008ae9cu, "KVM_X86_SETUP_MCE");
#endif
#ifdef KVM_X86_SET_MCE
_Static_assert(KVM_X86_SET_MCE == 0x4040ae9eu, "KVM_X86_SET_MCE");
#endif

/* ---- structures ---- */
_Static_assert(sizeof(struct kvm_regs) == 144, "kvm_regs: size");
_Static_assert(offsetof(struct kvm_regs, rax) == 0, "kvm_regs.rax: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rax) == 8, "kvm_regs.rax: size");
_Static_assert(offsetof(struct kvm_regs, rbx) == 8, "kvm_regs.rbx: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rbx) == 8, "kvm_regs.rbx: size");
_Static_assert(offsetof(struct kvm_regs, rcx) == 16, "kvm_regs.rcx: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rcx) == 8, "kvm_regs.rcx: size");
_Static_assert(offsetof(struct kvm_regs, rdx) == 24, "kvm_regs.rdx: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rdx) == 8, "kvm_regs.rdx: size");
_Static_assert(offsetof(struct kvm_regs, rsi) == 32, "kvm_regs.rsi: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rsi) == 8, "kvm_regs.rsi: size");
_Static_assert(offsetof(struct kvm_regs, rdi) == 40, "kvm_regs.rdi: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rdi) == 8, "kvm_regs.rdi: size");
_Static_assert(offsetof(struct kvm_regs, rsp) == 48, "kvm_regs.rsp: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rsp) == 8, "kvm_regs.rsp: size");
_Static_assert(offsetof(struct kvm_regs, rbp) == 56, "kvm_regs.rbp: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rbp) == 8, "kvm_regs.rbp: size");
_Static_assert(offsetof(struct kvm_regs, r8) == 64, "kvm_regs.r8: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r8) == 8, "kvm_regs.r8: size");
_Static_assert(offsetof(struct kvm_regs, r9) == 72, "kvm_regs.r9: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r9) == 8, "kvm_regs.r9: size");
_Static_assert(offsetof(struct kvm_regs, r10) == 80, "kvm_regs.r10: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r10) == 8, "kvm_regs.r10: size");
_Static_assert(offsetof(struct kvm_regs, r11) == 88, "kvm_regs.r11: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r11) == 8, "kvm_regs.r11: size");
_Static_assert(offsetof(struct kvm_regs, r12) == 96, "kvm_regs.r12: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r12) == 8, "kvm_regs.r12: size");
_Static_assert(offsetof(struct kvm_regs, r13) == 104, "kvm_regs.r13: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r13) == 8, "kvm_regs.r13: size");
_Static_assert(offsetof(struct kvm_regs, r14) == 112, "kvm_regs.r14: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r14) == 8, "kvm_regs.r14: size");
_Static_assert(offsetof(struct kvm_regs, r15) == 120, "kvm_regs.r15: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->r15) == 8, "kvm_regs.r15: size");
_Static_assert(offsetof(struct kvm_regs, rip) == 128, "kvm_regs.rip: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rip) == 8, "kvm_regs.rip: size");
_Static_assert(offsetof(struct kvm_regs, rflags) == 136, "kvm_regs.rflags: offset");
_Static_assert(sizeof(((struct kvm_regs *)0)->rflags) == 8, "kvm_regs.rflags: size");
_Static_assert(sizeof(struct kvm_segment) == 24, "kvm_segment: size");
_Static_assert(offsetof(struct kvm_segment, base) == 0, "kvm_segment.base: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->base) == 8, "kvm_segment.base: size");
_Static_assert(offsetof(struct kvm_segment, limit) == 8, "kvm_segment.limit: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->limit) == 4, "kvm_segment.limit: size");
_Static_assert(offsetof(struct kvm_segment, selector) == 12, "kvm_segment.selector: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->selector) == 2, "kvm_segment.selector: size");
_Static_assert(offsetof(struct kvm_segment, type) == 14, "kvm_segment.type: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->type) == 1, "kvm_segment.type: size");
_Static_assert(offsetof(struct kvm_segment, present) == 15, "kvm_segment.present: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->present) == 1, "kvm_segment.present: size");
_Static_assert(offsetof(struct kvm_segment, dpl) == 16, "kvm_segment.dpl: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->dpl) == 1, "kvm_segment.dpl: size");
_Static_assert(offsetof(struct kvm_segment, db) == 17, "kvm_segment.db: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->db) == 1, "kvm_segment.db: size");
_Static_assert(offsetof(struct kvm_segment, s) == 18, "kvm_segment.s: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->s) == 1, "kvm_segment.s: size");
_Static_assert(offsetof(struct kvm_segment, l) == 19, "kvm_segment.l: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->l) == 1, "kvm_segment.l: size");
_Static_assert(offsetof(struct kvm_segment, g) == 20, "kvm_segment.g: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->g) == 1, "kvm_segment.g: size");
_Static_assert(offsetof(struct kvm_segment, avl) == 21, "kvm_segment.avl: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->avl) == 1, "kvm_segment.avl: size");
_Static_assert(offsetof(struct kvm_segment, unusable) == 22, "kvm_segment.unusable: offset");
_Static_assert(sizeof(((struct kvm_segment *)0)->unusable) == 1, "kvm_segment.unusable: size");
_Static_assert(sizeof(struct kvm_dtable) == 16, "kvm_dtable: size");
_Static_assert(offsetof(struct kvm_dtable, base) == 0, "kvm_dtable.base: offset");
_Static_assert(sizeof(((struct kvm_dtable *)0)->base) == 8, "kvm_dtable.base: size");
_Static_assert(offsetof(struct kvm_dtable, limit) == 8, "kvm_dtable.limit: offset");
_Static_assert(sizeof(((struct kvm_dtable *)0)->limit) == 2, "kvm_dtable.limit: size");
_Static_assert(sizeof(struct kvm_sregs) == 312, "kvm_sregs: size");
_Static_assert(offsetof(struct kvm_sregs, cs) == 0, "kvm_sregs.cs: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->cs) == 24, "kvm_sregs.cs: size");
_Static_assert(offsetof(struct kvm_sregs, ds) == 24, "kvm_sregs.ds: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->ds) == 24, "kvm_sregs.ds: size");
_Static_assert(offsetof(struct kvm_sregs, es) == 48, "kvm_sregs.es: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->es) == 24, "kvm_sregs.es: size");
_Static_assert(offsetof(struct kvm_sregs, fs) == 72, "kvm_sregs.fs: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->fs) == 24, "kvm_sregs.fs: size");
_Static_assert(offsetof(struct kvm_sregs, gs) == 96, "kvm_sregs.gs: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->gs) == 24, "kvm_sregs.gs: size");
_Static_assert(offsetof(struct kvm_sregs, ss) == 120, "kvm_sregs.ss: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->ss) == 24, "kvm_sregs.ss: size");
_Static_assert(offsetof(struct kvm_sregs, tr) == 144, "kvm_sregs.tr: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->tr) == 24, "kvm_sregs.tr: size");
_Static_assert(offsetof(struct kvm_sregs, ldt) == 168, "kvm_sregs.ldt: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->ldt) == 24, "kvm_sregs.ldt: size");
_Static_assert(offsetof(struct kvm_sregs, gdt) == 192, "kvm_sregs.gdt: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->gdt) == 16, "kvm_sregs.gdt: size");
_Static_assert(offsetof(struct kvm_sregs, idt) == 208, "kvm_sregs.idt: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->idt) == 16, "kvm_sregs.idt: size");
_Static_assert(offsetof(struct kvm_sregs, cr0) == 224, "kvm_sregs.cr0: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->cr0) == 8, "kvm_sregs.cr0: size");
_Static_assert(offsetof(struct kvm_sregs, cr2) == 232, "kvm_sregs.cr2: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->cr2) == 8, "kvm_sregs.cr2: size");
_Static_assert(offsetof(struct kvm_sregs, cr3) == 240, "kvm_sregs.cr3: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->cr3) == 8, "kvm_sregs.cr3: size");
_Static_assert(offsetof(struct kvm_sregs, cr4) == 248, "kvm_sregs.cr4: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->cr4) == 8, "kvm_sregs.cr4: size");
_Static_assert(offsetof(struct kvm_sregs, cr8) == 256, "kvm_sregs.cr8: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->cr8) == 8, "kvm_sregs.cr8: size");
_Static_assert(offsetof(struct kvm_sregs, efer) == 264, "kvm_sregs.efer: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->efer) == 8, "kvm_sregs.efer: size");
_Static_assert(offsetof(struct kvm_sregs, apic_base) == 272, "kvm_sregs.apic_base: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->apic_base) == 8, "kvm_sregs.apic_base: size");
_Static_assert(offsetof(struct kvm_sregs, interrupt_bitmap) == 280, "kvm_sregs.interrupt_bitmap: offset");
_Static_assert(sizeof(((struct kvm_sregs *)0)->interrupt_bitmap) == 32, "kvm_sregs.interrupt_bitmap: size");
_Static_assert(sizeof(struct kvm_sregs2) == 320, "kvm_sregs2: size");
_Static_assert(offsetof(struct kvm_sregs2, cs) == 0, "kvm_sregs2.cs: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->cs) == 24, "kvm_sregs2.cs: size");
_Static_assert(offsetof(struct kvm_sregs2, ds) == 24, "kvm_sregs2.ds: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->ds) == 24, "kvm_sregs2.ds: size");
_Static_assert(offsetof(struct kvm_sregs2, es) == 48, "kvm_sregs2.es: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->es) == 24, "kvm_sregs2.es: size");
_Static_assert(offsetof(struct kvm_sregs2, fs) == 72, "kvm_sregs2.fs: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->fs) == 24, "kvm_sregs2.fs: size");
_Static_assert(offsetof(struct kvm_sregs2, gs) == 96, "kvm_sregs2.gs: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->gs) == 24, "kvm_sregs2.gs: size");
_Static_assert(offsetof(struct kvm_sregs2, ss) == 120, "kvm_sregs2.ss: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->ss) == 24, "kvm_sregs2.ss: size");
_Static_assert(offsetof(struct kvm_sregs2, tr) == 144, "kvm_sregs2.tr: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->tr) == 24, "kvm_sregs2.tr: size");
_Static_assert(offsetof(struct kvm_sregs2, ldt) == 168, "kvm_sregs2.ldt: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->ldt) == 24, "kvm_sregs2.ldt: size");
_Static_assert(offsetof(struct kvm_sregs2, gdt) == 192, "kvm_sregs2.gdt: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->gdt) == 16, "kvm_sregs2.gdt: size");
_Static_assert(offsetof(struct kvm_sregs2, idt) == 208, "kvm_sregs2.idt: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->idt) == 16, "kvm_sregs2.idt: size");
_Static_assert(offsetof(struct kvm_sregs2, cr0) == 224, "kvm_sregs2.cr0: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->cr0) == 8, "kvm_sregs2.cr0: size");
_Static_assert(offsetof(struct kvm_sregs2, cr2) == 232, "kvm_sregs2.cr2: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->cr2) == 8, "kvm_sregs2.cr2: size");
_Static_assert(offsetof(struct kvm_sregs2, cr3) == 240, "kvm_sregs2.cr3: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->cr3) == 8, "kvm_sregs2.cr3: size");
_Static_assert(offsetof(struct kvm_sregs2, cr4) == 248, "kvm_sregs2.cr4: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->cr4) == 8, "kvm_sregs2.cr4: size");
_Static_assert(offsetof(struct kvm_sregs2, cr8) == 256, "kvm_sregs2.cr8: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->cr8) == 8, "kvm_sregs2.cr8: size");
_Static_assert(offsetof(struct kvm_sregs2, efer) == 264, "kvm_sregs2.efer: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->efer) == 8, "kvm_sregs2.efer: size");
_Static_assert(offsetof(struct kvm_sregs2, apic_base) == 272, "kvm_sregs2.apic_base: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->apic_base) == 8, "kvm_sregs2.apic_base: size");
_Static_assert(offsetof(struct kvm_sregs2, flags) == 280, "kvm_sregs2.flags: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->flags) == 8, "kvm_sregs2.flags: size");
_Static_assert(offsetof(struct kvm_sregs2, pdptrs) == 288, "kvm_sregs2.pdptrs: offset");
_Static_assert(sizeof(((struct kvm_sregs2 *)0)->pdptrs) == 32, "kvm_sregs2.pdptrs: size");
_Static_assert(sizeof(struct kvm_fpu) == 416, "kvm_fpu: size");
_Static_assert(offsetof(struct kvm_fpu, fpr) == 0, "kvm_fpu.fpr: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->fpr) == 128, "kvm_fpu.fpr: size");
_Static_assert(offsetof(struct kvm_fpu, fcw) == 128, "kvm_fpu.fcw: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->fcw) == 2, "kvm_fpu.fcw: size");
_Static_assert(offsetof(struct kvm_fpu, fsw) == 130, "kvm_fpu.fsw: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->fsw) == 2, "kvm_fpu.fsw: size");
_Static_assert(offsetof(struct kvm_fpu, ftwx) == 132, "kvm_fpu.ftwx: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->ftwx) == 1, "kvm_fpu.ftwx: size");
_Static_assert(offsetof(struct kvm_fpu, last_opcode) == 134, "kvm_fpu.last_opcode: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->last_opcode) == 2, "kvm_fpu.last_opcode: size");
_Static_assert(offsetof(struct kvm_fpu, last_ip) == 136, "kvm_fpu.last_ip: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->last_ip) == 8, "kvm_fpu.last_ip: size");
_Static_assert(offsetof(struct kvm_fpu, last_dp) == 144, "kvm_fpu.last_dp: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->last_dp) == 8, "kvm_fpu.last_dp: size");
_Static_assert(offsetof(struct kvm_fpu, xmm) == 152, "kvm_fpu.xmm: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->xmm) == 256, "kvm_fpu.xmm: size");
_Static_assert(offsetof(struct kvm_fpu, mxcsr) == 408, "kvm_fpu.mxcsr: offset");
_Static_assert(sizeof(((struct kvm_fpu *)0)->mxcsr) == 4, "kvm_fpu.mxcsr: size");
_Static_assert(sizeof(struct kvm_debugregs) == 128, "kvm_debugregs: size");
_Static_assert(offsetof(struct kvm_debugregs, db) == 0, "kvm_debugregs.db: offset");
_Static_assert(sizeof(((struct kvm_debugregs *)0)->db) == 32, "kvm_debugregs.db: size");
_Static_assert(offsetof(struct kvm_debugregs, dr6) == 32, "kvm_debugregs.dr6: offset");
_Static_assert(sizeof(((struct kvm_debugregs *)0)->dr6) == 8, "kvm_debugregs.dr6: size");
_Static_assert(offsetof(struct kvm_debugregs, dr7) == 40, "kvm_debugregs.dr7: offset");
_Static_assert(sizeof(((struct kvm_debugregs *)0)->dr7) == 8, "kvm_debugregs.dr7: size");
_Static_assert(offsetof(struct kvm_debugregs, flags) == 48, "kvm_debugregs.flags: offset");
_Static_assert(sizeof(((struct kvm_debugregs *)0)->flags) == 8, "kvm_debugregs.flags: size");
_Static_assert(sizeof(struct kvm_xcr) == 16, "kvm_xcr: size");
_Static_assert(offsetof(struct kvm_xcr, xcr) == 0, "kvm_xcr.xcr: offset");
_Static_assert(sizeof(((struct kvm_xcr *)0)->xcr) == 4, "kvm_xcr.xcr: size");
_Static_assert(offsetof(struct kvm_xcr, value) == 8, "kvm_xcr.value: offset");
_Static_assert(sizeof(((struct kvm_xcr *)0)->value) == 8, "kvm_xcr.value: size");
_Static_assert(sizeof(struct kvm_xcrs) == 392, "kvm_xcrs: size");
_Static_assert(offsetof(struct kvm_xcrs, nr_xcrs) == 0, "kvm_xcrs.nr_xcrs: offset");
_Static_assert(sizeof(((struct kvm_xcrs *)0)->nr_xcrs) == 4, "kvm_xcrs.nr_xcrs: size");
_Static_assert(offsetof(struct kvm_xcrs, flags) == 4, "kvm_xcrs.flags: offset");
_Static_assert(sizeof(((struct kvm_xcrs *)0)->flags) == 4, "kvm_xcrs.flags: size");
_Static_assert(offsetof(struct kvm_xcrs, xcrs) == 8, "kvm_xcrs.xcrs: offset");
_Static_assert(sizeof(((struct kvm_xcrs *)0)->xcrs) == 256, "kvm_xcrs.xcrs: size");
_Static_assert(sizeof(struct kvm_lapic_state) == 1024, "kvm_lapic_state: size");
_Static_assert(offsetof(struct kvm_lapic_state, regs) == 0, "kvm_lapic_state.regs: offset");
_Static_assert(sizeof(((struct kvm_lapic_state *)0)->regs) == 1024, "kvm_lapic_state.regs: size");
_Static_assert(sizeof(struct kvm_mp_state) == 4, "kvm_mp_state: size");
_Static_assert(offsetof(struct kvm_mp_state, mp_state) == 0, "kvm_mp_state.mp_state: offset");
_Static_assert(sizeof(((struct kvm_mp_state *)0)->mp_state) == 4, "kvm_mp_state.mp_state: size");
_Static_assert(sizeof(struct kvm_vcpu_events) == 64, "kvm_vcpu_events: size");
_Static_assert(offsetof(struct kvm_vcpu_events, exception) == 0, "kvm_vcpu_events.exception: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->exception) == 8, "kvm_vcpu_events.exception: size");
_Static_assert(offsetof(struct kvm_vcpu_events, interrupt) == 8, "kvm_vcpu_events.interrupt: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->interrupt) == 4, "kvm_vcpu_events.interrupt: size");
_Static_assert(offsetof(struct kvm_vcpu_events, nmi) == 12, "kvm_vcpu_events.nmi: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->nmi) == 4, "kvm_vcpu_events.nmi: size");
_Static_assert(offsetof(struct kvm_vcpu_events, sipi_vector) == 16, "kvm_vcpu_events.sipi_vector: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->sipi_vector) == 4, "kvm_vcpu_events.sipi_vector: size");
_Static_assert(offsetof(struct kvm_vcpu_events, flags) == 20, "kvm_vcpu_events.flags: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->flags) == 4, "kvm_vcpu_events.flags: size");
_Static_assert(offsetof(struct kvm_vcpu_events, smi) == 24, "kvm_vcpu_events.smi: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->smi) == 4, "kvm_vcpu_events.smi: size");
_Static_assert(offsetof(struct kvm_vcpu_events, triple_fault.pending) == 28, "kvm_vcpu_events.triple_fault.pending: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->triple_fault.pending) == 1, "kvm_vcpu_events.triple_fault.pending: size");
_Static_assert(offsetof(struct kvm_vcpu_events, exception_has_payload) == 55, "kvm_vcpu_events.exception_has_payload: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->exception_has_payload) == 1, "kvm_vcpu_events.exception_has_payload: size");
_Static_assert(offsetof(struct kvm_vcpu_events, exception_payload) == 56, "kvm_vcpu_events.exception_payload: offset");
_Static_assert(sizeof(((struct kvm_vcpu_events *)0)->exception_payload) == 8, "kvm_vcpu_events.exception_payload: size");
_Static_assert(sizeof(struct kvm_msr_entry) == 16, "kvm_msr_entry: size");
_Static_assert(offsetof(struct kvm_msr_entry, index) == 0, "kvm_msr_entry.index: offset");
_Static_assert(sizeof(((struct kvm_msr_entry *)0)->index) == 4, "kvm_msr_entry.index: size");
_Static_assert(offsetof(struct kvm_msr_entry, data) == 8, "kvm_msr_entry.data: offset");
_Static_assert(sizeof(((struct kvm_msr_entry *)0)->data) == 8, "kvm_msr_entry.data: size");
_Static_assert(sizeof(struct kvm_msrs) == 8, "kvm_msrs: size");
_Static_assert(offsetof(struct kvm_msrs, nmsrs) == 0, "kvm_msrs.nmsrs: offset");
_Static_assert(sizeof(((struct kvm_msrs *)0)->nmsrs) == 4, "kvm_msrs.nmsrs: size");
_Static_assert(sizeof(struct kvm_msr_list) == 4, "kvm_msr_list: size");
_Static_assert(offsetof(struct kvm_msr_list, nmsrs) == 0, "kvm_msr_list.nmsrs: offset");
_Static_assert(sizeof(((struct kvm_msr_list *)0)->nmsrs) == 4, "kvm_msr_list.nmsrs: size");
_Static_assert(sizeof(struct kvm_cpuid_entry2) == 40, "kvm_cpuid_entry2: size");
_Static_assert(offsetof(struct kvm_cpuid_entry2, function) == 0, "kvm_cpuid_entry2.function: offset");
_Static_assert(sizeof(((struct kvm_cpuid_entry2 *)0)->function) == 4, "kvm_cpuid_entry2.function: size");
_Static_assert(offsetof(struct kvm_cpuid_entry2, index) == 4, "kvm_cpuid_entry2.index: offset");
_Static_assert(sizeof(((struct kvm_cpuid_entry2 *)0)->index) == 4, "kvm_cpuid_entry2.index: size");
_Static_assert(offsetof(struct kvm_cpuid_entry2, flags) == 8, "kvm_cpuid_entry2.flags: offset");
_Static_assert(sizeof(((struct kvm_cpuid_entry2 *)0)->flags) == 4, "kvm_cpuid_entry2.flags: size");
_Static_assert(offsetof(struct kvm_cpuid_entry2, eax) == 12, "kvm_cpuid_entry2.eax: offset");
_Static_assert(sizeof(((struct kvm_cpuid_entry2 *)0)->eax) == 4, "kvm_cpuid_entry2.eax: size");
_Static_assert(offsetof(struct kvm_cpuid_entry2, ebx) == 16, "kvm_cpuid_entry2.ebx: offset");
_Static_assert(sizeof(((struct kvm_cpuid_entry2 *)0)->ebx) == 4, "kvm_cpuid_entry2.ebx: size");
_Static_assert(offsetof(struct kvm_cpuid_entry2, ecx) == 20, "kvm_cpuid_entry2.ecx: offset");
_Static_assert(sizeof(((struct kvm_cpuid_entry2 *)0)->ecx) == 4, "kvm_cpuid_entry2.ecx: size");
_Static_assert(offsetof(struct kvm_cpuid_entry2, edx) == 24, "kvm_cpuid_entry2.edx: offset");
_Static_assert(sizeof(((struct kvm_cpuid_entry2 *)0)->edx) == 4, "kvm_cpuid_entry2.edx: size");
_Static_assert(sizeof(struct kvm_cpuid2) == 8, "kvm_cpuid2: size");
_Static_assert(offsetof(struct kvm_cpuid2, nent) == 0, "kvm_cpuid2.nent: offset");
_Static_assert(sizeof(((struct kvm_cpuid2 *)0)->nent) == 4, "kvm_cpuid2.nent: size");
_Static_assert(sizeof(struct kvm_translation) == 24, "kvm_translation: size");
_Static_assert(offsetof(struct kvm_translation, linear_address) == 0, "kvm_translation.linear_address: offset");
_Static_assert(sizeof(((struct kvm_translation *)0)->linear_address) == 8, "kvm_translation.linear_address: size");
_Static_assert(offsetof(struct kvm_translation, physical_address) == 8, "kvm_translation.physical_address: offset");
_Static_assert(sizeof(((struct kvm_translation *)0)->physical_address) == 8, "kvm_translation.physical_address: size");
_Static_assert(offsetof(struct kvm_translation, valid) == 16, "kvm_translation.valid: offset");
_Static_assert(sizeof(((struct kvm_translation *)0)->valid) == 1, "kvm_translation.valid: size");
_Static_assert(offsetof(struct kvm_translation, writeable) == 17, "kvm_translation.writeable: offset");
_Static_assert(sizeof(((struct kvm_translation *)0)->writeable) == 1, "kvm_translation.writeable: size");
_Static_assert(offsetof(struct kvm_translation, usermode) == 18, "kvm_translation.usermode: offset");
_Static_assert(sizeof(((struct kvm_translation *)0)->usermode) == 1, "kvm_translation.usermode: size");
_Static_assert(sizeof(struct kvm_interrupt) == 4, "kvm_interrupt: size");
_Static_assert(offsetof(struct kvm_interrupt, irq) == 0, "kvm_interrupt.irq: offset");
_Static_assert(sizeof(((struct kvm_interrupt *)0)->irq) == 4, "kvm_interrupt.irq: size");
_Static_assert(sizeof(struct kvm_guest_debug) == 72, "kvm_guest_debug: size");
_Static_assert(offsetof(struct kvm_guest_debug, control) == 0, "kvm_guest_debug.control: offset");
_Static_assert(sizeof(((struct kvm_guest_debug *)0)->control) == 4, "kvm_guest_debug.control: size");
_Static_assert(offsetof(struct kvm_guest_debug, arch.debugreg) == 8, "kvm_guest_debug.arch.debugreg: offset");
_Static_assert(sizeof(((struct kvm_guest_debug *)0)->arch.debugreg) == 64, "kvm_guest_debug.arch.debugreg: size");
_Static_assert(sizeof(struct kvm_x86_mce) == 64, "kvm_x86_mce: size");
_Static_assert(offsetof(struct kvm_x86_mce, status) == 0, "kvm_x86_mce.status: offset");
_Static_assert(sizeof(((struct kvm_x86_mce *)0)->status) == 8, "kvm_x86_mce.status: size");
_Static_assert(offsetof(struct kvm_x86_mce, addr) == 8, "kvm_x86_mce.addr: offset");
_Static_assert(sizeof(((struct kvm_x86_mce *)0)->addr) == 8, "kvm_x86_mce.addr: size");
_Static_assert(offsetof(struct kvm_x86_mce, misc) == 16, "kvm_x86_mce.misc: offset");
_Static_assert(sizeof(((struct kvm_x86_mce *)0)->misc) == 8, "kvm_x86_mce.misc: size");
_Static_assert(offsetof(struct kvm_x86_mce, mcg_status) == 24, "kvm_x86_mce.mcg_status: offset");
_Static_assert(sizeof(((struct kvm_x86_mce *)0)->mcg_status) == 8, "kvm_x86_mce.mcg_status: size");
_Static_assert(offsetof(struct kvm_x86_mce, bank) == 32, "kvm_x86_mce.bank: offset");
_Static_assert(sizeof(((struct kvm_x86_mce *)0)->bank) == 1, "kvm_x86_mce.bank: size");
_Static_assert(sizeof(struct kvm_xsave) == 4096, "kvm_xsave: size");
_Static_assert(offsetof(struct kvm_xsave, region) == 0, "kvm_xsave.region: offset");
_Static_assert(sizeof(((struct kvm_xsave *)0)->region) == 4096, "kvm_xsave.region: size");
_Static_assert(sizeof(struct kvm_nested_state) == 128, "kvm_nested_state: size");
_Static_assert(offsetof(struct kvm_nested_state, flags) == 0, "kvm_nested_state.flags: offset");
_Static_assert(sizeof(((struct kvm_nested_state *)0)->flags) == 2, "kvm_nested_state.flags: size");
_Static_assert(offsetof(struct kvm_nested_state, format) == 2, "kvm_nested_state.format: offset");
_Static_assert(sizeof(((struct kvm_nested_state *)0)->format) == 2, "kvm_nested_state.format: size");
_Static_assert(offsetof(struct kvm_nested_state, size) == 4, "kvm_nested_state.size: offset");
_Static_assert(sizeof(((struct kvm_nested_state *)0)->size) == 4, "kvm_nested_state.size: size");
_Static_assert(offsetof(struct kvm_nested_state, hdr) == 8, "kvm_nested_state.hdr: offset");
_Static_assert(sizeof(((struct kvm_nested_state *)0)->hdr) == 120, "kvm_nested_state.hdr: size");
_Static_assert(sizeof(struct kvm_signal_mask) == 4, "kvm_signal_mask: size");
_Static_assert(offsetof(struct kvm_signal_mask, len) == 0, "kvm_signal_mask.len: offset");
_Static_assert(sizeof(((struct kvm_signal_mask *)0)->len) == 4, "kvm_signal_mask.len: size");
_Static_assert(sizeof(struct kvm_userspace_memory_region) == 32, "kvm_userspace_memory_region: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region, slot) == 0, "kvm_userspace_memory_region.slot: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region *)0)->slot) == 4, "kvm_userspace_memory_region.slot: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region, flags) == 4, "kvm_userspace_memory_region.flags: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region *)0)->flags) == 4, "kvm_userspace_memory_region.flags: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region, guest_phys_addr) == 8, "kvm_userspace_memory_region.guest_phys_addr: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region *)0)->guest_phys_addr) == 8, "kvm_userspace_memory_region.guest_phys_addr: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region, memory_size) == 16, "kvm_userspace_memory_region.memory_size: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region *)0)->memory_size) == 8, "kvm_userspace_memory_region.memory_size: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region, userspace_addr) == 24, "kvm_userspace_memory_region.userspace_addr: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region *)0)->userspace_addr) == 8, "kvm_userspace_memory_region.userspace_addr: size");
#ifdef KVM_SET_USER_MEMORY_REGION2
_Static_assert(sizeof(struct kvm_userspace_memory_region2) == 160, "kvm_userspace_memory_region2: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region2, slot) == 0, "kvm_userspace_memory_region2.slot: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region2 *)0)->slot) == 4, "kvm_userspace_memory_region2.slot: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region2, flags) == 4, "kvm_userspace_memory_region2.flags: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region2 *)0)->flags) == 4, "kvm_userspace_memory_region2.flags: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region2, guest_phys_addr) == 8, "kvm_userspace_memory_region2.guest_phys_addr: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region2 *)0)->guest_phys_addr) == 8, "kvm_userspace_memory_region2.guest_phys_addr: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region2, memory_size) == 16, "kvm_userspace_memory_region2.memory_size: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region2 *)0)->memory_size) == 8, "kvm_userspace_memory_region2.memory_size: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region2, userspace_addr) == 24, "kvm_userspace_memory_region2.userspace_addr: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region2 *)0)->userspace_addr) == 8, "kvm_userspace_memory_region2.userspace_addr: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region2, guest_memfd_offset) == 32, "kvm_userspace_memory_region2.guest_memfd_offset: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region2 *)0)->guest_memfd_offset) == 8, "kvm_userspace_memory_region2.guest_memfd_offset: size");
_Static_assert(offsetof(struct kvm_userspace_memory_region2, guest_memfd) == 40, "kvm_userspace_memory_region2.guest_memfd: offset");
_Static_assert(sizeof(((struct kvm_userspace_memory_region2 *)0)->guest_memfd) == 4, "kvm_userspace_memory_region2.guest_memfd: size");
#endif
#ifdef KVM_CREATE_GUEST_MEMFD
_Static_assert(sizeof(struct kvm_create_guest_memfd) == 64, "kvm_create_guest_memfd: size");
_Static_assert(offsetof(struct kvm_create_guest_memfd, size) == 0, "kvm_create_guest_memfd.size: offset");
_Static_assert(sizeof(((struct kvm_create_guest_memfd *)0)->size) == 8, "kvm_create_guest_memfd.size: size");
_Static_assert(offsetof(struct kvm_create_guest_memfd, flags) == 8, "kvm_create_guest_memfd.flags: offset");
_Static_assert(sizeof(((struct kvm_create_guest_memfd *)0)->flags) == 8, "kvm_create_guest_memfd.flags: size");
#endif
#ifdef KVM_SET_MEMORY_ATTRIBUTES
_Static_assert(sizeof(struct kvm_memory_attributes) == 32, "kvm_memory_attributes: size");
_Static_assert(offsetof(struct kvm_memory_attributes, address) == 0, "kvm_memory_attributes.address: offset");
_Static_assert(sizeof(((struct kvm_memory_attributes *)0)->address) == 8, "kvm_memory_attributes.address: size");
_Static_assert(offsetof(struct kvm_memory_attributes, size) == 8, "kvm_memory_attributes.size: offset");
_Static_assert(sizeof(((struct kvm_memory_attributes *)0)->size) == 8, "kvm_memory_attributes.size: size");
_Static_assert(offsetof(struct kvm_memory_attributes, attributes) == 16, "kvm_memory_attributes.attributes: offset");
_Static_assert(sizeof(((struct kvm_memory_attributes *)0)->attributes) == 8, "kvm_memory_attributes.attributes: size");
_Static_assert(offsetof(struct kvm_memory_attributes, flags) == 24, "kvm_memory_attributes.flags: offset");
_Static_assert(sizeof(((struct kvm_memory_attributes *)0)->flags) == 8, "kvm_memory_attributes.flags: size");
#endif
#ifdef KVM_PRE_FAULT_MEMORY
_Static_assert(sizeof(struct kvm_pre_fault_memory) == 64, "kvm_pre_fault_memory: size");
_Static_assert(offsetof(struct kvm_pre_fault_memory, gpa) == 0, "kvm_pre_fault_memory.gpa: offset");
_Static_assert(sizeof(((struct kvm_pre_fault_memory *)0)->gpa) == 8, "kvm_pre_fault_memory.gpa: size");
_Static_assert(offsetof(struct kvm_pre_fault_memory, size) == 8, "kvm_pre_fault_memory.size: offset");
_Static_assert(sizeof(((struct kvm_pre_fault_memory *)0)->size) == 8, "kvm_pre_fault_memory.size: size");
_Static_assert(offsetof(struct kvm_pre_fault_memory, flags) == 16, "kvm_pre_fault_memory.flags: offset");
_Static_assert(sizeof(((struct kvm_pre_fault_memory *)0)->flags) == 8, "kvm_pre_fault_memory.flags: size");
#endif
_Static_assert(sizeof(struct kvm_enc_region) == 16, "kvm_enc_region: size");
_Static_assert(offsetof(struct kvm_enc_region, addr) == 0, "kvm_enc_region.addr: offset");
_Static_assert(sizeof(((struct kvm_enc_region *)0)->addr) == 8, "kvm_enc_region.addr: size");
_Static_assert(offsetof(struct kvm_enc_region, size) == 8, "kvm_enc_region.size: offset");
_Static_assert(sizeof(((struct kvm_enc_region *)0)->size) == 8, "kvm_enc_region.size: size");
_Static_assert(sizeof(struct kvm_dirty_log) == 16, "kvm_dirty_log: size");
_Static_assert(offsetof(struct kvm_dirty_log, slot) == 0, "kvm_dirty_log.slot: offset");
_Static_assert(sizeof(((struct kvm_dirty_log *)0)->slot) == 4, "kvm_dirty_log.slot: size");
_Static_assert(sizeof(struct kvm_clear_dirty_log) == 24, "kvm_clear_dirty_log: size");
_Static_assert(offsetof(struct kvm_clear_dirty_log, slot) == 0, "kvm_clear_dirty_log.slot: offset");
_Static_assert(sizeof(((struct kvm_clear_dirty_log *)0)->slot) == 4, "kvm_clear_dirty_log.slot: size");
_Static_assert(offsetof(struct kvm_clear_dirty_log, num_pages) == 4, "kvm_clear_dirty_log.num_pages: offset");
_Static_assert(sizeof(((struct kvm_clear_dirty_log *)0)->num_pages) == 4, "kvm_clear_dirty_log.num_pages: size");
_Static_assert(offsetof(struct kvm_clear_dirty_log, first_page) == 8, "kvm_clear_dirty_log.first_page: offset");
_Static_assert(sizeof(((struct kvm_clear_dirty_log *)0)->first_page) == 8, "kvm_clear_dirty_log.first_page: size");
_Static_assert(sizeof(struct kvm_dirty_gfn) == 16, "kvm_dirty_gfn: size");
_Static_assert(offsetof(struct kvm_dirty_gfn, flags) == 0, "kvm_dirty_gfn.flags: offset");
_Static_assert(sizeof(((struct kvm_dirty_gfn *)0)->flags) == 4, "kvm_dirty_gfn.flags: size");
_Static_assert(offsetof(struct kvm_dirty_gfn, slot) == 4, "kvm_dirty_gfn.slot: offset");
_Static_assert(sizeof(((struct kvm_dirty_gfn *)0)->slot) == 4, "kvm_dirty_gfn.slot: size");
_Static_assert(offsetof(struct kvm_dirty_gfn, offset) == 8, "kvm_dirty_gfn.offset: offset");
_Static_assert(sizeof(((struct kvm_dirty_gfn *)0)->offset) == 8, "kvm_dirty_gfn.offset: size");
_Static_assert(sizeof(struct kvm_coalesced_mmio_zone) == 16, "kvm_coalesced_mmio_zone: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio_zone, addr) == 0, "kvm_coalesced_mmio_zone.addr: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio_zone *)0)->addr) == 8, "kvm_coalesced_mmio_zone.addr: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio_zone, size) == 8, "kvm_coalesced_mmio_zone.size: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio_zone *)0)->size) == 4, "kvm_coalesced_mmio_zone.size: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio_zone, pio) == 12, "kvm_coalesced_mmio_zone.pio: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio_zone *)0)->pio) == 4, "kvm_coalesced_mmio_zone.pio: size");
_Static_assert(sizeof(struct kvm_coalesced_mmio) == 24, "kvm_coalesced_mmio: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio, phys_addr) == 0, "kvm_coalesced_mmio.phys_addr: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio *)0)->phys_addr) == 8, "kvm_coalesced_mmio.phys_addr: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio, len) == 8, "kvm_coalesced_mmio.len: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio *)0)->len) == 4, "kvm_coalesced_mmio.len: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio, pio) == 12, "kvm_coalesced_mmio.pio: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio *)0)->pio) == 4, "kvm_coalesced_mmio.pio: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio, data) == 16, "kvm_coalesced_mmio.data: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio *)0)->data) == 8, "kvm_coalesced_mmio.data: size");
_Static_assert(sizeof(struct kvm_coalesced_mmio_ring) == 8, "kvm_coalesced_mmio_ring: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio_ring, first) == 0, "kvm_coalesced_mmio_ring.first: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio_ring *)0)->first) == 4, "kvm_coalesced_mmio_ring.first: size");
_Static_assert(offsetof(struct kvm_coalesced_mmio_ring, last) == 4, "kvm_coalesced_mmio_ring.last: offset");
_Static_assert(sizeof(((struct kvm_coalesced_mmio_ring *)0)->last) == 4, "kvm_coalesced_mmio_ring.last: size");
_Static_assert(sizeof(struct kvm_irq_level) == 8, "kvm_irq_level: size");
_Static_assert(offsetof(struct kvm_irq_level, irq) == 0, "kvm_irq_level.irq: offset");
_Static_assert(sizeof(((struct kvm_irq_level *)0)->irq) == 4, "kvm_irq_level.irq: size");
_Static_assert(offsetof(struct kvm_irq_level, level) == 4, "kvm_irq_level.level: offset");
_Static_assert(sizeof(((struct kvm_irq_level *)0)->level) == 4, "kvm_irq_level.level: size");
_Static_assert(sizeof(struct kvm_irqchip) == 520, "kvm_irqchip: size");
_Static_assert(offsetof(struct kvm_irqchip, chip_id) == 0, "kvm_irqchip.chip_id: offset");
_Static_assert(sizeof(((struct kvm_irqchip *)0)->chip_id) == 4, "kvm_irqchip.chip_id: size");
_Static_assert(offsetof(struct kvm_irqchip, chip) == 8, "kvm_irqchip.chip: offset");
_Static_assert(sizeof(((struct kvm_irqchip *)0)->chip) == 512, "kvm_irqchip.chip: size");
_Static_assert(sizeof(struct kvm_pit_config) == 64, "kvm_pit_config: size");
_Static_assert(offsetof(struct kvm_pit_config, flags) == 0, "kvm_pit_config.flags: offset");
_Static_assert(sizeof(((struct kvm_pit_config *)0)->flags) == 4, "kvm_pit_config.flags: size");
_Static_assert(sizeof(struct kvm_pit_channel_state) == 24, "kvm_pit_channel_state: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, count) == 0, "kvm_pit_channel_state.count: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->count) == 4, "kvm_pit_channel_state.count: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, latched_count) == 4, "kvm_pit_channel_state.latched_count: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->latched_count) == 2, "kvm_pit_channel_state.latched_count: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, count_latched) == 6, "kvm_pit_channel_state.count_latched: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->count_latched) == 1, "kvm_pit_channel_state.count_latched: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, status_latched) == 7, "kvm_pit_channel_state.status_latched: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->status_latched) == 1, "kvm_pit_channel_state.status_latched: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, status) == 8, "kvm_pit_channel_state.status: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->status) == 1, "kvm_pit_channel_state.status: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, read_state) == 9, "kvm_pit_channel_state.read_state: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->read_state) == 1, "kvm_pit_channel_state.read_state: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, write_state) == 10, "kvm_pit_channel_state.write_state: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->write_state) == 1, "kvm_pit_channel_state.write_state: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, write_latch) == 11, "kvm_pit_channel_state.write_latch: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->write_latch) == 1, "kvm_pit_channel_state.write_latch: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, rw_mode) == 12, "kvm_pit_channel_state.rw_mode: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->rw_mode) == 1, "kvm_pit_channel_state.rw_mode: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, mode) == 13, "kvm_pit_channel_state.mode: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->mode) == 1, "kvm_pit_channel_state.mode: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, bcd) == 14, "kvm_pit_channel_state.bcd: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->bcd) == 1, "kvm_pit_channel_state.bcd: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, gate) == 15, "kvm_pit_channel_state.gate: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->gate) == 1, "kvm_pit_channel_state.gate: size");
_Static_assert(offsetof(struct kvm_pit_channel_state, count_load_time) == 16, "kvm_pit_channel_state.count_load_time: offset");
_Static_assert(sizeof(((struct kvm_pit_channel_state *)0)->count_load_time) == 8, "kvm_pit_channel_state.count_load_time: size");
_Static_assert(sizeof(struct kvm_pit_state2) == 112, "kvm_pit_state2: size");
_Static_assert(offsetof(struct kvm_pit_state2, channels) == 0, "kvm_pit_state2.channels: offset");
_Static_assert(sizeof(((struct kvm_pit_state2 *)0)->channels) == 72, "kvm_pit_state2.channels: size");
_Static_assert(offsetof(struct kvm_pit_state2, flags) == 72, "kvm_pit_state2.flags: offset");
_Static_assert(sizeof(((struct kvm_pit_state2 *)0)->flags) == 4, "kvm_pit_state2.flags: size");
_Static_assert(sizeof(struct kvm_clock_data) == 48, "kvm_clock_data: size");
_Static_assert(offsetof(struct kvm_clock_data, clock) == 0, "kvm_clock_data.clock: offset");
_Static_assert(sizeof(((struct kvm_clock_data *)0)->clock) == 8, "kvm_clock_data.clock: size");
_Static_assert(offsetof(struct kvm_clock_data, flags) == 8, "kvm_clock_data.flags: offset");
_Static_assert(sizeof(((struct kvm_clock_data *)0)->flags) == 4, "kvm_clock_data.flags: size");
_Static_assert(offsetof(struct kvm_clock_data, realtime) == 16, "kvm_clock_data.realtime: offset");
_Static_assert(sizeof(((struct kvm_clock_data *)0)->realtime) == 8, "kvm_clock_data.realtime: size");
_Static_assert(offsetof(struct kvm_clock_data, host_tsc) == 24, "kvm_clock_data.host_tsc: offset");
_Static_assert(sizeof(((struct kvm_clock_data *)0)->host_tsc) == 8, "kvm_clock_data.host_tsc: size");
_Static_assert(sizeof(struct kvm_msi) == 32, "kvm_msi: size");
_Static_assert(offsetof(struct kvm_msi, address_lo) == 0, "kvm_msi.address_lo: offset");
_Static_assert(sizeof(((struct kvm_msi *)0)->address_lo) == 4, "kvm_msi.address_lo: size");
_Static_assert(offsetof(struct kvm_msi, address_hi) == 4, "kvm_msi.address_hi: offset");
_Static_assert(sizeof(((struct kvm_msi *)0)->address_hi) == 4, "kvm_msi.address_hi: size");
_Static_assert(offsetof(struct kvm_msi, data) == 8, "kvm_msi.data: offset");
_Static_assert(sizeof(((struct kvm_msi *)0)->data) == 4, "kvm_msi.data: size");
_Static_assert(offsetof(struct kvm_msi, flags) == 12, "kvm_msi.flags: offset");
_Static_assert(sizeof(((struct kvm_msi *)0)->flags) == 4, "kvm_msi.flags: size");
_Static_assert(offsetof(struct kvm_msi, devid) == 16, "kvm_msi.devid: offset");
_Static_assert(sizeof(((struct kvm_msi *)0)->devid) == 4, "kvm_msi.devid: size");
_Static_assert(sizeof(struct kvm_irqfd) == 32, "kvm_irqfd: size");
_Static_assert(offsetof(struct kvm_irqfd, fd) == 0, "kvm_irqfd.fd: offset");
_Static_assert(sizeof(((struct kvm_irqfd *)0)->fd) == 4, "kvm_irqfd.fd: size");
_Static_assert(offsetof(struct kvm_irqfd, gsi) == 4, "kvm_irqfd.gsi: offset");
_Static_assert(sizeof(((struct kvm_irqfd *)0)->gsi) == 4, "kvm_irqfd.gsi: size");
_Static_assert(offsetof(struct kvm_irqfd, flags) == 8, "kvm_irqfd.flags: offset");
_Static_assert(sizeof(((struct kvm_irqfd *)0)->flags) == 4, "kvm_irqfd.flags: size");
_Static_assert(offsetof(struct kvm_irqfd, resamplefd) == 12, "kvm_irqfd.resamplefd: offset");
_Static_assert(sizeof(((struct kvm_irqfd *)0)->resamplefd) == 4, "kvm_irqfd.resamplefd: size");
_Static_assert(sizeof(struct kvm_ioeventfd) == 64, "kvm_ioeventfd: size");
_Static_assert(offsetof(struct kvm_ioeventfd, datamatch) == 0, "kvm_ioeventfd.datamatch: offset");
_Static_assert(sizeof(((struct kvm_ioeventfd *)0)->datamatch) == 8, "kvm_ioeventfd.datamatch: size");
_Static_assert(offsetof(struct kvm_ioeventfd, addr) == 8, "kvm_ioeventfd.addr: offset");
_Static_assert(sizeof(((struct kvm_ioeventfd *)0)->addr) == 8, "kvm_ioeventfd.addr: size");
_Static_assert(offsetof(struct kvm_ioeventfd, len) == 16, "kvm_ioeventfd.len: offset");
_Static_assert(sizeof(((struct kvm_ioeventfd *)0)->len) == 4, "kvm_ioeventfd.len: size");
_Static_assert(offsetof(struct kvm_ioeventfd, fd) == 20, "kvm_ioeventfd.fd: offset");
_Static_assert(sizeof(((struct kvm_ioeventfd *)0)->fd) == 4, "kvm_ioeventfd.fd: size");
_Static_assert(offsetof(struct kvm_ioeventfd, flags) == 24, "kvm_ioeventfd.flags: offset");
_Static_assert(sizeof(((struct kvm_ioeventfd *)0)->flags) == 4, "kvm_ioeventfd.flags: size");
_Static_assert(sizeof(struct kvm_irq_routing_entry) == 48, "kvm_irq_routing_entry: size");
_Static_assert(offsetof(struct kvm_irq_routing_entry, gsi) == 0, "kvm_irq_routing_entry.gsi: offset");
_Static_assert(sizeof(((struct kvm_irq_routing_entry *)0)->gsi) == 4, "kvm_irq_routing_entry.gsi: size");
_Static_assert(offsetof(struct kvm_irq_routing_entry, type) == 4, "kvm_irq_routing_entry.type: offset");
_Static_assert(sizeof(((struct kvm_irq_routing_entry *)0)->type) == 4, "kvm_irq_routing_entry.type: size");
_Static_assert(offsetof(struct kvm_irq_routing_entry, flags) == 8, "kvm_irq_routing_entry.flags: offset");
_Static_assert(sizeof(((struct kvm_irq_routing_entry *)0)->flags) == 4, "kvm_irq_routing_entry.flags: size");
_Static_assert(offsetof(struct kvm_irq_routing_entry, u) == 16, "kvm_irq_routing_entry.u: offset");
_Static_assert(sizeof(((struct kvm_irq_routing_entry *)0)->u) == 32, "kvm_irq_routing_entry.u: size");
_Static_assert(sizeof(struct kvm_irq_routing) == 8, "kvm_irq_routing: size");
_Static_assert(offsetof(struct kvm_irq_routing, nr) == 0, "kvm_irq_routing.nr: offset");
_Static_assert(sizeof(((struct kvm_irq_routing *)0)->nr) == 4, "kvm_irq_routing.nr: size");
_Static_assert(offsetof(struct kvm_irq_routing, flags) == 4, "kvm_irq_routing.flags: offset");
_Static_assert(sizeof(((struct kvm_irq_routing *)0)->flags) == 4, "kvm_irq_routing.flags: size");
_Static_assert(sizeof(struct kvm_create_device) == 12, "kvm_create_device: size");
_Static_assert(offsetof(struct kvm_create_device, type) == 0, "kvm_create_device.type: offset");
_Static_assert(sizeof(((struct kvm_create_device *)0)->type) == 4, "kvm_create_device.type: size");
_Static_assert(offsetof(struct kvm_create_device, fd) == 4, "kvm_create_device.fd: offset");
_Static_assert(sizeof(((struct kvm_create_device *)0)->fd) == 4, "kvm_create_device.fd: size");
_Static_assert(offsetof(struct kvm_create_device, flags) == 8, "kvm_create_device.flags: offset");
_Static_assert(sizeof(((struct kvm_create_device *)0)->flags) == 4, "kvm_create_device.flags: size");
_Static_assert(sizeof(struct kvm_device_attr) == 24, "kvm_device_attr: size");
_Static_assert(offsetof(struct kvm_device_attr, flags) == 0, "kvm_device_attr.flags: offset");
_Static_assert(sizeof(((struct kvm_device_attr *)0)->flags) == 4, "kvm_device_attr.flags: size");
_Static_assert(offsetof(struct kvm_device_attr, group) == 4, "kvm_device_attr.group: offset");
_Static_assert(sizeof(((struct kvm_device_attr *)0)->group) == 4, "kvm_device_attr.group: size");
_Static_assert(offsetof(struct kvm_device_attr, attr) == 8, "kvm_device_attr.attr: offset");
_Static_assert(sizeof(((struct kvm_device_attr *)0)->attr) == 8, "kvm_device_attr.attr: size");
_Static_assert(sizeof(struct kvm_enable_cap) == 104, "kvm_enable_cap: size");
_Static_assert(offsetof(struct kvm_enable_cap, cap) == 0, "kvm_enable_cap.cap: offset");
_Static_assert(sizeof(((struct kvm_enable_cap *)0)->cap) == 4, "kvm_enable_cap.cap: size");
_Static_assert(offsetof(struct kvm_enable_cap, flags) == 4, "kvm_enable_cap.flags: offset");
_Static_assert(sizeof(((struct kvm_enable_cap *)0)->flags) == 4, "kvm_enable_cap.flags: size");
_Static_assert(offsetof(struct kvm_enable_cap, args) == 8, "kvm_enable_cap.args: offset");
_Static_assert(sizeof(((struct kvm_enable_cap *)0)->args) == 32, "kvm_enable_cap.args: size");
_Static_assert(sizeof(struct kvm_msr_filter_range) == 24, "kvm_msr_filter_range: size");
_Static_assert(offsetof(struct kvm_msr_filter_range, flags) == 0, "kvm_msr_filter_range.flags: offset");
_Static_assert(sizeof(((struct kvm_msr_filter_range *)0)->flags) == 4, "kvm_msr_filter_range.flags: size");
_Static_assert(offsetof(struct kvm_msr_filter_range, nmsrs) == 4, "kvm_msr_filter_range.nmsrs: offset");
_Static_assert(sizeof(((struct kvm_msr_filter_range *)0)->nmsrs) == 4, "kvm_msr_filter_range.nmsrs: size");
_Static_assert(offsetof(struct kvm_msr_filter_range, base) == 8, "kvm_msr_filter_range.base: offset");
_Static_assert(sizeof(((struct kvm_msr_filter_range *)0)->base) == 4, "kvm_msr_filter_range.base: size");
_Static_assert(sizeof(struct kvm_msr_filter) == 392, "kvm_msr_filter: size");
_Static_assert(offsetof(struct kvm_msr_filter, flags) == 0, "kvm_msr_filter.flags: offset");
_Static_assert(sizeof(((struct kvm_msr_filter *)0)->flags) == 4, "kvm_msr_filter.flags: size");
_Static_assert(offsetof(struct kvm_msr_filter, ranges) == 8, "kvm_msr_filter.ranges: offset");
_Static_assert(sizeof(((struct kvm_msr_filter *)0)->ranges) == 384, "kvm_msr_filter.ranges: size");
_Static_assert(sizeof(struct kvm_pmu_event_filter) == 32, "kvm_pmu_event_filter: size");
_Static_assert(offsetof(struct kvm_pmu_event_filter, action) == 0, "kvm_pmu_event_filter.action: offset");
_Static_assert(sizeof(((struct kvm_pmu_event_filter *)0)->action) == 4, "kvm_pmu_event_filter.action: size");
_Static_assert(offsetof(struct kvm_pmu_event_filter, nevents) == 4, "kvm_pmu_event_filter.nevents: offset");
_Static_assert(sizeof(((struct kvm_pmu_event_filter *)0)->nevents) == 4, "kvm_pmu_event_filter.nevents: size");
_Static_assert(offsetof(struct kvm_pmu_event_filter, fixed_counter_bitmap) == 8, "kvm_pmu_event_filter.fixed_counter_bitmap: offset");
_Static_assert(sizeof(((struct kvm_pmu_event_filter *)0)->fixed_counter_bitmap) == 4, "kvm_pmu_event_filter.fixed_counter_bitmap: size");
_Static_assert(offsetof(struct kvm_pmu_event_filter, flags) == 12, "kvm_pmu_event_filter.flags: offset");
_Static_assert(sizeof(((struct kvm_pmu_event_filter *)0)->flags) == 4, "kvm_pmu_event_filter.flags: size");
_Static_assert(sizeof(struct kvm_sev_cmd) == 24, "kvm_sev_cmd: size");
_Static_assert(offsetof(struct kvm_sev_cmd, id) == 0, "kvm_sev_cmd.id: offset");
_Static_assert(sizeof(((struct kvm_sev_cmd *)0)->id) == 4, "kvm_sev_cmd.id: size");
_Static_assert(offsetof(struct kvm_sev_cmd, error) == 16, "kvm_sev_cmd.error: offset");
_Static_assert(sizeof(((struct kvm_sev_cmd *)0)->error) == 4, "kvm_sev_cmd.error: size");
_Static_assert(offsetof(struct kvm_sev_cmd, sev_fd) == 20, "kvm_sev_cmd.sev_fd: offset");
_Static_assert(sizeof(((struct kvm_sev_cmd *)0)->sev_fd) == 4, "kvm_sev_cmd.sev_fd: size");
_Static_assert(sizeof(struct kvm_stats_header) == 24, "kvm_stats_header: size");
_Static_assert(offsetof(struct kvm_stats_header, flags) == 0, "kvm_stats_header.flags: offset");
_Static_assert(sizeof(((struct kvm_stats_header *)0)->flags) == 4, "kvm_stats_header.flags: size");
_Static_assert(offsetof(struct kvm_stats_header, name_size) == 4, "kvm_stats_header.name_size: offset");
_Static_assert(sizeof(((struct kvm_stats_header *)0)->name_size) == 4, "kvm_stats_header.name_size: size");
_Static_assert(offsetof(struct kvm_stats_header, num_desc) == 8, "kvm_stats_header.num_desc: offset");
_Static_assert(sizeof(((struct kvm_stats_header *)0)->num_desc) == 4, "kvm_stats_header.num_desc: size");
_Static_assert(offsetof(struct kvm_stats_header, id_offset) == 12, "kvm_stats_header.id_offset: offset");
_Static_assert(sizeof(((struct kvm_stats_header *)0)->id_offset) == 4, "kvm_stats_header.id_offset: size");
_Static_assert(offsetof(struct kvm_stats_header, desc_offset) == 16, "kvm_stats_header.desc_offset: offset");
_Static_assert(sizeof(((struct kvm_stats_header *)0)->desc_offset) == 4, "kvm_stats_header.desc_offset: size");
_Static_assert(offsetof(struct kvm_stats_header, data_offset) == 20, "kvm_stats_header.data_offset: offset");
_Static_assert(sizeof(((struct kvm_stats_header *)0)->data_offset) == 4, "kvm_stats_header.data_offset: size");
_Static_assert(sizeof(struct kvm_stats_desc) == 16, "kvm_stats_desc: size");
_Static_assert(offsetof(struct kvm_stats_desc, flags) == 0, "kvm_stats_desc.flags: offset");
_Static_assert(sizeof(((struct kvm_stats_desc *)0)->flags) == 4, "kvm_stats_desc.flags: size");
_Static_assert(offsetof(struct kvm_stats_desc, exponent) == 4, "kvm_stats_desc.exponent: offset");
_Static_assert(sizeof(((struct kvm_stats_desc *)0)->exponent) == 2, "kvm_stats_desc.exponent: size");
_Static_assert(offsetof(struct kvm_stats_desc, size) == 6, "kvm_stats_desc.size: offset");
_Static_assert(sizeof(((struct kvm_stats_desc *)0)->size) == 2, "kvm_stats_desc.size: size");
_Static_assert(offsetof(struct kvm_stats_desc, offset) == 8, "kvm_stats_desc.offset: offset");
_Static_assert(sizeof(((struct kvm_stats_desc *)0)->offset) == 4, "kvm_stats_desc.offset: size");
_Static_assert(offsetof(struct kvm_stats_desc, bucket_size) == 12, "kvm_stats_desc.bucket_size: offset");
_Static_assert(sizeof(((struct kvm_stats_desc *)0)->bucket_size) == 4, "kvm_stats_desc.bucket_size: size");
_Static_assert(sizeof(struct kvm_run) == 2352, "kvm_run: size");
_Static_assert(offsetof(struct kvm_run, request_interrupt_window) == 0, "kvm_run.request_interrupt_window: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->request_interrupt_window) == 1, "kvm_run.request_interrupt_window: size");
_Static_assert(offsetof(struct kvm_run, immediate_exit) == 1, "kvm_run.immediate_exit: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->immediate_exit) == 1, "kvm_run.immediate_exit: size");
_Static_assert(offsetof(struct kvm_run, exit_reason) == 8, "kvm_run.exit_reason: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->exit_reason) == 4, "kvm_run.exit_reason: size");
_Static_assert(offsetof(struct kvm_run, ready_for_interrupt_injection) == 12, "kvm_run.ready_for_interrupt_injection: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->ready_for_interrupt_injection) == 1, "kvm_run.ready_for_interrupt_injection: size");
_Static_assert(offsetof(struct kvm_run, if_flag) == 13, "kvm_run.if_flag: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->if_flag) == 1, "kvm_run.if_flag: size");
_Static_assert(offsetof(struct kvm_run, flags) == 14, "kvm_run.flags: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->flags) == 2, "kvm_run.flags: size");
_Static_assert(offsetof(struct kvm_run, cr8) == 16, "kvm_run.cr8: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->cr8) == 8, "kvm_run.cr8: size");
_Static_assert(offsetof(struct kvm_run, apic_base) == 24, "kvm_run.apic_base: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->apic_base) == 8, "kvm_run.apic_base: size");
_Static_assert(offsetof(struct kvm_run, kvm_valid_regs) == 288, "kvm_run.kvm_valid_regs: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->kvm_valid_regs) == 8, "kvm_run.kvm_valid_regs: size");
_Static_assert(offsetof(struct kvm_run, kvm_dirty_regs) == 296, "kvm_run.kvm_dirty_regs: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->kvm_dirty_regs) == 8, "kvm_run.kvm_dirty_regs: size");
_Static_assert(offsetof(struct kvm_run, s.regs.regs) == 304, "kvm_run.s.regs.regs: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->s.regs.regs) == 144, "kvm_run.s.regs.regs: size");
_Static_assert(offsetof(struct kvm_run, s.regs.sregs) == 448, "kvm_run.s.regs.sregs: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->s.regs.sregs) == 312, "kvm_run.s.regs.sregs: size");
_Static_assert(offsetof(struct kvm_run, s.regs.events) == 760, "kvm_run.s.regs.events: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->s.regs.events) == 64, "kvm_run.s.regs.events: size");

/* ---- exits and their payloads in struct kvm_run ---- */
#ifdef KVM_EXIT_UNKNOWN
_Static_assert(KVM_EXIT_UNKNOWN == 0, "KVM_EXIT_UNKNOWN");
_Static_assert(offsetof(struct kvm_run, hw.hardware_exit_reason) == 32, "kvm_run.hw.hardware_exit_reason: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->hw.hardware_exit_reason) == 8, "kvm_run.hw.hardware_exit_reason: size");
#endif
#ifdef KVM_EXIT_EXCEPTION
_Static_assert(KVM_EXIT_EXCEPTION == 1, "KVM_EXIT_EXCEPTION");
_Static_assert(offsetof(struct kvm_run, ex.exception) == 32, "kvm_run.ex.exception: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->ex.exception) == 4, "kvm_run.ex.exception: size");
_Static_assert(offsetof(struct kvm_run, ex.error_code) == 36, "kvm_run.ex.error_code: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->ex.error_code) == 4, "kvm_run.ex.error_code: size");
#endif
#ifdef KVM_EXIT_IO
_Static_assert(KVM_EXIT_IO == 2, "KVM_EXIT_IO");
_Static_assert(offsetof(struct kvm_run, io.direction) == 32, "kvm_run.io.direction: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->io.direction) == 1, "kvm_run.io.direction: size");
_Static_assert(offsetof(struct kvm_run, io.size) == 33, "kvm_run.io.size: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->io.size) == 1, "kvm_run.io.size: size");
_Static_assert(offsetof(struct kvm_run, io.port) == 34, "kvm_run.io.port: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->io.port) == 2, "kvm_run.io.port: size");
_Static_assert(offsetof(struct kvm_run, io.count) == 36, "kvm_run.io.count: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->io.count) == 4, "kvm_run.io.count: size");
_Static_assert(offsetof(struct kvm_run, io.data_offset) == 40, "kvm_run.io.data_offset: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->io.data_offset) == 8, "kvm_run.io.data_offset: size");
#endif
#ifdef KVM_EXIT_HYPERCALL
_Static_assert(KVM_EXIT_HYPERCALL == 3, "KVM_EXIT_HYPERCALL");
_Static_assert(offsetof(struct kvm_run, hypercall.nr) == 32, "kvm_run.hypercall.nr: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->hypercall.nr) == 8, "kvm_run.hypercall.nr: size");
_Static_assert(offsetof(struct kvm_run, hypercall.args) == 40, "kvm_run.hypercall.args: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->hypercall.args) == 48, "kvm_run.hypercall.args: size");
_Static_assert(offsetof(struct kvm_run, hypercall.ret) == 88, "kvm_run.hypercall.ret: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->hypercall.ret) == 8, "kvm_run.hypercall.ret: size");
_Static_assert(offsetof(struct kvm_run, hypercall.longmode) == 96, "kvm_run.hypercall.longmode: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->hypercall.longmode) == 4, "kvm_run.hypercall.longmode: size");
#endif
#ifdef KVM_EXIT_DEBUG
_Static_assert(KVM_EXIT_DEBUG == 4, "KVM_EXIT_DEBUG");
_Static_assert(offsetof(struct kvm_run, debug.arch.exception) == 32, "kvm_run.debug.arch.exception: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->debug.arch.exception) == 4, "kvm_run.debug.arch.exception: size");
_Static_assert(offsetof(struct kvm_run, debug.arch.pc) == 40, "kvm_run.debug.arch.pc: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->debug.arch.pc) == 8, "kvm_run.debug.arch.pc: size");
_Static_assert(offsetof(struct kvm_run, debug.arch.dr6) == 48, "kvm_run.debug.arch.dr6: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->debug.arch.dr6) == 8, "kvm_run.debug.arch.dr6: size");
_Static_assert(offsetof(struct kvm_run, debug.arch.dr7) == 56, "kvm_run.debug.arch.dr7: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->debug.arch.dr7) == 8, "kvm_run.debug.arch.dr7: size");
#endif
#ifdef KVM_EXIT_HLT
_Static_assert(KVM_EXIT_HLT == 5, "KVM_EXIT_HLT");
#endif
#ifdef KVM_EXIT_MMIO
_Static_assert(KVM_EXIT_MMIO == 6, "KVM_EXIT_MMIO");
_Static_assert(offsetof(struct kvm_run, mmio.phys_addr) == 32, "kvm_run.mmio.phys_addr: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->mmio.phys_addr) == 8, "kvm_run.mmio.phys_addr: size");
_Static_assert(offsetof(struct kvm_run, mmio.data) == 40, "kvm_run.mmio.data: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->mmio.data) == 8, "kvm_run.mmio.data: size");
_Static_assert(offsetof(struct kvm_run, mmio.len) == 48, "kvm_run.mmio.len: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->mmio.len) == 4, "kvm_run.mmio.len: size");
_Static_assert(offsetof(struct kvm_run, mmio.is_write) == 52, "kvm_run.mmio.is_write: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->mmio.is_write) == 1, "kvm_run.mmio.is_write: size");
#endif
#ifdef KVM_EXIT_IRQ_WINDOW_OPEN
_Static_assert(KVM_EXIT_IRQ_WINDOW_OPEN == 7, "KVM_EXIT_IRQ_WINDOW_OPEN");
#endif
#ifdef KVM_EXIT_SHUTDOWN
_Static_assert(KVM_EXIT_SHUTDOWN == 8, "KVM_EXIT_SHUTDOWN");
#endif
#ifdef KVM_EXIT_FAIL_ENTRY
_Static_assert(KVM_EXIT_FAIL_ENTRY == 9, "KVM_EXIT_FAIL_ENTRY");
_Static_assert(offsetof(struct kvm_run, fail_entry.hardware_entry_failure_reason) == 32, "kvm_run.fail_entry.hardware_entry_failure_reason: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->fail_entry.hardware_entry_failure_reason) == 8, "kvm_run.fail_entry.hardware_entry_failure_reason: size");
_Static_assert(offsetof(struct kvm_run, fail_entry.cpu) == 40, "kvm_run.fail_entry.cpu: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->fail_entry.cpu) == 4, "kvm_run.fail_entry.cpu: size");
#endif
#ifdef KVM_EXIT_INTR
_Static_assert(KVM_EXIT_INTR == 10, "KVM_EXIT_INTR");
#endif
#ifdef KVM_EXIT_SET_TPR
_Static_assert(KVM_EXIT_SET_TPR == 11, "KVM_EXIT_SET_TPR");
#endif
#ifdef KVM_EXIT_TPR_ACCESS
_Static_assert(KVM_EXIT_TPR_ACCESS == 12, "KVM_EXIT_TPR_ACCESS");
_Static_assert(offsetof(struct kvm_run, tpr_access.rip) == 32, "kvm_run.tpr_access.rip: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->tpr_access.rip) == 8, "kvm_run.tpr_access.rip: size");
_Static_assert(offsetof(struct kvm_run, tpr_access.is_write) == 40, "kvm_run.tpr_access.is_write: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->tpr_access.is_write) == 4, "kvm_run.tpr_access.is_write: size");
#endif
#ifdef KVM_EXIT_NMI
_Static_assert(KVM_EXIT_NMI == 16, "KVM_EXIT_NMI");
#endif
#ifdef KVM_EXIT_INTERNAL_ERROR
_Static_assert(KVM_EXIT_INTERNAL_ERROR == 17, "KVM_EXIT_INTERNAL_ERROR");
_Static_assert(offsetof(struct kvm_run, internal.suberror) == 32, "kvm_run.internal.suberror: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->internal.suberror) == 4, "kvm_run.internal.suberror: size");
_Static_assert(offsetof(struct kvm_run, internal.ndata) == 36, "kvm_run.internal.ndata: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->internal.ndata) == 4, "kvm_run.internal.ndata: size");
_Static_assert(offsetof(struct kvm_run, internal.data) == 40, "kvm_run.internal.data: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->internal.data) == 128, "kvm_run.internal.data: size");
#endif
#ifdef KVM_EXIT_WATCHDOG
_Static_assert(KVM_EXIT_WATCHDOG == 21, "KVM_EXIT_WATCHDOG");
#endif
#ifdef KVM_EXIT_SYSTEM_EVENT
_Static_assert(KVM_EXIT_SYSTEM_EVENT == 24, "KVM_EXIT_SYSTEM_EVENT");
_Static_assert(offsetof(struct kvm_run, system_event.type) == 32, "kvm_run.system_event.type: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->system_event.type) == 4, "kvm_run.system_event.type: size");
_Static_assert(offsetof(struct kvm_run, system_event.ndata) == 36, "kvm_run.system_event.ndata: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->system_event.ndata) == 4, "kvm_run.system_event.ndata: size");
_Static_assert(offsetof(struct kvm_run, system_event.data) == 40, "kvm_run.system_event.data: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->system_event.data) == 128, "kvm_run.system_event.data: size");
#endif
#ifdef KVM_EXIT_IOAPIC_EOI
_Static_assert(KVM_EXIT_IOAPIC_EOI == 26, "KVM_EXIT_IOAPIC_EOI");
_Static_assert(offsetof(struct kvm_run, eoi.vector) == 32, "kvm_run.eoi.vector: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->eoi.vector) == 1, "kvm_run.eoi.vector: size");
#endif
#ifdef KVM_EXIT_HYPERV
_Static_assert(KVM_EXIT_HYPERV == 27, "KVM_EXIT_HYPERV");
_Static_assert(offsetof(struct kvm_run, hyperv.type) == 32, "kvm_run.hyperv.type: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->hyperv.type) == 4, "kvm_run.hyperv.type: size");
#endif
#ifdef KVM_EXIT_X86_RDMSR
_Static_assert(KVM_EXIT_X86_RDMSR == 29, "KVM_EXIT_X86_RDMSR");
_Static_assert(offsetof(struct kvm_run, msr.error) == 32, "kvm_run.msr.error: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.error) == 1, "kvm_run.msr.error: size");
_Static_assert(offsetof(struct kvm_run, msr.reason) == 40, "kvm_run.msr.reason: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.reason) == 4, "kvm_run.msr.reason: size");
_Static_assert(offsetof(struct kvm_run, msr.index) == 44, "kvm_run.msr.index: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.index) == 4, "kvm_run.msr.index: size");
_Static_assert(offsetof(struct kvm_run, msr.data) == 48, "kvm_run.msr.data: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.data) == 8, "kvm_run.msr.data: size");
#endif
#ifdef KVM_EXIT_X86_WRMSR
_Static_assert(KVM_EXIT_X86_WRMSR == 30, "KVM_EXIT_X86_WRMSR");
_Static_assert(offsetof(struct kvm_run, msr.error) == 32, "kvm_run.msr.error: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.error) == 1, "kvm_run.msr.error: size");
_Static_assert(offsetof(struct kvm_run, msr.reason) == 40, "kvm_run.msr.reason: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.reason) == 4, "kvm_run.msr.reason: size");
_Static_assert(offsetof(struct kvm_run, msr.index) == 44, "kvm_run.msr.index: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.index) == 4, "kvm_run.msr.index: size");
_Static_assert(offsetof(struct kvm_run, msr.data) == 48, "kvm_run.msr.data: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->msr.data) == 8, "kvm_run.msr.data: size");
#endif
#ifdef KVM_EXIT_DIRTY_RING_FULL
_Static_assert(KVM_EXIT_DIRTY_RING_FULL == 31, "KVM_EXIT_DIRTY_RING_FULL");
#endif
#ifdef KVM_EXIT_AP_RESET_HOLD
_Static_assert(KVM_EXIT_AP_RESET_HOLD == 32, "KVM_EXIT_AP_RESET_HOLD");
#endif
#ifdef KVM_EXIT_X86_BUS_LOCK
_Static_assert(KVM_EXIT_X86_BUS_LOCK == 33, "KVM_EXIT_X86_BUS_LOCK");
#endif
#ifdef KVM_EXIT_XEN
_Static_assert(KVM_EXIT_XEN == 34, "KVM_EXIT_XEN");
_Static_assert(offsetof(struct kvm_run, xen.type) == 32, "kvm_run.xen.type: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->xen.type) == 4, "kvm_run.xen.type: size");
#endif
#ifdef KVM_EXIT_NOTIFY
_Static_assert(KVM_EXIT_NOTIFY == 37, "KVM_EXIT_NOTIFY");
_Static_assert(offsetof(struct kvm_run, notify.flags) == 32, "kvm_run.notify.flags: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->notify.flags) == 4, "kvm_run.notify.flags: size");
#endif
#ifdef KVM_EXIT_MEMORY_FAULT
_Static_assert(KVM_EXIT_MEMORY_FAULT == 39, "KVM_EXIT_MEMORY_FAULT");
_Static_assert(offsetof(struct kvm_run, memory_fault.flags) == 32, "kvm_run.memory_fault.flags: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->memory_fault.flags) == 8, "kvm_run.memory_fault.flags: size");
_Static_assert(offsetof(struct kvm_run, memory_fault.gpa) == 40, "kvm_run.memory_fault.gpa: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->memory_fault.gpa) == 8, "kvm_run.memory_fault.gpa: size");
_Static_assert(offsetof(struct kvm_run, memory_fault.size) == 48, "kvm_run.memory_fault.size: offset");
_Static_assert(sizeof(((struct kvm_run *)0)->memory_fault.size) == 8, "kvm_run.memory_fault.size: size");
#endif
