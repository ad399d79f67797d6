import type { Fields } from "../http/fields.ts";
import { type Address, addressOf, isHostOf, NO_ADDRESS } from "./address.ts";
import { IncomingFields } from "./incoming_fields.ts";
import { bodiless, type RequestHead } from "./request_head.ts";

/**
 * Returns the head of a request that a server or an app hands over. It may be hardly a request: then
 * its URL is empty, and the handler gets it all the same (promise 37).
 *
 * @param justArrived True if its caller cannot have aborted it yet.
 * @param keeps False if nothing is kept: then its fields are left where they are.
 */
export function requestHead(request: Request, justArrived: boolean, keeps = true): RequestHead {
  return new IncomingHead(request, justArrived, keeps);
}

class IncomingHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly origin: string;
  readonly isOutgoing = false;
  readonly doubt: RequestHead["doubt"];
  readonly extraKey: string;
  readonly headers: IncomingFields;
  readonly hasBody: boolean;
  readonly hasUserInfo: boolean;
  readonly justArrived: boolean;
  readonly #request: Request;
  #signal: AbortSignal | undefined;
  #withoutBody: Request | undefined;

  constructor(request: Request, justArrived: boolean, keeps: boolean) {
    let method = "";
    let headers: IncomingFields | undefined;
    let address = NO_ADDRESS;
    try {
      method = request.method.toUpperCase();
      headers = new IncomingFields(request, !keeps);
      address = addressOf(String(request.url));
    } catch {
      // What cannot be read is not kept.
    }
    headers ??= new IncomingFields(NO_REQUEST, !keeps);
    const host = headers.get("host");
    const isPlain = (host === null || host === address.host) && address.written === "";
    this.method = method;
    this.url = address.url;
    this.origin = address.origin;
    this.headers = headers;
    this.doubt = isPlain && !address.isDoubtful ? undefined : doubtOf(address, host);
    // A handler may show the host as it was written, so other clients must not get that page.
    this.extraKey = isPlain ? "" : `${address.written} ${host ?? ""}`;
    this.hasBody = mayHaveBody(method, headers);
    this.hasUserInfo = address.hasUserInfo;
    this.justArrived = justArrived;
    this.#request = request;
  }

  /**
   * Not read if a server has just made it: no client can set it, and some make a whole request for
   * it.
   */
  get cacheMode(): string | undefined {
    try {
      return this.justArrived ? undefined : this.#request.cache;
    } catch {
      return undefined;
    }
  }

  /** Read only for a call: servers make it when it is asked for. */
  get signal(): AbortSignal | undefined {
    try {
      return this.#signal ??= this.#request.signal ?? undefined;
    } catch {
      return undefined;
    }
  }

  takeDown(): void {
    if (this.hasBody) this.headers.takeDown();
  }

  toRequest(): Request {
    this.takeDown();
    return this.hasBody
      ? this.#withoutBody ??= withoutBody(this.url, this.#request)
      : this.#request;
  }
}

/**
 * Returns why it is doubtful which page is meant; a request without `Host` has nothing to compare
 * (K1).
 */
function doubtOf(address: Address, host: string | null): RequestHead["doubt"] {
  if (address.isDoubtful) return "url";
  return host === null || isHostOf(host, address) ? undefined : "host";
}

/** In place of a request whose fields cannot be read. */
const NO_REQUEST = { headers: {} } as Request;

function withoutBody(url: string, request: Request): Request {
  const { method, headers, cf } = request as Request & { readonly cf?: unknown };
  try {
    return bodiless(url, method, headers, cf);
  } catch {
    // No `Request` can be made of it: TRACE, say, or a URL that cannot be parsed.
    return request;
  }
}

/** Judges by the fields (RFC 9112 §6): reading `body` makes servers build a stream. */
function mayHaveBody(method: string, headers: Fields): boolean {
  const unsaid = method === "GET" || method === "HEAD" ? "0" : "";
  return headers.has("transfer-encoding") || (headers.get("content-length") ?? unsaid) !== "0";
}
