/**
 * A stream through a guest: what goes into `kvm exec cat` comes out unchanged, in bounded memory.
 *
 *   node bench/stream.mjs [MiB]      default 1024
 *
 * Prints the rate beside cat(1) of the host, and the most memory that was ever resident. Ends with 1 where a byte
 * was lost or changed.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const kvm = join(root, "bin/kvm.js");
const bytes = Number(process.argv[2] ?? 1024) * 2 ** 20;
const dir = mkdtempSync(join(tmpdir(), "kvmkit-stream-"));

try {
  const cat = join(dir, "cat");
  spawnSync(process.execPath, [
    kvm,
    "asm",
    "-f",
    "program",
    "-o",
    cat,
    join(root, "testdata/programs/cat.s"),
  ]);
  const guest = await stream(process.execPath, [kvm, "exec", cat]);
  const host = await stream("cat", []);
  print("kvm exec cat", guest);
  print("cat", host);
  process.exitCode = guest.isSame && guest.status === 0 ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true });
}

async function stream(command, args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const start = performance.now();
  const sent = createHash("sha256");
  const received = createHash("sha256");
  let back = 0;
  let rssKib = 0;
  child.stdout.on("data", (chunk) => {
    received.update(chunk);
    back += chunk.length;
    // Once more for each eighth of the stream: reading /proc for each chunk would be what is measured.
    if (Math.floor((8 * back) / bytes) > Math.floor((8 * (back - chunk.length)) / bytes)) {
      rssKib = Math.max(rssKib, residentKib(child.pid));
    }
  });
  // No period that a buffer's size could hide.
  const block = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
  for (let left = bytes; left > 0; left -= block.length) {
    const piece = block.subarray(0, Math.min(left, block.length));
    sent.update(piece);
    if (!child.stdin.write(piece)) await once(child.stdin, "drain");
  }
  child.stdin.end();
  const [status] = await once(child, "close");
  const seconds = (performance.now() - start) / 1000;
  return { status, seconds, rssKib, isSame: received.digest("hex") === sent.digest("hex") && back === bytes };
}

/** VmHWM of proc(5): the most that was ever resident. */
function residentKib(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function print(name, { status, seconds, rssKib, isSame }) {
  const rate = `${(bytes / 2 ** 20 / seconds).toFixed(0)} MiB/s`;
  const memory = `${(rssKib / 1024).toFixed(0)} MiB resident`;
  console.log(
    `${name.padEnd(14)} ${rate.padStart(12)}  ${memory}  ${isSame ? "unchanged" : "CHANGED"}  status ${status}`,
  );
}
