/**
 * Assembles a source that is being edited. Published as `@kvmkit/x86-asm/incremental`, which has all that the core
 * entry has, under the same names.
 *
 * A line that only appends instructions, data and labels is read again by itself: what it had made is taken out of
 * its section, what it makes now is put there, and everything behind moves along. Then all is laid out anew, which
 * is quick. Lines that change how others are read (macros, conditions, assignments, sections) make the whole
 * source be read again; so does a change that a difference of labels, read as a number, would have noticed.
 */
export * from "../index.js";
export { AssemblyDocument, type LineEdit } from "./document.js";
