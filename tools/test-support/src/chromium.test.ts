import test from "ava";
import { CHROMIUM, withPage } from "./chromium.js";
import { toolTest } from "./index.js";

const page = (html: string): string => `data:text/html,${encodeURIComponent(html)}`;

toolTest(
  "a page has run its scripts, and answers with values and promises of values",
  CHROMIUM,
  async (t) => {
    const html = `<p id="p">before</p><script>document.getElementById("p").textContent = "after"</script>`;
    await withPage(page(html), async ({ evaluate, errors }) => {
      t.is(await evaluate(`document.getElementById("p").textContent`), "after");
      t.deepEqual(await evaluate("new Promise((done) => setTimeout(done, 1, { a: [1, null] }))"), {
        a: [1, null],
      });
      t.deepEqual(errors, []);
    });
  },
);

toolTest(
  "what the page throws is an error of its own, and what an expression throws is the caller's",
  CHROMIUM,
  async (t) => {
    const html = `<script>console.error("one", 2); throw new TypeError("three")</script>`;
    await withPage(page(html), async ({ evaluate, errors }) => {
      await t.throwsAsync(evaluate("nothing.here"), { message: /ReferenceError: nothing is not defined/ });
      t.is(errors.length, 2);
      t.is(errors[0], "one 2");
      t.regex(errors[1]!, /^TypeError: three\n/);
    });
  },
);

toolTest("a page that cannot be opened says why", CHROMIUM, async (t) => {
  const gone = withPage("file:///nowhere/at-all.html", async () => {});
  await t.throwsAsync(gone, { message: "file:///nowhere/at-all.html: net::ERR_FILE_NOT_FOUND" });
});

test("a browser that is not there is an error", async (t) => {
  const path = process.env["PATH"];
  process.env["PATH"] = "";
  const gone = withPage(page(""), async () => {});
  await t.throwsAsync(gone, { code: "ENOENT" });
  process.env["PATH"] = path;
});
