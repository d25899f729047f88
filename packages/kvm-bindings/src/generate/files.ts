/**
 * The files that are derived from the tables. They are committed, because a package must compile its native part
 * before anything of it has run.
 */
import { exitReasons } from "../exit-reasons.js";
import { fdKinds, type IoctlRow, ioctls, requestOf } from "../ioctls.js";
import type { ArrayShape, Field, StructShape } from "../layout.js";
import { structs } from "../structs.js";
import { reference } from "./reference.js";

const origin = "Generated from the tables in src/ by scripts/generate.mjs.";

/** Path in the package to contents. */
export function generated(): Readonly<Record<string, string>> {
  return {
    "native/ioctl_table.h": ioctlTable(),
    "native/abi_asserts.c": abiAsserts(),
    "REFERENCE.md": reference(),
  };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}u`;
}

function isArray(struct: StructShape): struct is ArrayShape {
  return "element" in struct;
}

/** ROW(name, request, kinds of descriptor, argument, size, offset of the count, size of an element) */
function tableRow(row: IoctlRow): string {
  const { struct } = row;
  const array = struct !== undefined && isArray(struct) ? struct : undefined;
  const fds = row.fds.reduce((bits, kind) => bits | fdKinds[kind], 0);
  const countOffset = array === undefined ? 0 : array.fields[array.count]!.offset;
  const columns = [
    row.name,
    hex(requestOf(row)),
    fds,
    `ARG_${row.argument}`,
    struct?.size ?? 0,
    countOffset,
    array?.element.size ?? 0,
  ];
  return `  ROW(${columns.join(", ")})`;
}

function ioctlTable(): string {
  const kinds = [...new Set(ioctls.map((row) => row.argument))].map((kind) => `ARG_${kind}`);
  return `/* ${origin} */
#ifndef KVMKIT_IOCTL_TABLE_H
#define KVMKIT_IOCTL_TABLE_H

enum kvmkit_argument {
  ${kinds.join(",\n  ")},
};

/* ROW(name, request, kinds of descriptor, argument, size, offset of the count, size of an element) */
#define KVMKIT_IOCTLS(ROW) \\
${ioctls.map(tableRow).join(" \\\n")}

#define ROW(name, ...) ROW_##name,
enum kvmkit_row { KVMKIT_IOCTLS(ROW) };
#undef ROW

#endif
`;
}

/** Newer than the oldest headers that this is built with; each has a macro of the same version. */
const structsOf: Readonly<Record<string, string>> = {
  kvm_userspace_memory_region2: "KVM_SET_USER_MEMORY_REGION2",
  kvm_create_guest_memfd: "KVM_CREATE_GUEST_MEMFD",
  kvm_memory_attributes: "KVM_SET_MEMORY_ATTRIBUTES",
  kvm_pre_fault_memory: "KVM_PRE_FAULT_MEMORY",
};

function assert(condition: string, what: string): string {
  return `_Static_assert(${condition}, "${what}");`;
}

function guarded(macro: string | undefined, lines: readonly string[]): string {
  return macro === undefined ? lines.join("\n") : `#ifdef ${macro}\n${lines.join("\n")}\n#endif`;
}

function structAsserts(struct: StructShape): string {
  const type = `struct ${struct.name}`;
  const fields = Object.entries(struct.fields).flatMap(([name, field]) => fieldAsserts(type, name, field));
  return guarded(structsOf[struct.name], [
    assert(`sizeof(${type}) == ${struct.size}`, `${struct.name}: size`),
    ...fields,
  ]);
}

function fieldAsserts(type: string, name: string, field: Field<unknown>, prefix = ""): string[] {
  const member = `${prefix}${field.member ?? name}`;
  const what = `${type.replace("struct ", "")}.${member}`;
  return [
    assert(`offsetof(${type}, ${member}) == ${field.offset}`, `${what}: offset`),
    assert(`sizeof(((${type} *)0)->${member}) == ${field.size}`, `${what}: size`),
  ];
}

/** Exits newer than the oldest headers carry their own guard. */
function exitAsserts([name, { nr, payload }]: [string, { nr: number; payload: StructShape }]): string {
  const fields = Object.entries(payload.fields).flatMap(([field, layout]) =>
    fieldAsserts("struct kvm_run", field, layout, `${payload.name}.`),
  );
  return guarded(name, [assert(`${name} == ${nr}`, name), ...fields]);
}

function requestAssert(row: IoctlRow): string {
  return guarded(row.name, [assert(`${row.name} == ${hex(requestOf(row))}`, row.name)]);
}

function abiAsserts(): string {
  return `/*
 * Every number and size of the tables against the kernel's header, at compile time.
 * ${origin}
 *
 * #ifdef marks what is newer than the oldest header that this is built with; an ioctl or an exit is a macro and
 * guards itself.
 */
#include <linux/kvm.h>
#include <stddef.h>

/* ---- requests ---- */
${ioctls.map(requestAssert).join("\n")}

/* ---- structures ---- */
${structs.map(structAsserts).join("\n")}

/* ---- exits and their payloads in struct kvm_run ---- */
${Object.entries(exitReasons).map(exitAsserts).join("\n")}
`;
}
