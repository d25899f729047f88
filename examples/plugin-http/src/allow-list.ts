/**
 * Which URLs may be fetched. Entries and requests are both read by the WHATWG URL parser, the one that `fetch` uses, so
 * that no spelling (case, default port, `..`, `%2e%2e`, credentials, backslashes) means one thing here and another there.
 */

export class AllowList {
  readonly #entries: readonly URL[];

  /** Errors: Error for an entry that is no http or https URL, or that says more than where. */
  constructor(entries: readonly string[]) {
    this.#entries = entries.map(entryOf);
  }

  /** Whether `url` lies at or below an entry: the same scheme, host and port, and a path in its folder. */
  allows(url: URL): boolean {
    if (url.username !== "" || url.password !== "") return false;
    return this.#entries.some(
      ({ origin, pathname }) => url.origin === origin && isBelow(url.pathname, pathname),
    );
  }
}

function entryOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new Error(`allow: ${JSON.stringify(text)} is no http or https URL`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new Error(`allow: ${JSON.stringify(text)} must be scheme, host, port and path only`);
  }
  return url;
}

/** `/v1` allows `/v1` and `/v1/x`, not `/v10`. An encoded slash or dot is not decoded by the parser: it is refused. */
function isBelow(path: string, folder: string): boolean {
  if (/%2f|%5c|%2e/i.test(path)) return false;
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
