import { address, hostPath, oneOf, text } from "../config/value-types.js";
import { type COMMON_OPTIONS, defineCommand, type Invocation, type OptionRows } from "../define-command.js";

export const FORMATS = ["flat", "object", "program", "listing"] as const;
export const DIALECTS = ["gas", "nasm"] as const;
export const MODES = ["16", "32", "64"] as const;

const options = {
  format: {
    short: "f",
    doc: "A flat image, an ELF object file, a static ELF program, or a listing.",
    value: { name: FORMATS.join("|"), type: oneOf(FORMATS) },
    default: "flat",
  },
  "debug-info": { short: "g", doc: "Debugging information (DWARF 5) in an object file or a program." },
  output: {
    short: "o",
    doc: "Where to write it; - is stdout.",
    value: { name: "PATH", type: text("a path") },
    default: "the source's name with the format's ending; a listing goes to stdout",
  },
  dialect: { doc: "How the source is read.", value: { name: DIALECTS.join("|"), type: oneOf(DIALECTS) } },
  bits: {
    doc: "The mode that the source starts in.",
    value: { name: MODES.join("|"), type: oneOf(MODES) },
    default: "64; 16 in the NASM dialect",
  },
  origin: {
    doc: "Where a flat image will lie in memory.",
    value: { name: "ADDRESS", type: address() },
    default: "0x0",
  },
  include: {
    short: "I",
    doc: "A folder in which included files are looked for, behind the source's own.",
    value: { name: "DIR", type: hostPath("file or folder") },
    repeated: true,
  },
} as const satisfies OptionRows;

export type AsmInvocation = Invocation<typeof options & typeof COMMON_OPTIONS>;

export const asm = defineCommand({
  name: "asm",
  summary: "Assemble a source",
  about: [
    "The dialect follows the ending: .asm is NASM's, anything else GNU as with Intel syntax. A program is entered at _start.",
  ],
  args: [{ name: "source", doc: "The source." }],
  options,
  examples: [
    { command: "kvm asm --bits 16 -o boot.bin boot.asm", doc: "A flat 16-bit image, in NASM's dialect." },
    { command: "kvm asm -f program hello.s && ./hello", doc: "A static Linux executable." },
    {
      command: "kvm asm -g -f program hello.s && gdb hello",
      doc: "One that gdb steps through by its lines.",
    },
  ],
  async run(invocation) {
    const { assembleFile } = await import("../build/toolchain.js");
    return assembleFile(invocation);
  },
});
