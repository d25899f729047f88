/**
 * A Rust module, `no_std`: a function for each hypercall that takes slices, references and C strings, so that no
 * length or lifetime is the caller's to get right, and returns a `Result`.
 */
import {
  type ArgumentType,
  ERRNO,
  type ErrnoName,
  type ScalarKind,
  type StructField,
  type StructFields,
} from "@kvmkit/guest-kernel/abi";
import { isPointedScalar } from "../argument-types.js";
import { sizeField, structLayout } from "../struct-layout.js";
import {
  commentLines,
  describeType,
  type EnumType,
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
} from "./guest-interface.js";

/** `hypercalls.rs`. */
export function rustModule(plugins: GuestInterface): string {
  const sections = sectionsOf(plugins);
  return [`// ${madeFrom(sections)}`, PROLOGUE, errorNumbers(sections), ...sections.map(sectionText)].join(
    "\n",
  );
}

const PROLOGUE = `#![allow(dead_code, non_camel_case_types, clippy::all)]

use core::arch::asm;
use core::ffi::{c_void, CStr};

/// A number of errno(3).
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// # Safety
/// What the arguments mean is up to the hypercall.
#[inline(always)]
pub unsafe fn syscall(nr: u32, args: [u64; 6]) -> Result<u64, Errno> {
    let result: i64;
    asm!(
        "syscall",
        inlateout("rax") nr as u64 => result,
        in("rdi") args[0],
        in("rsi") args[1],
        in("rdx") args[2],
        in("r10") args[3],
        in("r8") args[4],
        in("r9") args[5],
        lateout("rcx") _,
        lateout("r11") _,
        options(nostack),
    );
    if (-4095..0).contains(&result) { Err(Errno(-result as i32)) } else { Ok(result as u64) }
}
`;

function errorNumbers(sections: readonly PluginSection[]): string {
  const names = new Set<string>(["ENOSYS"]);
  for (const { row } of sections.flatMap(({ calls }) => calls)) {
    for (const name of [...row.errors, ...impliedErrors(row)]) names.add(name);
  }
  const rows = [...names]
    .map((name) => [name, ERRNO[name as ErrnoName]] as const)
    .sort(([, a], [, b]) => a - b);
  const constants = rows.map(([name, value]) => `    pub const ${name}: Errno = Errno(${value});\n`);
  return `impl Errno {\n${constants.join("")}}\n`;
}

function sectionText({ plugin, calls, structs, handles }: PluginSection): string {
  const title = commentLines(`${plugin.name} ${plugin.version}${plugin.doc === "" ? "" : `: ${plugin.doc}`}`);
  return [
    `${title.map((line) => `// ${line}\n`).join("")}`,
    ...handles.map(
      (of) =>
        `/// Stands for a ${of} that the host keeps.\n#[repr(transparent)]\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub struct ${of}_handle(pub u32);\n`,
    ),
    ...[...structs].map(([name, fields]) => structText(name, fields)),
    ...calls.map(callText),
    ...(plugin.definition.guest?.rust === undefined ? [] : [`${plugin.definition.guest.rust.trimEnd()}\n`]),
  ].join("\n");
}

function structText(name: string, fields: StructFields): string {
  const members = Object.entries(fields).flatMap(([field, type]) => [
    `    pub ${safe(field)}: ${memberType(name, field, type)},\n`,
    ...(typeof type === "object" && type.kind === "buffer" ? [`    pub ${sizeField(field)}: u64,\n`] : []),
  ]);
  const { sizeBytes } = structLayout(fields);
  return `${enumTypes(enumsOfStruct(name, fields))}#[repr(C)]
#[derive(Clone, Copy, Debug, ${leadsOut(fields) ? "" : "Default, "}PartialEq)]
pub struct ${safe(name)} {
${members.join("")}}
const _: () = assert!(core::mem::size_of::<${safe(name)}>() == ${sizeBytes});
`;
}

/** Whether a struct has what no default can stand for: addresses of the caller's, and handles. */
const leadsOut = (fields: StructFields): boolean =>
  Object.values(fields).some((type) => typeof type === "object" && type.kind !== "enum");

function memberType(struct: string, field: string, type: StructField): string {
  if (typeof type === "string") return fieldType(type);
  switch (type.kind) {
    case "enum":
      return enumName(enumPrefix(struct, field));
    case "handle":
      return `${type.of}_handle`;
    case "cstring":
      return "*const core::ffi::c_char";
    default:
      return type.direction === "in" ? "*const u8" : "*mut u8";
  }
}

/** An address in a struct is a number: a raw pointer has no \`Default\`. */
const fieldType = (kind: ScalarKind): string => (kind === "pointer" ? "u64" : RUST_SCALARS[kind]);

function callText({ nr, row }: NumberedCall): string {
  const constant = `NR_${row.name.toUpperCase()}`;
  const args = Object.entries(row.args);
  const parameters = args.map(([name, type]) => `${safe(name)}: ${parameterType(row, name, type)}`);
  const registers = args.flatMap(([name, type]) => registersOf(safe(name), type));
  const values = Array.from({ length: 6 }, (_, index) => registers[index] ?? "0").join(", ");
  const isUnsafe = args.some(
    ([, type]) => type.kind === "pointer" || (type.kind === "struct" && leadsOut(type.fields)),
  );
  const call = `syscall(${constant}, [${values}])`;
  const paragraphs = [
    commentLines(row.doc),
    args.map(([name, type]) => `- \`${name}\`: ${describeType(type)}`),
    [`Errors: ${[...row.errors, ...impliedErrors(row)].join(", ")}.`],
    isUnsafe ? ["# Safety", "The host may use the addresses."] : [],
  ];
  return `pub const ${constant}: u32 = ${hex(nr)};
${enumTypes(enumsOf(row))}
${docComment(paragraphs)}#[inline]
pub ${isUnsafe ? "unsafe " : ""}fn ${safe(row.name)}(${parameters.join(", ")}) -> Result<${resultType(row)}, Errno> {
    let result = ${isUnsafe ? call : `unsafe { ${call} }`}?;
    Ok(${resultValue(row)})
}
`;
}

const docComment = (paragraphs: readonly (readonly string[])[]): string =>
  paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `/// ${line}\n`).join(""))
    .join("///\n");

/** An open set of named numbers, as the host's answer may be of a newer plugin. */
function enumTypes(enums: readonly NamedEnum[]): string {
  return enums
    .map(({ type, prefix }) => {
      const constants = Object.entries(type.values).map(
        ([name, value]) => `    pub const ${name.toUpperCase()}: Self = Self(${value});\n`,
      );
      return `
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ${enumName(prefix)}(pub ${enumRepr(type)});
impl ${enumName(prefix)} {
${constants.join("")}}
`;
    })
    .join("");
}

const enumName = (prefix: string): string => prefix.toLowerCase();
const enumRepr = (type: EnumType): string => RUST_SCALARS[type.repr];

const RUST_SCALARS: Readonly<Record<ScalarKind, string>> = {
  u8: "u8",
  u16: "u16",
  u32: "u32",
  u64: "u64",
  i8: "i8",
  i16: "i16",
  i32: "i32",
  i64: "i64",
  bool: "bool",
  f64: "f64",
  pointer: "*const c_void",
};

function parameterType(row: NumberedCall["row"], argument: string, type: ArgumentType): string {
  switch (type.kind) {
    case "cstring":
      return "&CStr";
    case "buffer":
      return type.direction === "in" ? "&[u8]" : "&mut [u8]";
    case "enum":
      return `${row.name}_${argument}`.toLowerCase();
    case "handle":
      return `${type.of}_handle`;
    case "struct": {
      const target = isPointedScalar(type) ? fieldType(type.name as ScalarKind) : safe(type.name);
      return `${type.direction === "in" ? "&" : "&mut "}${target}`;
    }
    default:
      return RUST_SCALARS[type.kind];
  }
}

function registersOf(name: string, type: ArgumentType): string[] {
  switch (type.kind) {
    case "cstring":
      return [`${name}.as_ptr() as u64`];
    case "buffer":
      return [`${name}.as_${type.direction === "in" ? "" : "mut_"}ptr() as u64`, `${name}.len() as u64`];
    case "enum":
    case "handle":
      return [`${name}.0 as u64`];
    case "struct":
      return [`${name} as *${type.direction === "in" ? "const" : "mut"} _ as u64`];
    case "f64":
      return [`${name}.to_bits()`];
    default:
      return [`${name} as u64`];
  }
}

const resultType = (row: NumberedCall["row"]): string =>
  row.returns.kind === "enum"
    ? `${row.name}_result`.toLowerCase()
    : RUST_SCALARS[row.returns.kind as ScalarKind];

function resultValue({ name, returns }: NumberedCall["row"]): string {
  switch (returns.kind) {
    case "enum":
      return `${name.toLowerCase()}_result(result as ${enumRepr(returns)})`;
    case "f64":
      return "f64::from_bits(result)";
    case "bool":
      return "result != 0";
    case "u64":
      return "result";
    default:
      return `result as ${RUST_SCALARS[returns.kind as ScalarKind]}`;
  }
}

/** The Rust Reference, "Keywords"; four of them cannot be raw identifiers, so each gets an underscore instead. */
const KEYWORDS = new Set(
  `Self abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if
  impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try type
  typeof union unsafe unsized use virtual where while yield`.split(/\s+/),
);

const safe = (name: string): string => (KEYWORDS.has(name) ? `${name}_` : name);
