/** The page in docs/page, in a real browser. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type BrowserPage, CHROMIUM, toolTest, withPage } from "@kvmkit-internal/test-support";

/** Calls `body` with the page, served as its README says. */
async function onPage(body: (page: BrowserPage) => Promise<void>): Promise<void> {
  const script = fileURLToPath(new URL("../scripts/serve-page.mjs", import.meta.url));
  const server = spawn(process.execPath, [script, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [address] = (await once(createInterface(server.stdout), "line")) as [string];
    await withPage(address, body);
  } finally {
    server.kill();
  }
}

/** What the page shows once `source` has been typed. */
const typed = (source: string) => `(() => {
  const area = document.getElementById("source");
  area.value = ${JSON.stringify(source)};
  area.dispatchEvent(new InputEvent("input"));
  return ${SHOWN};
})()`;

const SHOWN = `({
  summary: document.getElementById("summary").textContent,
  bytes: document.getElementById("bytes").textContent,
  listing: document.getElementById("listing").textContent,
  marks: Array.from(document.querySelectorAll("#underlines mark"), (mark) => mark.textContent),
  errors: Array.from(document.querySelectorAll("#errors li"), (item) => item.textContent),
  underlines: document.getElementById("underlines").textContent,
})`;

interface Shown {
  readonly summary: string;
  readonly bytes: string;
  readonly listing: string;
  readonly marks: readonly string[];
  readonly errors: readonly string[];
  readonly underlines: string;
}

toolTest(
  "the page assembles what is typed: bytes, listing, errors underlined, in each dialect and mode",
  CHROMIUM,
  async (t) => {
    await onPage(async ({ evaluate, errors }) => {
      const example = await evaluate<Shown>(SHOWN);
      t.is(example.summary, ".text 51 bytes, .data 2 bytes");
      t.deepEqual(example.errors, []);

      const plain = await evaluate<Shown>(typed("start: mov eax, 5\n  jmp start\n.byte 1, 2"));
      t.is(plain.bytes, ".text\nb8 05 00 00 00 eb f9 01 02");
      t.is(
        plain.listing,
        [
          "     1 00000000 b805000000        start: mov eax, 5",
          "     2 00000005 ebf9                jmp start",
          "     3 00000007 0102              .byte 1, 2",
        ].join("\n"),
      );
      t.deepEqual(plain.marks, []);

      const wrong = await evaluate<Shown>(typed("start: mov eax, rbx\n  jmp start\nbogus 1\n"));
      t.is(wrong.summary, "2 errors");
      t.deepEqual(wrong.marks, ["rbx", "bogus"]);
      t.is(wrong.underlines, "start: mov eax, rbx\n  jmp start\nbogus 1\n\n");
      t.deepEqual(wrong.errors, [
        "1:17 there is no mov r32, r64 (did you mean mov eax, ebx?)",
        '3:1 there is no instruction "bogus"',
      ]);
      t.is(wrong.bytes, "");

      const right = await evaluate<Shown>(
        typed("start: mov eax, ebx\n  jmp start\nvaddps zmm1{k2}, zmm2, [rax]{1to16}\n"),
      );
      t.is(right.bytes, ".text\n89 d8 eb fc 62 f1 6c 5a 58 08");
      t.deepEqual([right.marks, right.errors], [[], []]);

      await evaluate(`(() => {
      for (const [id, value] of [["dialect", "nasm"], ["bits", "16"]]) {
        const select = document.getElementById(id);
        select.value = value;
        select.dispatchEvent(new Event("change"));
      }
    })()`);
      const nasm = await evaluate<Shown>(typed("mov ax, [bx+si] ; comment\nmessage db 'hi'"));
      t.is(nasm.bytes, ".text\n8b 00 68 69");
      t.deepEqual(errors, []);
    });
  },
);
