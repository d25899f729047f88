/**
 * A page in headless Chromium, driven by the DevTools protocol over a pair of pipes: no port, no dependency, and a
 * test waits for what the page says rather than for a time.
 *
 * Sources: Chrome DevTools Protocol, "Target", "Runtime", "Page"; chromium's --remote-debugging-pipe takes messages on
 * descriptor 3 and answers on 4, JSON with a NUL behind each.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** For `toolTest`: program name to Debian package. */
export const CHROMIUM = { chromium: "chromium" } as const;

export interface BrowserPage {
  /**
   * The value of an expression in the page, awaited where it is a promise; what JSON can carry.
   * Errors: what the expression throws.
   */
  evaluate<T>(expression: string): Promise<T>;
  /** Exceptions of the page that nobody caught, and what it wrote with console.error, so far. */
  readonly errors: readonly string[];
}

/** Opens `url` (of any scheme), and closes the browser when `body` has ended. Result: what `body` returns. */
export async function withPage<T>(url: string, body: (page: BrowserPage) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), "kvmkit-chromium-"));
  const browser = start(profile);
  const ended = new Promise<void>((resolve) => browser.once("close", () => resolve()));
  const devTools = new DevTools(browser);
  try {
    return await body(await openPage(devTools, url));
  } finally {
    // Asked to close, it ends its helper processes first; killed, it leaves them writing to the profile for a while.
    await devTools.call("Browser.close", {}).catch(() => browser.kill("SIGKILL"));
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 100, retryDelay: 100 });
  }
}

/** Without its sandbox, which root cannot have: pages of tests are our own. */
function start(profile: string): ChildProcess {
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  const args = [...flags, `--user-data-dir=${profile}`, "--remote-debugging-pipe", "about:blank"];
  return spawn("chromium", args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
}

async function openPage(devTools: DevTools, url: string): Promise<BrowserPage> {
  const { targetId } = await devTools.call<{ targetId: string }>("Target.createTarget", {
    url: "about:blank",
  });
  const session = await devTools.call<{ sessionId: string }>("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  const page = new Page(devTools, session.sessionId);
  await page.load(url);
  return page;
}

/** `Page.navigate` answers when the new document is there, which is before its scripts have run. */
const LOADED = `document.readyState === "complete" || new Promise((done) => addEventListener("load", () => done(true)))`;

interface Thrown {
  readonly text: string;
  readonly exception?: { readonly description?: string; readonly value?: unknown };
}

const describe = ({ text, exception }: Thrown): string =>
  exception?.description ?? (exception?.value === undefined ? text : String(exception.value));

class Page implements BrowserPage {
  readonly errors: string[] = [];
  readonly #devTools: DevTools;
  readonly #session: string;

  constructor(devTools: DevTools, session: string) {
    this.#devTools = devTools;
    this.#session = session;
    devTools.on("Runtime.exceptionThrown", ({ exceptionDetails }) => {
      this.errors.push(describe(exceptionDetails as Thrown));
    });
    devTools.on("Runtime.consoleAPICalled", ({ type, args }) => {
      if (type !== "error") return;
      this.errors.push(
        (args as Thrown["exception"][]).map((arg) => describe({ text: "", exception: arg! })).join(" "),
      );
    });
  }

  async load(url: string): Promise<void> {
    await this.#call("Runtime.enable");
    const { errorText } = await this.#call<{ errorText?: string }>("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await this.evaluate(LOADED);
  }

  readonly evaluate = async <T>(expression: string): Promise<T> => {
    const how = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#call<{
      result: { value: T };
      exceptionDetails?: Thrown;
    }>("Runtime.evaluate", how);
    if (exceptionDetails) throw new Error(describe(exceptionDetails));
    return result.value;
  };

  #call<T>(method: string, params: object = {}): Promise<T> {
    return this.#devTools.call<T>(method, params, this.#session);
  }
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

type Listener = (params: Readonly<Record<string, unknown>>) => void;

/** The protocol: calls with answers, and events. */
class DevTools {
  readonly #commands: Writable;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, Listener[]>();
  #calls = 0;
  #rest = "";
  #lost: Error | undefined;

  constructor(browser: ChildProcess) {
    this.#commands = browser.stdio[3] as Writable;
    const answers = browser.stdio[4] as Readable;
    answers.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    // A browser that ends shows as calls without an answer.
    this.#commands.on("error", () => {});
    browser.once("error", (error) => this.#lose(error));
    browser.once("exit", (code, signal) => this.#lose(new Error(`chromium ended: ${signal ?? code}`)));
  }

  call<T>(method: string, params: object, sessionId?: string): Promise<T> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = ++this.#calls;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      this.#commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  on(method: string, listener: Listener): void {
    this.#listeners.set(method, [...(this.#listeners.get(method) ?? []), listener]);
  }

  #take(text: string): void {
    const messages = (this.#rest + text).split("\0");
    this.#rest = messages.pop()!;
    for (const message of messages) this.#receive(JSON.parse(message) as Message);
  }

  #receive({ id, method, params, result, error }: Message): void {
    if (id === undefined) {
      for (const listener of this.#listeners.get(method!) ?? []) listener(params ?? {});
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  #lose(error: Error): void {
    this.#lost = error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
