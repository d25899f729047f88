/**
 * The manifest, `vm.toml`: every key once, with its type, its default and its sentence.
 *
 * Reading, error messages, the JSON Schema for editors (`kvm schema`) and docs/manifest.md come from here.
 */
import {
  address,
  anyTable,
  duration,
  guestPath,
  hostPath,
  integer,
  listOf,
  mapOf,
  oneOf,
  orWord,
  size,
  table,
  tables,
  text,
  type ValueOf,
} from "./value-types.js";

export const ACCELERATORS = ["auto", "kvm", "soft"] as const;
export const BOOT_PROTOCOLS = ["kvmkit", "long", "protected", "real"] as const;

/** What `--memory` and `[vm] memory` take: whole pages, no more than x86-64 hosts have. A boot protocol may need more. */
export const memorySize = size({ min: 2 ** 16, max: 2 ** 40, multipleOf: 4096 });

const environmentName = {
  pattern: /^[^=\0]+$/,
  allowed: "a variable's name, without =",
  plural: "variables",
};
const registerName = {
  pattern: /^(r[a-d]x|r[sd]i|r[bs]p|r([89]|1[0-5])|rflags)$/,
  allowed: "a register: rax to r15, rsp, rbp, rflags",
  plural: "registers (rax to r15, rsp, rbp, rflags)",
};

export const MANIFEST_SCHEMA = table({
  vm: {
    doc: "The machine.",
    default: {},
    type: table({
      accel: {
        type: oneOf(ACCELERATORS),
        default: "auto",
        doc: "What runs the guest: `kvm` is /dev/kvm, `soft` a CPU in software, `auto` the first that is usable.",
      },
      boot: {
        type: oneOf(BOOT_PROTOCOLS),
        default: "kvmkit",
        doc: "The state of the machine at the first instruction: our kernel (`kvmkit`), or a flat image in 64-bit, 32-bit or 16-bit mode.",
      },
      memory: { type: memorySize, default: "64MiB", doc: "Guest memory, in whole 4 KiB pages." },
      kernel: {
        type: hostPath("file"),
        doc: "What to boot instead of the built-in kernel: an ELF file for `kvmkit`; a flat image, or an assembly source (.s: GNU as Intel syntax, .asm: NASM), for the other protocols, which need it.",
      },
      load: { type: address(), doc: "Guest-physical address of a flat image. Default: 0." },
      entry: {
        type: address(),
        doc: "Address of a flat image's first instruction. Default: its load address.",
      },
      registers: {
        type: mapOf(address(), registerName),
        default: {},
        doc: "Values of general registers at a flat image's first instruction, on top of the protocol's own.",
      },
    }),
  },
  program: {
    doc: "The program that the kernel runs.",
    type: table({
      path: {
        type: text("the path of a file"),
        required: true,
        doc: 'A static x86-64 ELF executable, or a source that `kvm build` makes one of: assembly (.s: GNU as Intel syntax, .asm: NASM) or C (.c). Under `boot = "long"` any file, or a path in a mount, for the booted kernel to open.',
      },
      cc: {
        type: listOf(text(), "a list of strings"),
        doc: 'The compiler of a C source, and its options; `-I`, `-o` and the source come behind them. Default: `cc` for a program without a C library, which includes `freestanding.h`. For one with a C library: `cc = ["musl-gcc", "-static", "-O2"]`.',
      },
      args: {
        type: listOf(text(), "a list of strings"),
        default: [],
        doc: "argv[1] and on; argv[0] is the path as written here.",
      },
      cwd: { type: guestPath(), default: "/", doc: "The folder of the guest that the program starts in." },
    }),
  },
  env: {
    doc: "The program's environment. Nothing of the host's leaks in.",
    default: {},
    type: mapOf(text(), environmentName),
  },
  mount: {
    doc: "What the program sees of the host's files. Without one it sees an empty root with a writable, bounded /tmp.",
    default: [],
    type: tables({
      guest: { type: guestPath(), required: true, doc: "Where the guest sees it." },
      host: { type: hostPath("file or folder"), doc: "The host's file or folder. Either this or `tmpfs`." },
      mode: { type: oneOf(["ro", "rw"]), doc: "Whether the guest may write to `host`. Default: `ro`." },
      tmpfs: {
        type: size({ min: 4096 }),
        doc: "An empty, writable folder in memory instead, which may grow to this size.",
      },
    }),
  },
  limits: {
    doc: 'What ends a run, or is refused. "none" is no limit.',
    default: {},
    type: table({
      wall: {
        type: orWord("none", duration()),
        default: "none",
        doc: "Time from start to end (exit status 124).",
      },
      cpu: {
        type: orWord("none", duration()),
        default: "none",
        doc: "Processor time of the guest (exit status 124).",
      },
      output: {
        type: orWord("none", size()),
        default: "none",
        doc: "Bytes that the guest may write to stdout and stderr together (exit status 124).",
      },
      files: {
        type: integer(3, 65_536),
        default: 1024,
        doc: "Descriptors that may be open at once; more are refused with EMFILE.",
      },
      "file-size": {
        type: orWord("none", size()),
        default: "none",
        doc: "Bytes that one file may have where the guest writes to it; more are refused with EFBIG.",
      },
      "dir-entries": {
        type: orWord("none", integer(1, 2 ** 31)),
        default: "none",
        doc: "Names that one folder may list. No call of this kernel lists folders yet, so nothing exceeds it.",
      },
      sleep: {
        type: orWord("none", duration()),
        default: "none",
        doc: "The longest single sleep. No call of this kernel sleeps yet, so nothing exceeds it.",
      },
    }),
  },
  plugin: {
    doc: "Host functions for the guest. A boot protocol brings some of the built-in ones, granted whole: `kvmkit` has descriptors, console, files, process, clock and random; `long` descriptors, console, files, debug-console and foreign-host; `protected` and `real` descriptors, console and debug-console. A table that names one of them replaces its grant and its options, so that without `grant` it is withheld.",
    default: [],
    type: tables({
      module: {
        type: text("a module: a package name, a path that starts with ./, or a built-in plugin's name"),
        required: true,
        doc: "The plugin: an installed package, a path relative to the manifest that starts with `./` or `../`, or the name of a built-in.",
      },
      grant: {
        type: orWord("all", listOf(text(), "a list of strings")),
        default: [],
        doc: "The hypercalls and ports that the guest may use. What is not granted does not exist for it (ENOSYS).",
      },
      options: { type: anyTable(), default: {}, doc: "Passed to the plugin, which checks it." },
    }),
  },
  workspace: {
    doc: "Other manifests that `kvm build` without arguments builds too.",
    type: table({
      members: {
        type: listOf(text(), "a list of paths relative to this manifest, with * for any part of one name"),
        required: true,
        doc: "Manifests; `*` stands for any part of one name in a path.",
      },
    }),
  },
  metadata: { type: anyTable(), doc: "Free for other tools; kvmkit does not read it." },
});

export type Manifest = ValueOf<typeof MANIFEST_SCHEMA>;
export type Mount = Manifest["mount"][number];
export type BootProtocol = (typeof BOOT_PROTOCOLS)[number];
