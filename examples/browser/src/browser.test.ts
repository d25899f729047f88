/** The page in headless Chromium: opened as a file, without a server and without cross-origin isolation. */
import { type BrowserPage, CHROMIUM, toolTest, withPage } from "@kvmkit-internal/test-support";

const PAGE = new URL("./index.html", import.meta.url).href;

/** Sets both texts, presses Boot, and after `thenDo` waits for the end. Result: what the page shows then. */
function bootInPage(page: BrowserPage, file: string, source?: string, thenDo = ""): Promise<string[]> {
  return page.evaluate(`new Promise((done) => {
    const element = (id) => document.getElementById(id);
    element("file").value = ${JSON.stringify(file)};
    ${source === undefined ? "" : `element("source").value = ${JSON.stringify(source)};`}
    addEventListener("ended", () => done(["status", "output"].map((id) => element(id).textContent)), { once: true });
    element("boot").click();
    ${thenDo}
  })`);
}

toolTest(
  "the os-release example boots in a page and prints the file that the page supplies",
  CHROMIUM,
  async (t) => {
    await withPage(PAGE, async (page) => {
      t.is(await page.evaluate("crossOriginIsolated"), false);
      const file = 'NAME="Chromium"\nPRETTY_NAME="a page, für alle"\n';
      t.deepEqual(await bootInPage(page, file), ["exited with status 0", file]);
      t.deepEqual(await bootInPage(page, "again\n"), ["exited with status 0", "again\n"]);
      t.deepEqual(page.errors, []);
    });
  },
);

toolTest("a guest that never exits leaves the page its turn, and Stop ends it", CHROMIUM, async (t) => {
  await withPage(PAGE, async (page) => {
    const loop = ".globl _start\n_start: jmp _start\n";
    const stop = `setTimeout(() => element("stop").click(), 50);`;
    t.deepEqual(await bootInPage(page, "", loop, stop), ["aborted", ""]);
    t.deepEqual(page.errors, []);
  });
});

toolTest("what is wrong with a program is said in the page", CHROMIUM, async (t) => {
  await withPage(PAGE, async (page) => {
    const [badSource] = await bootInPage(page, "", "_start: mov rax, ebx\n");
    t.regex(badSource!, /program\.s:1:\d+/);
    const [fault] = await bootInPage(page, "", ".globl _start\n_start: mov rax, [0]\n");
    t.is(fault, "killed by SIGSEGV");
  });
});
