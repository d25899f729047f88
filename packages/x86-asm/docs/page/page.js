/** A page that assembles while somebody types: each change is an edit of an AssemblyDocument. */
import { AssemblyDocument } from "../../dist/bundle/incremental/index.js";
import { allInstructions } from "../../dist/bundle/vector/index.js";

const element = (id) => document.getElementById(id);
const source = element("source");
const underlines = element("underlines");

const EXAMPLE = `# Prints the numbers from 9 down to 0.
    .globl _start
_start:
    mov ebx, 9
next:
    lea eax, [rbx + '0']
    mov byte ptr digit[rip], al
    mov eax, 1              # write
    mov edi, 1
    lea rsi, digit[rip]
    mov edx, 2
    syscall
    dec ebx
    jns next
    mov eax, 60             # exit
    xor edi, edi
    syscall

    .data
digit: .ascii "0\\n"
`;

let assembled = open(EXAMPLE);

function open(text) {
  const bits = Number(element("bits").value);
  return new AssemblyDocument(text, {
    dialect: element("dialect").value,
    bits,
    instructions: allInstructions,
  });
}

/** Replaces the lines that differ, and shows what that makes. */
function change() {
  const before = assembled.lines;
  const after = source.value.split("\n");
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd--;
    newEnd--;
  }
  assembled.edit({ line: start + 1, remove: oldEnd - start, insert: after.slice(start, newEnd) });
  show();
}

function show() {
  const { assembly, errors } = assembled;
  underlines.replaceChildren(...underlined(assembled.lines, errors));
  element("errors").replaceChildren(...errors.slice(0, 50).map(errorItem));
  element("bytes").textContent = assembly === undefined ? "" : bytesOf(assembly);
  element("summary").textContent = summary(assembly, errors);
  scroll();
}

function summary(assembly, errors) {
  if (assembly === undefined) return errors.length === 1 ? "1 error" : `${errors.length} errors`;
  const sections = assembly.object.sections.map(({ name, sizeBytes }) => `${name} ${sizeBytes} bytes`);
  return sections.join(", ") || "no bytes";
}

/** The bytes of every section: what refers to other places is relocated later, and 0 here. */
function bytesOf({ object }) {
  return object.sections
    .filter(({ bytes }) => bytes.length > 0)
    .map(({ name, bytes }) => {
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
      return `${name}\n${hex.join(" ")}`;
    })
    .join("\n\n");
}

/** The listing of the lines that can be seen. */
function scroll() {
  underlines.scrollTop = source.scrollTop;
  underlines.scrollLeft = source.scrollLeft;
  const { assembly, lines } = assembled;
  const height = Number.parseFloat(getComputedStyle(source).lineHeight);
  const from = Math.min(lines.length, 1 + Math.floor(source.scrollTop / height));
  const to = Math.min(lines.length, from + Math.ceil(source.clientHeight / height));
  element("listing").textContent = assembly === undefined ? "" : assembly.listing({ from, to });
}

/** The text, with a mark around what each error is about. */
function underlined(lines, errors) {
  const byLine = new Map();
  for (const { line, column, length } of errors) {
    if (line !== undefined) byLine.set(line, [...(byLine.get(line) ?? []), { column, length }]);
  }
  const nodes = [];
  lines.forEach((text, i) => {
    let at = 0;
    for (const { column, length } of (byLine.get(i + 1) ?? []).sort((a, b) => a.column - b.column)) {
      const start = Math.max(at, column - 1);
      const end = Math.max(start, Math.min(text.length, column - 1 + length));
      const mark = document.createElement("mark");
      mark.textContent = text.slice(start, end) || " ";
      nodes.push(text.slice(at, start), mark);
      at = end;
    }
    nodes.push(`${text.slice(at)}\n`);
  });
  return nodes;
}

function errorItem({ line, column, message, hint }) {
  const item = document.createElement("li");
  item.textContent = `${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`;
  item.addEventListener("click", () => {
    const start = assembled.lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, column - 1);
    source.focus();
    source.setSelectionRange(start, start);
  });
  return item;
}

source.value = EXAMPLE;
source.addEventListener("input", change);
source.addEventListener("scroll", scroll);
for (const id of ["dialect", "bits"]) {
  element(id).addEventListener("change", () => {
    assembled = open(source.value);
    show();
  });
}
show();
