/** Makes dist/index.html: the page with all of its code in it, so that a double click opens it. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ["dist/page.js"],
  bundle: true,
  write: false,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  loader: { ".s": "text" },
});

// A module in a file of its own could not be read from a file: URL.
const html = readFileSync(join(root, "index.html"), "utf8");
const script = `<script type="module">${outputFiles[0].text}</script>`;
writeFileSync(
  join(root, "dist/index.html"),
  html.replace("<!-- page.js -->", () => script),
);
