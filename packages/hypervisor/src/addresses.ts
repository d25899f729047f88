/**
 * The two kinds of guest address.
 *
 * In public types both are branded bigints, so that one is never taken for the other. Inside the package a
 * guest-physical address is a plain number: it is below 2^52 (SDM Vol. 3A, "MAXPHYADDR"), which a number holds
 * exactly, and walking page tables in bigint costs ten times as much.
 */

/** Guest virtual address. */
export type Gva = bigint & { readonly [gva]: true };
/** Guest physical address. */
export type Gpa = bigint & { readonly [gpa]: true };

declare const gva: unique symbol;
declare const gpa: unique symbol;

export const toGva = (address: bigint): Gva => BigInt.asUintN(64, address) as Gva;
export const toGpa = (address: bigint | number): Gpa => BigInt(address) as Gpa;

export const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;
export const alignDown = (value: number, alignment: number): number =>
  Math.floor(value / alignment) * alignment;
