/** What the reporter measures with: bytes swept over the opcode space, bytes of this system's programs, texts of the table. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { coreForms, vectorForms } from "../../dist/table.js";
import { startTurns, textsOf } from "./shapes.mjs";
import * as sweep from "./sweep.mjs";

export const sweeps = {
  legacy: sweep.legacy,
  vex: sweep.vex,
  evex: sweep.evex,
  prefixes: sweep.prefixes,
};

/** Programs and libraries whose code is read, where they exist: kernels of cryptography have the rare instructions. */
const BINARIES = [
  "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
  "/usr/lib/x86_64-linux-gnu/libc.so.6",
  "/usr/lib/x86_64-linux-gnu/libm.so.6",
  "/usr/lib/x86_64-linux-gnu/libgcrypt.so.20",
  "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
  "/usr/bin/bash",
  "/usr/bin/perl",
];

/** The instructions of this system's programs, each byte sequence once. Read in the mode asked for: bytes are bytes. */
export function binaryBytes() {
  const seen = new Set();
  for (const path of BINARIES.filter((name) => existsSync(name))) {
    const { stdout } = spawnSync("objdump", ["-d", "-w", "-z", path], {
      encoding: "latin1",
      maxBuffer: 2 ** 30,
    });
    for (const [, bytes] of stdout.matchAll(/^ *[0-9a-f]+:\t([0-9a-f ]+?) *\t/gm)) seen.add(bytes);
  }
  return [...seen].map((bytes) => [...Buffer.from(bytes.replaceAll(" ", ""), "hex")]);
}

const MODES = { 16: 1, 32: 2, 64: 4 };

/** Texts for every form of the table in a mode, with the operands that make-vectors.mjs writes. */
export function tableTexts(mode) {
  startTurns();
  const forms = [...coreForms(), ...vectorForms()].filter((form) => form.modes & MODES[mode]);
  return new Set(forms.flatMap((form) => textsOf(form, mode)));
}
