/**
 * What an address space must be after any sequence of calls, page by page: the second opinion that random sequences are
 * compared with. It knows no areas, tables or frames.
 */
import { ERRNO, type ErrnoName, MADV, PROT } from "@kvmkit/guest-kernel/abi";

export const PAGE = 0x1000n;

interface Page {
  /** PROT_ bits. */
  prot: number;
  /** The quadword at its start. */
  value: bigint;
}

const fail = (name: ErrnoName): bigint => BigInt(-ERRNO[name]);

/** Pages by number, counted from the window's base. Only what lies in the window is modelled. */
export class AddressSpaceModel {
  readonly #pages = new Map<number, Page>();

  page(index: number): Readonly<Page> | undefined {
    return this.#pages.get(index);
  }

  canRead(index: number): boolean {
    return (this.#pages.get(index)?.prot ?? 0) !== 0;
  }

  canWrite(index: number): boolean {
    return ((this.#pages.get(index)?.prot ?? 0) & PROT.PROT_WRITE) !== 0;
  }

  load(index: number): bigint {
    return this.#pages.get(index)!.value;
  }

  store(index: number, value: bigint): void {
    this.#pages.get(index)!.value = value;
  }

  /** MAP_FIXED, or MAP_FIXED_NOREPLACE. */
  map(first: number, count: number, prot: number, replace: boolean, address: bigint): bigint {
    if (!replace && this.#range(first, count).some((index) => this.#pages.has(index))) return fail("EEXIST");
    for (const index of this.#range(first, count)) this.#pages.set(index, { prot, value: 0n });
    return address;
  }

  unmap(first: number, count: number): bigint {
    for (const index of this.#range(first, count)) this.#pages.delete(index);
    return 0n;
  }

  protect(first: number, count: number, prot: number): bigint {
    const range = this.#range(first, count);
    if (range.some((index) => !this.#pages.has(index))) return fail("ENOMEM");
    for (const index of range) this.#pages.get(index)!.prot = prot;
    return 0n;
  }

  advise(first: number, count: number, advice: number): bigint {
    let result = 0n;
    for (const index of this.#range(first, count)) {
      const page = this.#pages.get(index);
      if (page === undefined) result = fail("ENOMEM");
      else if (advice === MADV.MADV_DONTNEED) page.value = 0n;
    }
    return result;
  }

  /** MREMAP_MAYMOVE | MREMAP_FIXED to where the old range is not. An area is what has one protection, in one piece. */
  move(first: number, count: number, to: number, newCount: number, address: bigint): bigint {
    const overlaps = to < first + count && first < to + newCount;
    const old = this.#range(first, count).map((index) => this.#pages.get(index));
    const start = old[0];
    if (start === undefined) return fail("EFAULT");
    const inOneArea = old.every((page) => page?.prot === start.prot);
    if (!inOneArea && newCount >= count) return fail("EFAULT");
    if (overlaps) return fail("EINVAL");
    this.unmap(to, newCount);
    const kept = old.slice(0, newCount).map((page) => page?.value ?? 0n);
    this.unmap(first, count);
    for (const index of this.#range(to, newCount)) {
      this.#pages.set(index, { prot: start.prot, value: kept[index - to] ?? 0n });
    }
    return address;
  }

  #range(first: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => first + i);
  }
}
