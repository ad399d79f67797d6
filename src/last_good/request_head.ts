import { FieldMap, type Fields, NO_FIELDS } from "../http/fields.ts";

/**
 * The part of a request that the rules read. It is taken from the arguments of `fetch` as they are:
 * making a `Request` of them would cost more than everything else a breaker does.
 */
export interface RequestHead {
  /** In upper case. */
  readonly method: string;
  /**
   * Origin, path and query, exactly as the URL parser returns them; no fragment, no credentials.
   * Empty if the parser refuses it: then nothing is kept or served (promise 37).
   */
  readonly url: string;
  /** The origin of the URL. */
  readonly origin: string;
  readonly headers: Fields;
  readonly hasBody: boolean;
  /** True if its URL contains credentials. */
  readonly hasUserInfo: boolean;
  /** The caller's own signal; undefined if there is none. */
  readonly signal: AbortSignal | undefined;
  /** True if it has just come from a server, so that its caller cannot have aborted it yet. */
  readonly justArrived?: boolean;
  /** The request for callbacks, without its body: only the upstream may read that. */
  toRequest(): Request;
}

/**
 * Returns the head of the request that `fetch(input, init)` would send.
 *
 * @throws {TypeError} If the URL is not valid.
 */
export function fetchHead(
  input: string | URL | Request,
  init: RequestInit | undefined,
): RequestHead {
  return new OutgoingHead(input, init);
}

class OutgoingHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly origin: string;
  readonly headers: Fields;
  readonly hasBody: boolean;
  readonly hasUserInfo: boolean;
  readonly signal: AbortSignal | undefined;
  readonly #headers: Headers | undefined;
  #request: Request | undefined;

  constructor(input: string | URL | Request, init: RequestInit | undefined) {
    const request = isRequest(input) ? input : undefined;
    const address = addressOf(request === undefined ? String(input) : request.url);
    const headers = init?.headers === undefined ? request?.headers : new Headers(init.headers);
    this.method = (init?.method ?? request?.method ?? "GET").toUpperCase();
    this.url = address.url;
    this.origin = address.origin;
    this.headers = headers === undefined ? NO_FIELDS : new FieldMap(headers);
    this.hasBody = (init?.body ?? request?.body ?? undefined) !== undefined;
    this.hasUserInfo = address.hasUserInfo;
    this.signal = (init?.signal === undefined ? request?.signal : init.signal) ?? undefined;
    this.#headers = headers;
  }

  toRequest(): Request {
    const { url, method } = this;
    return this.#request ??= new Request(url, { method, headers: this.#headers ?? {} });
  }
}

/** The parts of a URL that the rules read. */
export type Address = Pick<RequestHead, "url" | "origin" | "hasUserInfo">;

/**
 * The last URLs, parsed. A lookup makes no garbage, and on Deno takes 0.005 µs where the parser takes
 * 0.14 µs.
 */
const recentAddresses = new Map<string, Address>();
const MAX_RECENT = 256;
const MAX_RECENT_LENGTH = 1_024;

/**
 * Returns the parts of an absolute URL.
 *
 * @throws {TypeError} If it is not valid.
 */
export function addressOf(text: string): Address {
  const known = recentAddresses.get(text);
  if (known !== undefined) return known;
  const { href, origin, username, password } = new URL(text);
  const hasUserInfo = username !== "" || password !== "";
  // Cut from the whole, as its parts do not distinguish `/?` from `/`.
  const end = href.indexOf("#");
  const whole = end < 0 ? href : href.slice(0, end);
  // Events show URLs, so credentials go; the parser has escaped every other "@" before the path.
  const url = hasUserInfo ? whole.replace(/^([^/?]*:\/\/)[^/?]*@/, "$1") : whole;
  const address = { url, origin, hasUserInfo };
  // Credentials are not remembered.
  if (hasUserInfo || text.length > MAX_RECENT_LENGTH) return address;
  if (recentAddresses.size >= MAX_RECENT) recentAddresses.clear();
  recentAddresses.set(text, address);
  return address;
}

function isRequest(input: string | URL | Request): input is Request {
  return typeof input === "object" && "url" in input && "headers" in input;
}
