/** What a build's output depends on beside its inputs. */

/** Hash of the sources of the assembler, the kernel and the ELF writer; the bundler puts it in. */
declare const KVMKIT_TOOLCHAIN_HASH: string | undefined;

/** Not bundled, as under test, nothing says which sources run: such builds do not share entries with others. */
export const TOOLCHAIN =
  typeof KVMKIT_TOOLCHAIN_HASH === "string" ? KVMKIT_TOOLCHAIN_HASH : `unbundled-${process.pid}`;
