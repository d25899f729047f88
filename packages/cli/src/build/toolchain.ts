/** What builds: the assembler, the kernel's source and the ELF writer. Loaded only where something has to be built. */
export { assembleFile } from "../asm/assemble-file.js";
export { assembleSource } from "./assemble-source.js";
export { compileProgram } from "./compile-program.js";
export { kernelElf } from "./kernel-elf.js";
export { linkProgram } from "./link-object.js";
