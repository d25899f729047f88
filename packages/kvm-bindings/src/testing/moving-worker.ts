/** A worker that hands the buffer under its guest memory to the main thread, by every means there is, and ends. */
import { parentPort } from "node:worker_threads";
import { GuestMemory } from "../guest-memory.js";

const memory = GuestMemory.allocate(2 ** 20);
memory.bytes()[0] = 42;
const buffer = memory.bytes().buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
// Node.js refuses to transfer external buffers. V8's transfer() (Node.js 22) makes one that it knows nothing of.
const moved = buffer.transfer?.() ?? buffer;
try {
  parentPort!.postMessage(moved, [moved]);
} catch {
  parentPort!.postMessage(moved);
}
