/** A core file of our making, as gdb sees it. Layouts: Linux, include/linux/elfcore.h and asm/user_64.h. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { testdata, testdataPath } from "../scripts/testdata.mjs";
import { ET, PF, PT } from "./constants.js";
import { viewOf } from "./header.js";
import { writeNotes } from "./note-writer.js";
import { readElf } from "./reader.js";
import { writeElf } from "./writer.js";

const NT_PRSTATUS = 1;
const ELF_PRSTATUS_BYTES = 336;
const PR_REG = 112;
/** user_regs_struct: r15 is the first of 27 registers. */
const RIP = PR_REG + 16 * 8;
const RSP = PR_REG + 19 * 8;

/** `testdata/program`, stopped behind the first instruction, with another value in its counter. */
function core(): Uint8Array {
  const status = new Uint8Array(ELF_PRSTATUS_BYTES);
  viewOf(status).setUint16(12, 11, true);
  viewOf(status).setBigUint64(RIP, 0x401007n, true);
  viewOf(status).setBigUint64(RSP, 0x7ffffffff000n, true);
  const data = new Uint8Array(0x1000);
  viewOf(data).setUint32(0, 4711, true);
  return writeElf({
    kind: "executable",
    type: ET.ET_CORE,
    entry: 0,
    segments: [
      {
        type: PT.PT_NOTE,
        vaddr: 0,
        bytes: writeNotes([{ owner: "CORE", type: NT_PRSTATUS, description: status }]),
        memSizeBytes: 0,
        flags: 0,
        align: 4,
      },
      { vaddr: 0x404000n, bytes: data, flags: PF.PF_R | PF.PF_W },
    ],
  });
}

test("a core file has its notes first, no stack header, and reads back", (t) => {
  const elf = readElf(core());
  t.is(elf.header.e_type, ET.ET_CORE);
  t.deepEqual(
    elf.segments.map(({ p_type, p_memsz }) => [p_type, p_memsz]),
    [
      [PT.PT_NOTE, 0n],
      [PT.PT_LOAD, 0x1000n],
    ],
  );
  const [note] = [...elf.notesIn(elf.segments[0]!)];
  t.deepEqual([note!.owner, note!.type, note!.description.length], ["CORE", NT_PRSTATUS, ELF_PRSTATUS_BYTES]);
});

test("notes are written as they are read, in both byte orders", (t) => {
  const description = testdata("program").subarray(0, 5);
  const notes = [
    { owner: "größe", type: 7, description },
    { owner: "", type: 0xffffffff, description: new Uint8Array() },
  ];
  t.is(writeNotes(notes).length, 12 + 8 + 8 + 12 + 4);
  t.deepEqual([...writeNotes(notes, false).subarray(0, 12)], [0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0, 7]);
});

toolTest("gdb reads registers, memory and symbols from a core file", { gdb: "gdb" }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kvmkit-elf-"));
  try {
    const path = join(folder, "core");
    writeFileSync(path, core());
    const commands = ["print/x $rip", "x/dw &counter", "x/i $pc"].flatMap((command) => ["-ex", command]);
    const { stdout } = spawnSync("gdb", ["-batch", "-nx", ...commands, testdataPath("program"), path], {
      encoding: "utf8",
    });
    t.regex(stdout, /terminated with signal SIGSEGV/);
    t.regex(stdout, /= 0x401007\n/);
    t.regex(stdout, /0x404000\b.*:\t4711\n/);
    t.regex(stdout, /=> 0x401007 <_start\+7>:\tmov/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
