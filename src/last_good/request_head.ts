import { FieldMap, type Fields, NO_FIELDS } from "../http/fields.ts";

/**
 * One request as it is asked for: what the rules look at, without a `Request` having to be made of
 * `fetch`'s arguments, which costs more than all the rest.
 */
export interface RequestHead {
  /** In upper case. */
  readonly method: string;
  /** Origin, path and query: nothing dropped, sorted or lower-cased beyond what the URL parser does. */
  readonly url: string;
  /** The origin of the URL. */
  readonly origin: string;
  readonly headers: Fields;
  /** Whether it has a body. */
  readonly hasBody: boolean;
  /** Whether its URL has credentials in it. */
  readonly hasUserInfo: boolean;
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined;
  /** Whether nobody can have aborted yet, as it has just come from a server. */
  readonly justArrived?: boolean;
  /** The request for callbacks: without its body, which belongs to the upstream alone. */
  toRequest(): Request;
}

/** What `fetch(input, init)` asks for. @throws {TypeError} If the URL is not one. */
export function fetchHead(input: RequestInfo | URL, init: RequestInit | undefined): RequestHead {
  const request = isRequest(input) ? input : undefined;
  const address = addressOf(request === undefined ? String(input) : request.url);
  const signal = init?.signal === undefined ? request?.signal : init.signal;
  return new ParsedHead(
    init?.method ?? request?.method ?? "GET",
    address,
    init?.headers === undefined ? request?.headers : new Headers(init.headers),
    (init?.body ?? request?.body ?? undefined) !== undefined,
    signal ?? undefined,
    undefined,
  );
}

/** What a request that came in asks for. */
export function requestHead(request: Request, hasJustCome: boolean): RequestHead {
  const { method, url, headers } = request;
  return new ParsedHead(method, addressOf(url), headers, undefined, request, request, hasJustCome);
}

class ParsedHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly origin: string;
  readonly headers: Fields;
  readonly hasBody: boolean;
  readonly hasUserInfo: boolean;
  readonly justArrived: boolean;
  readonly #headers: Headers | undefined;
  #signal: AbortSignal | { readonly signal: AbortSignal } | undefined;
  #request: Request | undefined;

  /**
   * @param hasBody Undefined if it is to be seen in the fields.
   * @param signal The caller's, or where to find it.
   * @param request The request as it came.
   * @param hasJustCome Whether nobody can have aborted yet.
   */
  constructor(
    method: string,
    { url, origin, hasUserInfo }: Address,
    headers: Headers | undefined,
    hasBody: boolean | undefined,
    signal: AbortSignal | { readonly signal: AbortSignal } | undefined,
    request: Request | undefined,
    hasJustCome = false,
  ) {
    this.justArrived = hasJustCome;
    this.method = method.toUpperCase();
    this.url = url;
    this.origin = origin;
    this.hasUserInfo = hasUserInfo;
    this.headers = headers === undefined ? NO_FIELDS : new FieldMap(headers);
    this.hasBody = hasBody ?? mayHaveBody(this);
    this.#headers = headers;
    this.#signal = signal;
    // Callbacks get none with a body: that belongs to the upstream.
    this.#request = this.hasBody ? undefined : request;
  }

  /** Looked up only for a call: servers make it when it is asked for. */
  get signal(): AbortSignal | undefined {
    if (this.#signal !== undefined && "signal" in this.#signal) this.#signal = this.#signal.signal;
    return this.#signal;
  }

  toRequest(): Request {
    const headers = this.#headers ?? {};
    return this.#request ??= new Request(this.url, { method: this.method, headers });
  }
}

/** RFC 9112 §6: these fields tell whether there is a body. To ask a request for it can be dear. */
function mayHaveBody({ method, headers }: Pick<RequestHead, "method" | "headers">): boolean {
  return (method !== "GET" && method !== "HEAD") || headers.has("transfer-encoding") ||
    (headers.get("content-length") ?? "0") !== "0";
}

/** What matters of a URL. */
type Address = Pick<RequestHead, "url" | "origin" | "hasUserInfo">;

/** Addresses asked for lately: to find one takes less, and leaves less behind, than to parse it. */
const recentAddresses = new Map<string, Address>();
const MAX_RECENT = 256;
const MAX_RECENT_LENGTH = 1_024;

function addressOf(text: string): Address {
  const known = recentAddresses.get(text);
  if (known !== undefined) return known;
  const { href, origin, username, password } = new URL(text);
  const hasUserInfo = username !== "" || password !== "";
  // It is cut, not put together: the parts do not tell `/?` from `/`.
  const end = href.indexOf("#");
  const whole = end < 0 ? href : href.slice(0, end);
  // Credentials would show in events; the parser has escaped every other "@" before the path.
  const url = hasUserInfo ? whole.replace(/^([^/?]*:\/\/)[^/?]*@/, "$1") : whole;
  const address = { url, origin, hasUserInfo };
  // Nor are they to lie about.
  if (hasUserInfo || text.length > MAX_RECENT_LENGTH) return address;
  if (recentAddresses.size >= MAX_RECENT) recentAddresses.clear();
  recentAddresses.set(text, address);
  return address;
}

function isRequest(input: RequestInfo | URL): input is Request {
  return typeof input === "object" && "url" in input && "headers" in input;
}
