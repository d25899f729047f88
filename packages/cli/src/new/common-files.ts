/** What every template has. */

export const GITIGNORE = "node_modules/\ndist/\n.kvmkit/\n";

export const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** A manifest for one program, in a workspace with another so that one `kvm build` makes both. */
export const manifest = (program: string, rest: string): string => `[program]\npath = "${program}"\n${rest}`;
