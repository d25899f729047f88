/**
 * HTTP for a program that has no network: the host fetches for it, and only what a list allows.
 *
 * The handlers are asynchronous: the program waits, the host's event loop does not. Each hop of a redirect is held against
 * the list anew, what comes back is bounded while it arrives, and a request ends with the run.
 */
import { definePlugin, errno, t } from "@kvmkit/hypervisor";
import { AllowList } from "./allow-list.js";
import { checkOptions } from "./options.js";
import { type Answer, type Asked, exchange } from "./request.js";

const MAX_URL = 2048;
const MAX_BODY = 16 * 2 ** 20;

const info = t.struct("http_info", { status: "u32", redirects: "u32", body_size: "u64" });

export default definePlugin({
  name: "http",
  version: "1.0.0",
  abi: 1,
  doc: "HTTP requests to the places that the manifest lists.",
  options: checkOptions,
  state: ({ options }) => ({ allowList: new AllowList(options.allow), count: 0 }),
  hypercalls: {
    http_get: {
      doc: "Fetches `url`. The body goes into `body`, what the server said into `info`; the result is the body's size. A status such as 404 is no error.",
      args: { url: t.cstring(MAX_URL), body: t.buffer.out(MAX_BODY), info: info.out() },
      returns: t.u32,
      errors: ["EINVAL", "EACCES", "EFBIG", "ELOOP", "ECONNREFUSED", "EDQUOT"],
      // The plugin's own limit is below: options.timeoutMs.
      deadlineMs: 600_000,
      async handleAsync(ctx, { url, body, info }) {
        const response = await request(ctx, { url, method: "GET", room: body.length });
        info.set(response.info);
        return body.write(response.body);
      },
    },
    http_post: {
      doc: "Sends `sent` to `url`; otherwise as http_get. A redirect that would change the method is not followed.",
      args: {
        url: t.cstring(MAX_URL),
        sent: t.buffer.in(MAX_BODY),
        body: t.buffer.out(MAX_BODY),
        info: info.out(),
      },
      returns: t.u32,
      errors: ["EINVAL", "EACCES", "EFBIG", "ELOOP", "ECONNREFUSED", "EDQUOT"],
      deadlineMs: 600_000,
      async handleAsync(ctx, { url, sent, body, info }) {
        // A copy: the program's other threads may write to the buffer while it is sent.
        const content = new Uint8Array(sent.bytes());
        const response = await request(ctx, { url, method: "POST", content, room: body.length });
        info.set(response.info);
        return body.write(response.body);
      },
    },
  },
});

interface RequestContext {
  readonly options: ReturnType<typeof checkOptions>;
  readonly state: { readonly allowList: AllowList; count: number };
  readonly signal: AbortSignal;
}

function request({ options, state, signal }: RequestContext, asked: Asked): Promise<Answer> {
  if (state.count++ >= options.maxRequests) throw errno("EDQUOT");
  return exchange(asked, { allowList: state.allowList, ...options, signal });
}
