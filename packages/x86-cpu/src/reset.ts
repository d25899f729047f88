/** State after power-up. SDM Vol. 3A, table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT". */
import { Access, CR0, RFLAGS, Seg } from "./architecture.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";
import { flushTlb } from "./paging.js";

export function reset(m: Machine): void {
  m.u8.fill(0, 0, State.end);
  const set = (offset: number, value: number) => {
    m.i32[offset >> 2] = value;
  };
  for (let segment: number = Seg.ES; segment <= Seg.TR; segment++) {
    const system =
      segment === Seg.LDTR ? 2 : segment === Seg.TR ? 11 : Access.S | Access.WRITABLE | Access.ACCESSED;
    m.setSegment(segment, Segment.limit, 0xffff);
    m.setSegment(segment, Segment.access, system | Access.P | (segment === Seg.CS ? Access.CODE : 0));
  }
  m.setSegment(Seg.CS, Segment.selector, 0xf000);
  m.setSegment(Seg.CS, Segment.base, 0xffff0000 | 0);
  set(State.rip, 0xfff0);
  set(State.rflags, RFLAGS.FIXED);
  set(State.cr0, CR0.CD | CR0.NW | CR0.ET);
  set(State.gdtrLimit, 0xffff);
  set(State.idtrLimit, 0xffff);
  set(State.dr6, 0xffff0ff0 | 0);
  set(State.dr7, 0x400);
  set(State.fcw, 0x37f);
  set(State.ftw, 0xffff);
  set(State.mxcsr, 0x1f80);
  set(State.pat, 0x00070406);
  set(State.pat + 4, 0x00070406);
  // Enabled, bootstrap processor, at FEE00000H; there is no APIC behind it.
  set(State.apicBase, 0xfee00900 | 0);
  set(State.gpr + 2 * 8, 0x600);
  set(State.interrupt, -1);
  flushTlb(m);
  m.updateMode();
  m.attention = true;
}
