/**
 * Where everything lies in the one WebAssembly memory: processor state, TLBs, decode arena, guest memory.
 *
 *     0x00000  state of the vCPU, in the order of `State`, then `Engine`
 *     0x01000  TLBs: four arrays for data, one of them never filled; one for instruction fetches
 *     0x10000  arena of the predecoded records (WebAssembly engine)
 *     RAM      guest memory, 64 KiB aligned
 *
 * Multi-byte fields are little-endian, as in the guest. Offsets are in bytes.
 */

/** Byte offsets of the state. A row without a comment holds the register of its name in 8 bytes. */
export const State = {
  /** rax rcx rdx rbx rsp rbp rsi rdi r8 to r15, 8 bytes each */
  gpr: 0x000,
  rip: 0x080,
  /** Bits 31:0; the upper half reads as zero. */
  rflags: 0x088,
  /** Always zero: the base or index that an address does not have. */
  zero: 0x090,
  /** Effective address that a record computed for the one behind it (WebAssembly engine). */
  address: 0x098,
  cr0: 0x0a0,
  cr2: 0x0a8,
  cr3: 0x0b0,
  cr4: 0x0b8,
  cr8: 0x0c0,
  efer: 0x0c8,
  /** dr0 to dr3 */
  dr: 0x0d0,
  dr6: 0x0f0,
  dr7: 0x0f8,
  /** es cs ss ds fs gs ldtr tr, in `Segment` layout */
  segments: 0x100,
  gdtrBase: 0x200,
  idtrBase: 0x208,
  gdtrLimit: 0x210,
  idtrLimit: 0x214,
  star: 0x218,
  lstar: 0x220,
  cstar: 0x228,
  sfmask: 0x230,
  kernelGsBase: 0x238,
  sysenterCs: 0x240,
  sysenterEsp: 0x248,
  sysenterEip: 0x250,
  pat: 0x258,
  tscAux: 0x260,
  apicBase: 0x268,
  miscEnable: 0x270,
  /** Added to the instruction count to give the time-stamp counter. */
  tscOffset: 0x278,
  /** Instructions begun since reset. */
  instructions: 0x280,
  /** u32 fields */
  cpl: 0x288,
  /** `Shadow` bits: what blocks events at the next instruction boundary. */
  shadow: 0x28c,
  nmiBlocked: 0x290,
  nmiPending: 0x294,
  halted: 0x298,
  /** Vector of the queued external interrupt, or -1. */
  interrupt: 0x29c,
  /** Set for good by a triple fault. */
  shutdown: 0x2a0,
  mxcsr: 0x2a4,
  fcw: 0x2a8,
  fsw: 0x2ac,
  /** Two bits for each physical register, as FNSTENV shows them. */
  ftw: 0x2b0,
  fop: 0x2b4,
  fip: 0x2b8,
  fdp: 0x2c0,
  fcs: 0x2c8,
  fds: 0x2cc,
  mtrrDefType: 0x2d0,
  debugctl: 0x2d8,
  /** Memory operand of the instruction in progress: 16 bytes, and 16 to spare. */
  scratch: 0x2e0,
  /** xmm0 to xmm15, 16 bytes each */
  xmm: 0x300,
  /** Physical registers R0 to R7, 16 bytes each of which 10 are used */
  fpr: 0x400,
  end: 0x480,
} as const;

/** What the WebAssembly engine keeps in memory between its functions, behind the state; see wasm/. */
export const Engine = {
  /** u64: linear address of the page that RIP is in. */
  ripPage: 0x500,
  /** u32: bytes of RAM in front of that page. */
  physicalPage: 0x508,
  /** u32: record that execution stopped at. */
  record: 0x50c,
  /** i32: instructions left. */
  left: 0x510,
  /** Lazy flags: i64 result, i64 carries, i32 note. */
  result: 0x518,
  carries: 0x520,
  note: 0x528,
  /** u64: where execution wants to go, or the address that missed the TLB, and its last byte. */
  target: 0x530,
  address: 0x538,
  lastByte: 0x540,
  /** u32: the TLB arrays of the current privilege. */
  dataTlb: 0x548,
  fetchTlb: 0x54c,
  /** u32: host floating-point arithmetic gives what MXCSR asks for. */
  plainFloat: 0x550,
  /** Operand that a record loaded for the one behind it: 16 bytes. */
  operand: 0x560,
} as const;

/** Fields of a segment register with its hidden part; 32 bytes each. */
export const Segment = {
  base: 0,
  limit: 8,
  /** Bits 15:0 as descriptor bits 55:40 (without limit 19:16), bit 16: unusable */
  access: 12,
  selector: 16,
  stride: 32,
} as const;

/** A direct-mapped TLB of `entries` entries; see `paging.ts` for how an entry is checked. */
export const Tlb = {
  entries: 256,
  /** Bytes of an entry. */
  stride: 32,
  /** i64 fields: page address, or an impossible one where the access is not simply allowed. */
  read: 0,
  write: 8,
  /** i32: pointer minus linear address, modulo 2^32. */
  addend: 16,
  /** i32: guest-physical page number. */
  page: 20,
  /** i32: address bits of the page that the translation came from; its entry is for 4 KiB of it. */
  pageMask: 24,
  /** i32: 1 where the translation allows writes; the `write` field says so too unless the page holds cached code. */
  mayWrite: 28,
  base: 0x1000,
  /** Bytes of one array. */
  size: 256 * 32,
  /** Arrays in order: user, supervisor, supervisor with RFLAGS.AC, and the one that is never filled. */
  user: 0x1000,
  supervisor: 0x1000 + 256 * 32,
  supervisorAc: 0x1000 + 2 * 256 * 32,
  never: 0x1000 + 3 * 256 * 32,
  /** Instruction fetches: user, then supervisor; the `read` field says that the page may be executed. */
  fetchUser: 0x1000 + 4 * 256 * 32,
  fetchSupervisor: 0x1000 + 5 * 256 * 32,
  end: 0x1000 + 6 * 256 * 32,
} as const;

export const Arena = {
  base: 0x10000,
  size: 0x7f0000,
  /** Direct-mapped cache of block starts: {u32 address in RAM, u32 record}, then the records. */
  blocks: 0x10000,
  blockEntries: 4096,
  records: 0x10000 + 4096 * 8,
} as const;

/** Guest memory begins here. */
export const RAM_BASE = Arena.base + Arena.size;
export const PAGE_SIZE = 4096;
export const WASM_PAGE = 65536;
export const MAX_GUEST_MEMORY = 0xe0000000;

/** What the first word of the state would be if it were another layout: checked when a memory is adopted. */
export const LAYOUT_VERSION = 1;
