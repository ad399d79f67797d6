import { causeOfError } from "../circuit/cause.ts";
import type { Circuit } from "../circuit/circuit.ts";
import type { CircuitOpenError } from "../errors.ts";
import type { CacheKey } from "../last_good/cache_key.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import {
  type Cause,
  type ErrorListener,
  type ErrorSource,
  reportError,
} from "../observe/events.ts";
import type { Fetch, GuardSettings } from "./options.ts";

/** What ended a call from outside; undefined if it was neither our timeout nor its caller. */
export type EndedBy = "timeout" | "deadline" | "abort" | undefined;

/**
 * One request on its way through a breaker: what is asked, which circuit decides, how the upstream
 * is called. A class because closures made per request were much of what the garbage collector got.
 */
export abstract class RequestContext implements ErrorListener {
  readonly settings: GuardSettings;
  readonly request: RequestHead;
  readonly circuit: Circuit<Response>;
  /** True if `produce` needs a signal even while the call belongs to its caller. */
  abstract readonly takesSignal: boolean;
  /** True if the responses come straight from `fetch`, which decodes bodies. */
  abstract readonly byFetch: boolean;
  /**
   * False if `produce` must not run while the request is answered from memory, true if it may
   * wherever it runs; undefined if it may where the host lives on.
   */
  abstract readonly background: boolean | undefined;
  /** Where the answer is kept; undefined if nothing is to be kept or served. */
  key: CacheKey | undefined;
  /** True once the caller has been answered from memory: the call no longer belongs to them. */
  isReleased = false;
  /** True once the call has ended. */
  isOver = false;

  constructor(settings: GuardSettings, request: RequestHead, circuit: Circuit<Response>) {
    this.settings = settings;
    this.request = request;
    this.circuit = circuit;
  }

  /** Calls the upstream. With an entity tag, it may ask only whether that is still good. */
  abstract produce(signal: AbortSignal | undefined, etag?: string): Response | Promise<Response>;
  /** Answers a refused request for which there is nothing to serve. */
  abstract refuse(error: CircuitOpenError): Response;
  /** Answers a request whose call failed without a response, and for which there is nothing to serve. */
  abstract fail(error: unknown, endedBy: Cause): Response;
  /** Answers a caller who has aborted. */
  abstract leave(reason: unknown): Response;
  /** Finds what keeps work alive after the answer; asked only when there is such work. */
  abstract waitUntil(): ((work: Promise<unknown>) => void) | undefined;

  /** Makes `produce` independent of its caller. Returns false if that is not possible (promise 33). */
  detach(): boolean {
    return true;
  }

  /** Hears that the call was ended from outside while `produce` is still at work. */
  stop(_reason: unknown): void {}

  /** Returns what ended a call that was rejected with `error` (promise 31). */
  causeOf(endedBy: EndedBy, error: unknown): Cause {
    return endedBy ?? causeOfError(error);
  }

  reportError(source: ErrorSource, error: unknown): void {
    reportError(this.settings, this.circuit.name, source, error);
  }
}

/** A call of `breaker.fetch`. */
export class FetchContext extends RequestContext {
  readonly byFetch = true;
  readonly background: boolean | undefined;
  readonly takesSignal: boolean;
  readonly #fetch: Fetch;
  readonly #input: string | URL | Request;
  readonly #init: RequestInit | undefined;

  constructor(
    settings: GuardSettings,
    request: RequestHead,
    circuit: Circuit<Response>,
    call: Fetch,
    input: string | URL | Request,
    init: RequestInit | undefined,
  ) {
    super(settings, request, circuit);
    this.background = settings.background;
    this.takesSignal = request.signal !== undefined || settings.deadlines !== undefined;
    this.#fetch = call;
    this.#input = input;
    this.#init = init;
  }

  /** Hands on the arguments as they are, with our signal added (promise 28). */
  produce(signal: AbortSignal | undefined, etag?: string): Promise<Response> {
    const call = this.#fetch;
    const input = this.#input;
    const init = this.#init;
    // The members of a Request are on its prototype: spreading it as `init` would lose them.
    const isRequest = init instanceof Request;
    if (etag !== undefined && !isRequest) {
      return call(input, { ...init, headers: this.#asking(etag), ...(signal && { signal }) });
    }
    if (signal === undefined) return init === undefined ? call(input) : call(input, init);
    return isRequest
      ? call(new Request(input, init), { signal })
      : call(input, { ...init, signal });
  }

  /** The request's own fields, and a question whether this entity tag is still good. */
  #asking(etag: string): Headers {
    const input = this.#input;
    const headers = new Headers(
      this.#init?.headers ?? (input instanceof Request ? input.headers : undefined),
    );
    headers.set("if-none-match", etag);
    return headers;
  }

  refuse(error: CircuitOpenError): never {
    throw error;
  }

  fail(error: unknown): never {
    throw error;
  }

  leave(reason: unknown): never {
    throw reason;
  }

  waitUntil(): GuardSettings["waitUntil"] {
    return this.settings.waitUntil;
  }
}
