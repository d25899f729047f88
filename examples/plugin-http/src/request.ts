/** One request with its redirects, bounded in time, hops and bytes. */
import { Errno, errno } from "@kvmkit/hypervisor";
import type { AllowList } from "./allow-list.js";

export interface Asked {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly content?: Uint8Array;
  /** Bytes that the answer's body may have. */
  readonly room: number;
}

export interface Bounds {
  readonly allowList: AllowList;
  readonly timeoutMs: number;
  readonly maxRedirects: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly info: { readonly status: number; readonly redirects: number; readonly body_size: bigint };
  readonly body: Uint8Array;
}

/** Errors: Errno: EINVAL, EACCES, ELOOP, EFBIG, ETIMEDOUT, EINTR, ECONNREFUSED. */
export async function exchange(asked: Asked, bounds: Bounds): Promise<Answer> {
  const timeout = AbortSignal.timeout(bounds.timeoutMs);
  const signal = AbortSignal.any([bounds.signal, timeout]);
  try {
    const { response, redirects } = await follow(asked, bounds, signal);
    const body = await readBody(response, asked.room);
    return { info: { status: response.status, redirects, body_size: BigInt(body.length) }, body };
  } catch (error) {
    if (error instanceof Errno) throw error;
    if (bounds.signal.aborted) throw errno("EINTR");
    if (timeout.aborted) throw errno("ETIMEDOUT");
    // What fetch says of names, routes and TLS is for the host's log; to the program it is one thing.
    throw errno("ECONNREFUSED");
  }
}

async function follow(
  { url: first, method, content }: Asked,
  { allowList, maxRedirects }: Bounds,
  signal: AbortSignal,
): Promise<{ readonly response: Response; readonly redirects: number }> {
  let url = URL.canParse(first) ? new URL(first) : undefined;
  for (let redirects = 0; ; redirects++) {
    if (url === undefined) throw errno("EINVAL");
    if (!allowList.allows(url)) throw errno("EACCES");
    const response = await fetch(url, {
      method,
      // By hand: the list is asked before a connection is made.
      redirect: "manual",
      signal,
      ...(content === undefined ? {} : { body: content }),
    });
    const location = redirectOf(response, method);
    if (location === undefined) return { response, redirects };
    await response.body?.cancel();
    if (redirects === maxRedirects) throw errno("ELOOP");
    url = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  }
}

/** RFC 9110, "Redirection 3xx": 301, 302 and 303 may turn a POST into a GET, which the program did not ask for. */
function redirectOf({ status, headers }: Response, method: Asked["method"]): string | undefined {
  const follows = method === "GET" ? [301, 302, 303, 307, 308] : [307, 308];
  return follows.includes(status) ? (headers.get("location") ?? undefined) : undefined;
}

/** The body, and not a byte more than there is room for: a length that the server promises is only a promise. */
async function readBody(response: Response, room: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    // Leaving the loop cancels the stream, and with it the connection.
    if (length > room) throw errno("EFBIG");
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
