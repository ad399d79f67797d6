import { FieldMap, type Fields } from "../http/fields.ts";
import { addressOf, type RequestHead } from "./request_head.ts";

/**
 * Returns the head of a request that a server or an app hands over.
 *
 * @param justArrived True if its caller cannot have aborted it yet.
 */
export function requestHead(request: Request, justArrived: boolean): RequestHead {
  return new IncomingHead(request, justArrived);
}

class IncomingHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly origin: string;
  readonly headers: Fields;
  readonly hasBody: boolean;
  readonly hasUserInfo: boolean;
  readonly justArrived: boolean;
  readonly #request: Request;
  #signal: AbortSignal | undefined;
  #withoutBody: Request | undefined;

  constructor(request: Request, justArrived: boolean) {
    const address = addressOf(request.url);
    this.method = request.method.toUpperCase();
    this.url = address.url;
    this.origin = address.origin;
    this.headers = new FieldMap(request.headers);
    this.hasBody = mayHaveBody(this.method, this.headers);
    this.hasUserInfo = address.hasUserInfo;
    this.justArrived = justArrived;
    this.#request = request;
  }

  /** Read only for a call: servers make it when it is asked for. */
  get signal(): AbortSignal | undefined {
    return this.#signal ??= this.#request.signal;
  }

  toRequest(): Request {
    if (!this.hasBody) return this.#request;
    const { url, method } = this;
    return this.#withoutBody ??= new Request(url, { method, headers: this.#request.headers });
  }
}

/** Judges by the fields (RFC 9112 §6): reading `body` makes servers build a stream. */
function mayHaveBody(method: string, headers: Fields): boolean {
  return (method !== "GET" && method !== "HEAD") || headers.has("transfer-encoding") ||
    (headers.get("content-length") ?? "0") !== "0";
}
