/** What needs Node.js: host directories, real descriptors, threads. */
export { console, type HostConsoleOptions } from "./console.js";
export { files, type HostFilesOptions, type MountOption } from "./files.js";
export { prepareWorkers } from "./worker-pool.js";
