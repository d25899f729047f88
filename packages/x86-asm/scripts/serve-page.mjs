/** Serves this package's folder, so that a browser shows docs/page: browsers load no modules from files.
 *
 *   node scripts/serve-page.mjs [port]
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

const server = createServer((request, response) => {
  // An absolute path without `..`: normalized before it is joined, it stays below the root.
  const path = join(root, normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname)));
  const type = TYPES[extname(path)];
  if (type === undefined || !statSync(path, { throwIfNoEntry: false })?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": type });
  createReadStream(path).pipe(response);
});

server.listen(Number(process.argv[2] ?? 8080), "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}/docs/page/index.html\n`);
});
