/**
 * A C header, for C11 and C++11, freestanding or hosted: numbers, constants, structs, and a function for each
 * hypercall. Nothing has to be linked.
 */
import {
  type ArgumentType,
  ERRNO,
  type ErrnoName,
  type ScalarKind,
  type StructFields,
} from "@kvmkit/guest-kernel/abi";
import { isPointedScalar } from "../argument-types.js";
import { sizeField, structLayout } from "../struct-layout.js";
import {
  argumentOf,
  commentLines,
  describeType,
  enumPrefix,
  enumsOf,
  enumsOfStruct,
  type GuestInterface,
  hex,
  impliedErrors,
  madeFrom,
  type NamedEnum,
  type NumberedCall,
  type PluginSection,
  sectionsOf,
  uniqueName,
} from "./guest-interface.js";

/** `hypercalls.h`. */
export function cHeader(plugins: GuestInterface): string {
  const sections = sectionsOf(plugins);
  return [
    `/* ${madeFrom(sections)} */`,
    PROLOGUE,
    errorNumbers(sections),
    ...callFunctions(sections),
    ...sections.map(sectionText),
    "#endif\n",
  ].join("\n");
}

const PROLOGUE = `#ifndef KVMKIT_HYPERCALLS_H
#define KVMKIT_HYPERCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__) || defined(__ILP32__)
#error "hypercalls are for x86-64 programs with 64-bit pointers"
#endif

#if defined(__cplusplus)
#define KVMKIT_ASSERT(condition, text) static_assert(condition, text)
#else
#define KVMKIT_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* Whether a hypercall failed: its result is then a negative error number, such as -EINVAL. */
static inline bool kvmkit_failed(int64_t result) { return result < 0 && result >= -4095; }

static inline int64_t kvmkit_bits_of(double value)
{
  int64_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}
`;

/** Only those that a hypercall here can give; a hosted program may have them from <errno.h> already. */
function errorNumbers(sections: readonly PluginSection[]): string {
  const names = new Set<string>(["ENOSYS"]);
  for (const { row } of sections.flatMap(({ calls }) => calls)) {
    for (const name of [...row.errors, ...impliedErrors(row)]) names.add(name);
  }
  const rows = [...names].map((name) => [name, ERRNO[name as ErrnoName]] as const);
  return rows
    .sort(([, a], [, b]) => a - b)
    .map(([name, value]) => `#ifndef ${name}\n#define ${name} ${value}\n#endif\n`)
    .join("");
}

/** Operands of the inline system call, by argument; the last three have no letter of their own. */
const LETTERS = ["D", "S", "d"];
const REGISTERS = ["r10", "r8", "r9"];

function callFunctions(sections: readonly PluginSection[]): string[] {
  const counts = sections.flatMap(({ calls }) => calls.map(({ row }) => parametersOf(row).registers.length));
  return [...new Set(counts)].sort().map(callFunction);
}

function callFunction(count: number): string {
  const args = Array.from({ length: count }, (_, index) => `a${index + 1}`);
  const parameters = ["int64_t nr", ...args.map((name) => `int64_t ${name}`)].join(", ");
  const bound = args
    .slice(LETTERS.length)
    .map(
      (name, index) => `  register int64_t ${REGISTERS[index]} __asm__("${REGISTERS[index]}") = ${name};\n`,
    );
  const operands = args.map((name, index) => `"${LETTERS[index] ?? "r"}"(${REGISTERS[index - 3] ?? name})`);
  return `static inline int64_t kvmkit_call${count}(${parameters})
{
  int64_t result;
${bound.join("")}  __asm__ volatile("syscall"
                   : "=a"(result)
                   : ${['"0"(nr)', ...operands].join(", ")}
                   : "rcx", "r11", "memory");
  return result;
}
`;
}

function sectionText({ plugin, calls, structs, handles }: PluginSection): string {
  const title = commentLines(`${plugin.name} ${plugin.version}${plugin.doc === "" ? "" : `: ${plugin.doc}`}`);
  return [
    `/* ---- ${title.join("\n * ")} */\n`,
    ...handles.map((of) => `/* Stands for a ${of} that the host keeps. */\ntypedef uint32_t ${of}_handle;\n`),
    ...[...structs].map(([name, fields]) => structText(name, fields)),
    ...calls.map(callText),
    ...(plugin.definition.guest?.c === undefined ? [] : [`${plugin.definition.guest.c.trimEnd()}\n`]),
  ].join("\n");
}

function structText(name: string, fields: StructFields): string {
  const { sizeBytes, offsets } = structLayout(fields);
  const members = Object.entries(fields).flatMap(([field, type]) => [
    declare(cType(argumentOf(type)), safe(field)),
    ...(typeof type === "object" && type.kind === "buffer" ? [`uint64_t ${sizeField(field)}`] : []),
  ]);
  const asserts = Object.entries(offsets).map(
    ([field, offset]) =>
      `KVMKIT_ASSERT(offsetof(struct ${safe(name)}, ${safe(field)}) == ${offset}, "${name}.${field}");\n`,
  );
  const declared = members.map((member) => `  ${member};\n`).join("");
  return `${enumConstants(enumsOfStruct(name, fields))}struct ${safe(name)} {\n${declared}};\nKVMKIT_ASSERT(sizeof(struct ${safe(name)}) == ${sizeBytes}, "${name}");\n${asserts.join("")}`;
}

interface Parameter {
  readonly declaration: string;
  readonly doc: string;
}

interface Parameters {
  readonly list: readonly Parameter[];
  /** One C expression of type int64_t for each register. */
  readonly registers: readonly string[];
  /** Where a result that is no integer goes. */
  readonly resultPointer: string | undefined;
}

function parametersOf(row: NumberedCall["row"]): Parameters {
  const taken = new Set<string>();
  for (const name of Object.keys(row.args)) taken.add(safe(name));
  const list: Parameter[] = [];
  const registers: string[] = [];
  for (const [argument, type] of Object.entries(row.args)) {
    const name = safe(argument);
    list.push({ declaration: declare(cType(type), name), doc: `${name}  ${describeType(type)}` });
    registers.push(register(type, name));
    if (type.kind !== "buffer") continue;
    const size = uniqueName(`${argument}_size`, taken);
    list.push({ declaration: `size_t ${size}`, doc: `${size}  bytes at ${name}` });
    registers.push(`(int64_t)${size}`);
  }
  if (row.returns.kind !== "f64") return { list, registers, resultPointer: undefined };
  const resultPointer = uniqueName("result", taken);
  list.push({ declaration: `double *${resultPointer}`, doc: `${resultPointer}  gets the result` });
  return { list, registers, resultPointer };
}

function callText({ nr, row }: NumberedCall): string {
  const { list, registers, resultPointer } = parametersOf(row);
  const name = safe(row.name);
  const call = `kvmkit_call${registers.length}(${[`KVMKIT_NR_${row.name}`, ...registers].join(", ")})`;
  const body = resultPointer === undefined ? `  return ${call};\n` : resultThrough(resultPointer, call);
  const doc = [
    ...commentLines(row.doc),
    ...list.map((parameter) => `@param ${parameter.doc}`),
    `@return ${describeResult(row)}`,
    ...(row.errors.length === 0 ? [] : [`Errors of its own: ${row.errors.join(", ")}.`]),
    `Errors of any such call: ${impliedErrors(row).join(", ")}.`,
  ];
  const parameters = list.map(({ declaration }) => declaration).join(", ") || "void";
  return `#define KVMKIT_NR_${row.name} ${hex(nr)}
${enumConstants(enumsOf(row))}/**
${doc.map((line) => ` * ${line}\n`).join("")} */
static inline int64_t ${name}(${parameters})
{
${body}}
`;
}

function enumConstants(enums: readonly NamedEnum[]): string {
  return enums
    .flatMap(({ type, prefix }) =>
      Object.entries(type.values).map(
        ([name, value]) =>
          `#define ${prefix}_${name.toUpperCase()} ((${C_SCALARS[type.repr]})${cInteger(value)})\n`,
      ),
    )
    .join("");
}

const cInteger = (value: number): string => (Math.abs(value) > 0x7fff_ffff ? `${value}LL` : `${value}`);

function describeResult({ name, returns }: NumberedCall["row"]): string {
  if (returns.kind === "f64") return "0, or a negative error number (see kvmkit_failed)";
  const what =
    returns.kind === "enum" ? `${enumPrefix(name, "result")}_*` : C_SCALARS[returns.kind as ScalarKind];
  return `${what}, or a negative error number (see kvmkit_failed)`;
}

const resultThrough = (pointer: string, call: string): string => `  int64_t kvmkit_bits = ${call};
  if (kvmkit_failed(kvmkit_bits)) return kvmkit_bits;
  __builtin_memcpy(${pointer}, &kvmkit_bits, sizeof *${pointer});
  return 0;
`;

const C_SCALARS: Readonly<Record<ScalarKind, string>> = {
  u8: "uint8_t",
  u16: "uint16_t",
  u32: "uint32_t",
  u64: "uint64_t",
  i8: "int8_t",
  i16: "int16_t",
  i32: "int32_t",
  i64: "int64_t",
  bool: "bool",
  f64: "double",
  pointer: "const void *",
};

/** The parameter's type; the second register of a buffer is its size. */
function cType(type: ArgumentType): string {
  switch (type.kind) {
    case "cstring":
      return "const char *";
    case "buffer":
      return type.direction === "in" ? "const void *" : "void *";
    case "enum":
      return C_SCALARS[type.repr];
    case "handle":
      return `${type.of}_handle`;
    case "struct": {
      const target = isPointedScalar(type) ? C_SCALARS[type.name as ScalarKind] : `struct ${safe(type.name)}`;
      if (target.endsWith("*")) return type.direction === "in" ? `${target}const *` : `${target}*`;
      return type.direction === "in" ? `const ${target} *` : `${target} *`;
    }
    default:
      return C_SCALARS[type.kind];
  }
}

const declare = (type: string, name: string): string =>
  type.endsWith("*") ? `${type}${name}` : `${type} ${name}`;

function register(type: ArgumentType, name: string): string {
  if (cType(type).endsWith("*")) return `(int64_t)(intptr_t)${name}`;
  const kind = type.kind === "enum" ? type.repr : type.kind;
  return kind === "f64" ? `kvmkit_bits_of(${name})` : `(int64_t)${name}`;
}

/** Words of C23 and C++23, which no function or parameter can be called. */
const KEYWORDS = new Set(
  `alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class co_await
  co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype default delete do
  double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace
  new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
  restrict return short signed sizeof static static_assert static_cast struct switch template this thread_local throw
  true try typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t while xor
  xor_eq`.split(/\s+/),
);

/** A keyword gets an underscore. */
const safe = (name: string): string => (KEYWORDS.has(name) ? `${name}_` : name);
