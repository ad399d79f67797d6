import { FieldMap, type Fields, NO_FIELDS } from "../http/fields.ts";
import { fetchAddress } from "./address.ts";
import { initMembers, readable } from "./init_members.ts";

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
  /**
   * True if the app itself sends it, by `fetch`; false if it came from a client, who is trusted
   * less (F4).
   */
  readonly isOutgoing: boolean;
  /** The `cache` member of its arguments; undefined if it is missing or "default" (S3, F4). */
  readonly cacheMode?: string | undefined;
  /**
   * What makes it doubtful which page is meant: a URL that is not what the parser makes of it, or
   * another host in `Host`; undefined if nothing does (K1).
   */
  readonly doubt?: "url" | "host" | undefined;
  /**
   * What belongs to the key besides the URL and the fields: other arguments of `fetch` (K6), or the
   * host as a client wrote it (K1). "" for nothing; null if it cannot be compared: then nothing is
   * kept or served.
   */
  readonly extraKey?: string | null;
  /** True if the caller says which digest the body must have: only `fetch` can check that. */
  readonly hasIntegrity?: boolean;
  /** The caller's own signal; undefined if there is none. */
  readonly signal: AbortSignal | undefined;
  /** True if it has just come from a server, so that its caller cannot have aborted it yet. */
  readonly justArrived?: boolean;
  /** Copies what may change from now on, as the app gets the request itself. */
  takeDown?(): void;
  /** The request for callbacks, without its body: only the upstream may read that. */
  toRequest(): Request;
}

/**
 * Returns the head of the request that `fetch(input, init)` would send. Its URL is empty if it is
 * relative to something that only the `fetch` in use knows.
 *
 * @param rest Further arguments of a `fetch` of the app's own; undefined for the global one.
 * @throws {TypeError} If the URL or a field is not valid.
 */
export function fetchHead(
  input: string | URL | Request,
  init: RequestInit | undefined,
  rest?: readonly unknown[],
): RequestHead {
  return new OutgoingHead(input, init, rest);
}

class OutgoingHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly origin: string;
  readonly headers: Fields;
  readonly hasBody: boolean;
  readonly hasUserInfo: boolean;
  readonly isOutgoing = true;
  readonly cacheMode: string | undefined;
  readonly extraKey: string | null;
  readonly hasIntegrity: boolean;
  readonly signal: AbortSignal | undefined;
  readonly #headers: Headers | undefined;
  readonly #cf: unknown;
  readonly #resolved: string | undefined;
  #request: Request | undefined;

  constructor(
    input: string | URL | Request,
    init: WorkersInit | undefined,
    rest: readonly unknown[] | undefined,
  ) {
    const request: WorkersRequest | undefined = isRequest(input) ? input : undefined;
    const address = fetchAddress(request === undefined ? String(input) : request.url);
    const headers = headersOf(init?.headers ?? request?.headers);
    const signal = init?.signal === undefined ? request?.signal : init.signal;
    this.method = String(init?.method ?? request?.method ?? "GET").toUpperCase();
    this.url = address.url;
    this.origin = address.origin;
    this.headers = headers === undefined ? NO_FIELDS : new FieldMap(headers);
    // Looking at the body of a Request would change how Deno sends it; a GET cannot have one.
    this.hasBody = (init?.body ?? undefined) !== undefined ||
      (request !== undefined && this.method !== "GET" && this.method !== "HEAD");
    this.hasUserInfo = address.hasUserInfo;
    this.cacheMode = cacheModeOf(
      init?.cache ?? readable(request, "cache"),
      init?.mode ?? readable(request, "mode"),
    );
    this.extraKey = initMembers(init, request, rest);
    this.hasIntegrity = Boolean(init?.integrity ?? request?.integrity);
    this.signal = isSignal(signal) ? signal : undefined;
    this.#headers = headers;
    this.#cf = init?.cf ?? request?.cf;
    this.#resolved = address.resolved;
  }

  toRequest(): Request {
    const url = this.#resolved ?? this.url;
    return this.#request ??= bodiless(url, this.method, this.#headers, this.#cf);
  }
}

/** In any other mode, `fetch` itself refuses `only-if-cached`: that is left to it. */
function cacheModeOf(cache: unknown, mode: unknown): string | undefined {
  if (typeof cache !== "string" || cache === "default") return undefined;
  return cache === "only-if-cached" && mode !== "same-origin" ? undefined : cache;
}

/** What Workers add. */
type WorkersInit = RequestInit & { readonly cf?: unknown };
type WorkersRequest = Request & { readonly cf?: unknown };

/**
 * Reports whether `input` is a request, of whatever class: other realms and packages have their
 * own.
 */
export function isRequest(input: unknown): input is Request {
  return typeof input === "object" && input !== null && "url" in input && "headers" in input;
}

/** Makes a request without a body, with the `cf` of Workers if there is one. */
export function bodiless(
  url: string,
  method: string,
  headers: Headers | undefined,
  cf: unknown,
): Request {
  if (cf === undefined) return new Request(url, { method, headers: headers ?? {} });
  const request = new Request(url, { method, headers: headers ?? {}, cf } as RequestInit);
  return "cf" in request ? request : Object.defineProperty(request, "cf", { value: cf });
}

/** The fields of a request: as they are if they are `Headers`, of whatever class. */
function headersOf(given: HeadersInit | null | undefined): Headers | undefined {
  if (given === undefined || given === null) return undefined;
  const { forEach, append } = given as Partial<Headers>;
  return typeof forEach === "function" && typeof append === "function"
    ? given as Headers
    : new Headers(given);
}

/**
 * Reports whether `signal` is one, of whatever class. Anything else is left to `fetch`, which
 * refuses it.
 */
export function isSignal(signal: AbortSignal | null | undefined): signal is AbortSignal {
  return typeof signal?.addEventListener === "function";
}
