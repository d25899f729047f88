/**
 * The built-in plugins by their exported names: a module of its own, because a machine in a worker imports its
 * plugins there.
 */
export { calls, clock, debugConsole, descriptors, foreignHost, process, random } from "@kvmkit/hypervisor";
export { console, files } from "@kvmkit/hypervisor/node";
