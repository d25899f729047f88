/** The handlers without a machine, against a server on loopback. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { fuzzHypercalls, PluginHarness } from "@kvmkit/hypervisor/testing";
import test from "ava";
import { AllowList } from "./allow-list.js";
import plugin from "./index.js";

const EINTR = -4n;
const EACCES = -13n;
const EINVAL = -22n;
const EFBIG = -27n;
const ELOOP = -40n;
const ETIMEDOUT = -110n;
const ECONNREFUSED = -111n;
const EDQUOT = -122n;

/** What was asked of the server, in order. */
const asked: string[] = [];

const routes: Record<string, RequestListener> = {
  "/api/hello": (_request, response) => response.end("hello"),
  "/api/missing": (_request, response) => response.writeHead(404).end("no such thing"),
  "/api/echo": (request, response) => request.pipe(response),
  "/api/there": (_request, response) => response.writeHead(302, { location: "hello" }).end(),
  "/api/out": (_request, response) => response.writeHead(302, { location: "/secret" }).end(),
  "/api/nowhere": (_request, response) => response.writeHead(302, { location: "http://[" }).end(),
  "/api/loop": (_request, response) => response.writeHead(307, { location: "/api/loop" }).end(),
  "/secret": (_request, response) => response.end("secret"),
  "/api/endless": (_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  },
  "/api/silent": () => {},
  "/api/slow": (_request, response) => void response.write("begins"),
};

let server: Server;
let origin = "";
test.before(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    routes[request.url!.split("?")[0]!]?.(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.after.always(() => {
  server.closeAllConnections();
  server.close();
});

const grants = (options: object = {}) => [
  { plugin, grant: "all" as const, options: { allow: [`${origin}/api/`], ...options } },
];

interface Got {
  readonly result: bigint;
  readonly body: string;
  readonly status: number;
  readonly redirects: number;
}

async function get(url: string, options: object = {}, room = 4096): Promise<Got> {
  using harness = new PluginHarness(grants(options));
  const [body, info] = [harness.allocate(room), harness.allocate(16)];
  const result = (await harness.callAsync("http_get", harness.put(url), body, room, info))!;
  const facts = Buffer.from(harness.read(info, 16));
  return {
    result,
    body: Buffer.from(harness.read(body, result < 0n ? 0 : Number(result))).toString(),
    status: facts.readUInt32LE(0),
    redirects: facts.readUInt32LE(4),
  };
}

test("http_get: the body, its size and the status, also of a refusal", async (t) => {
  t.deepEqual(await get(`${origin}/api/hello?x=1`), { result: 5n, body: "hello", status: 200, redirects: 0 });
  const missing = await get(`${origin}/api/missing`);
  t.deepEqual(missing, { result: 13n, body: "no such thing", status: 404, redirects: 0 });
});

test("http_post: bytes go and come as they are", async (t) => {
  using harness = new PluginHarness(grants());
  const sent = harness.put(new Uint8Array([0, 255, 10, 13]));
  const [body, info] = [harness.allocate(8), harness.allocate(16)];
  const url = harness.put(`${origin}/api/echo`);
  t.is(await harness.callAsync("http_post", url, sent, 4, body, 8, info), 4n);
  t.deepEqual(harness.read(body, 5), new Uint8Array([0, 255, 10, 13, 0]));
});

test("a redirect within the list is followed, one out of it is -EACCES, and nobody is asked there", async (t) => {
  t.like(await get(`${origin}/api/there`), { body: "hello", redirects: 1 });
  t.is((await get(`${origin}/api/out`)).result, EACCES);
  t.is((await get(`${origin}/api/nowhere`)).result, EINVAL);
  t.is((await get(`${origin}/api/loop`, { maxRedirects: 3 })).result, ELOOP);
  t.false(asked.includes("GET /secret"));
  t.is(asked.filter((line) => line === "GET /api/loop").length, 4);
});

test("a POST that is answered with 302 is not turned into a GET", async (t) => {
  using harness = new PluginHarness(grants());
  const [body, info] = [harness.allocate(8), harness.allocate(16)];
  const url = harness.put(`${origin}/api/there`);
  t.is(await harness.callAsync("http_post", url, 0, 0, body, 8, info), 0n);
  t.is(Buffer.from(harness.read(info, 4)).readUInt32LE(), 302);
});

test("a body that does not fit is -EFBIG, also one without an end", async (t) => {
  t.is((await get(`${origin}/api/hello`, {}, 4)).result, EFBIG);
  t.is((await get(`${origin}/api/endless`)).result, EFBIG);
});

test("a server that says nothing, or not all, is -ETIMEDOUT; one that is not there -ECONNREFUSED", async (t) => {
  t.is((await get(`${origin}/api/silent`, { timeoutMs: 50 })).result, ETIMEDOUT);
  t.is((await get(`${origin}/api/slow`, { timeoutMs: 50 })).result, ETIMEDOUT);
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const gone = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/`;
  closed.close();
  await once(closed, "close");
  t.is((await get(gone, { allow: [gone] })).result, ECONNREFUSED);
});

test("a request ends with the run", async (t) => {
  using harness = new PluginHarness(grants());
  const pending = harness.callAsync("http_get", harness.put(`${origin}/api/silent`), 0x1000, 16, 0x2000);
  while (!asked.includes("GET /api/silent")) await wait(1);
  harness.abort();
  t.is(await pending, EINTR);
});

test("after maxRequests it is -EDQUOT", async (t) => {
  using harness = new PluginHarness(grants({ maxRequests: 1 }));
  const call = () => harness.callAsync("http_get", harness.put(`${origin}/api/hello`), 0x8000, 16, 0x9000);
  t.deepEqual([await call(), await call()], [5n, EDQUOT]);
});

const urls: [url: string, allowed: boolean][] = [
  ["https://api.example.com/v1", true],
  ["https://api.example.com/v1/users?x=1#y", true],
  ["HTTPS://API.EXAMPLE.COM:443/v1/", true],
  ["https://api.example.com/v1/a/../b", true],
  ["https://api.example.com/v10", false],
  ["https://api.example.com/", false],
  ["https://api.example.com/v1/../v2", false],
  ["https://api.example.com/v1/%2e%2e/v2", false],
  ["https://api.example.com/v1\\..\\v2", false],
  ["https://api.example.com/v1/..%2fv2", false],
  ["https://api.example.com/v1/%5c..", false],
  ["http://api.example.com/v1", false],
  ["https://api.example.com:8443/v1", false],
  ["https://api.example.com.evil.test/v1", false],
  ["https://api.example.com@evil.test/v1", false],
  ["https://user:secret@api.example.com/v1", false],
  ["https://evil.test/https://api.example.com/v1", false],
  ["file:///v1", false],
  ["data:text/plain,hello", false],
];
for (const [url, allowed] of urls) {
  test(`the list with https://api.example.com/v1 ${allowed ? "allows" : "refuses"} ${url}`, (t) => {
    t.is(new AllowList(["https://api.example.com/v1"]).allows(new URL(url)), allowed);
  });
}

const badOptions: [object, RegExp][] = [
  [{ allow: [] }, /allow must be a list of URLs/],
  [{ allow: ["example.com"] }, /"example\.com" is no http or https URL/],
  [{ allow: ["file:///etc"] }, /"file:\/\/\/etc" is no http or https URL/],
  [{ allow: ["https://a.test/?q"] }, /must be scheme, host, port and path only/],
  [{ timeoutMs: -1 }, /timeoutMs must be a whole number/],
  [{ timeout: 1 }, /unknown option timeout/],
];
for (const [options, message] of badOptions) {
  test(`options are checked: ${JSON.stringify(options)}`, (t) => {
    t.regex(t.throws(() => new PluginHarness(grants(options))).message, message);
  });
}

test("5,000 random calls reach no place that is not on the list", async (t) => {
  const before = asked.length;
  const report = await fuzzHypercalls(grants(), { calls: 5000, seed: 4 });
  t.deepEqual([report.escapes, [...report.handlerFailures]], [[], []]);
  t.true(asked.slice(before).every((line) => line.includes(" /api/")));
});
