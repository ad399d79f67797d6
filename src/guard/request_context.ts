import type { Deadlines } from "../circuit/deadlines.ts";
import type { Circuit } from "../circuit/circuit.ts";
import type { Judge } from "../circuit/verdict.ts";
import type { CircuitOpenError } from "../errors.ts";
import { type BreakerEvent, emit, type ErrorSource } from "../observe/events.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import type { CacheKey } from "../last_good/cache_key.ts";
import type { ErrorListener } from "../last_good/last_good.ts";

/** What `breaker.respond` may be told of one request. */
export interface RespondContext {
  /** Which circuit; wins over the option `key`. */
  readonly key?: string;
  /** Which circuit if neither `key` says so. */
  readonly defaultKey?: string;
  /** Keeps work alive behind this answer. The option of the same name wins. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  /**
   * Whether `produce` may run behind the answer.
   * @default {true}
   */
  readonly behind?: boolean;
  /**
   * Whether `produce` makes use of its signal: if not, none is made.
   * @default {true}
   */
  readonly takesSignal?: boolean;
  /**
   * Whether the request has just come from a server, so that nobody can have aborted it yet: its
   * signal, which Deno makes dear, is then asked for only if `produce` takes a while.
   * @default {false}
   */
  readonly hasJustCome?: boolean;
}

/** What the way through a breaker depends on: its options, checked and complete. */
export interface GuardSettings {
  readonly deadlines: Deadlines | undefined;
  readonly mode: "enforce" | "observe" | "off";
  readonly judge: Judge<Response> | undefined;
  readonly onEvent: ((event: BreakerEvent) => void) | undefined;
  readonly now: () => number;
  readonly onRetryAfter: "stretch" | "open";
  readonly maxDelayMs: number;
  readonly fallback:
    | ((request: Request, cause: unknown) => Response | Promise<Response>)
    | undefined;
  /** Keeps work alive behind every answer; undefined if each request has its own. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

/**
 * One request on its way through a breaker. A class, as a handful of closures for each request is
 * much of what a breaker leaves to the garbage collector.
 */
export abstract class RequestContext implements ErrorListener {
  readonly settings: GuardSettings;
  readonly request: RequestHead;
  readonly circuit: Circuit<Response>;
  /** Whether `produce` needs a signal even while the call is its caller's. */
  abstract readonly takesSignal: boolean;
  /** Whether its responses come straight from `fetch`. */
  abstract readonly byFetch: boolean;
  /** Whether `produce` may run behind the answer. */
  abstract readonly mayRunInBackground: boolean;
  /** Where its answer is kept; undefined if nothing is kept or served. */
  key: CacheKey | undefined;
  /** Whether its caller has been answered from elsewhere: the call is no longer theirs. */
  isReleased = false;

  constructor(settings: GuardSettings, request: RequestHead, circuit: Circuit<Response>) {
    this.settings = settings;
    this.request = request;
    this.circuit = circuit;
  }

  /** Calls the upstream; with an entity tag, it may ask whether that is still good. */
  abstract produce(signal: AbortSignal | undefined, etag?: string): Response | Promise<Response>;
  /** Answers a refused request for which there is nothing to serve. */
  abstract refuse(error: CircuitOpenError): Response;
  /** Keeps work alive behind the answer; looked up only when there is some. */
  abstract waitUntil(): ((work: Promise<unknown>) => void) | undefined;

  /** Tells of a callback that went wrong. */
  reportError(source: ErrorSource, error: unknown): void {
    reportError(this.settings, this.circuit.name, source, error);
  }
}

/** A call of `breaker.fetch`. */
export class FetchContext extends RequestContext {
  readonly byFetch = true;
  readonly mayRunInBackground = true;
  readonly takesSignal: boolean;
  readonly #fetch: typeof fetch;
  readonly #input: RequestInfo | URL;
  readonly #init: RequestInit | undefined;

  constructor(
    settings: GuardSettings,
    request: RequestHead,
    circuit: Circuit<Response>,
    call: typeof fetch,
    input: RequestInfo | URL,
    init: RequestInit | undefined,
  ) {
    super(settings, request, circuit);
    this.takesSignal = request.signal !== undefined || settings.deadlines !== undefined;
    this.#fetch = call;
    this.#input = input;
    this.#init = init;
  }

  /** Promise 28: with the arguments as they are, and our signal. */
  produce(signal: AbortSignal | undefined, etag?: string): Promise<Response> {
    const call = this.#fetch;
    const input = this.#input;
    const init = this.#init;
    // A Request as init has its members on its prototype: they cannot be copied.
    const isRequest = init instanceof Request;
    if (etag !== undefined && !isRequest) {
      const own = init?.headers ?? (input instanceof Request ? input.headers : undefined);
      const headers = new Headers(own);
      headers.set("if-none-match", etag);
      return call(input, { ...init, headers, ...(signal && { signal }) });
    }
    if (signal === undefined) return init === undefined ? call(input) : call(input, init);
    return isRequest
      ? call(new Request(input, init), { signal })
      : call(input, { ...init, signal });
  }

  refuse(error: CircuitOpenError): never {
    throw error;
  }

  waitUntil(): GuardSettings["waitUntil"] {
    return this.settings.waitUntil;
  }
}

/** What answers a request, and what it is told. */
export type Produce = (
  request: Request,
  signal: AbortSignal | undefined,
) => Response | Promise<Response>;

/** A request for a handler. */
export class HandlerContext extends RequestContext {
  readonly byFetch = false;
  readonly mayRunInBackground: boolean;
  readonly takesSignal: boolean;
  readonly #original: Request;
  readonly #produce: Produce;
  readonly #context: RespondContext;

  constructor(
    settings: GuardSettings,
    head: RequestHead,
    circuit: Circuit<Response>,
    request: Request,
    produce: Produce,
    context: RespondContext,
  ) {
    super(settings, head, circuit);
    this.takesSignal = context.takesSignal ?? true;
    this.mayRunInBackground = context.behind ?? true;
    this.#original = request;
    this.#produce = produce;
    this.#context = context;
  }

  produce(signal: AbortSignal | undefined): Response | Promise<Response> {
    const produce = this.#produce;
    return produce(this.#original, signal);
  }

  refuse(error: CircuitOpenError): Response {
    return error.getResponse();
  }

  waitUntil(): GuardSettings["waitUntil"] {
    return this.settings.waitUntil ?? this.#context.waitUntil;
  }
}

/** Tells of a callback that went wrong. */
export function reportError(
  { onEvent, now }: GuardSettings,
  circuit: string,
  source: ErrorSource,
  error: unknown,
): void {
  if (onEvent !== undefined) emit(onEvent, { type: "error", circuit, at: now(), source, error });
}

/** By its shape: servers bring their own Response classes. */
export function isResponse(value: unknown): value is Response {
  const { status, headers } = Object(value) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

/** F7: an answer that nobody reads holds its connection until its body is cancelled. */
export function discard(response: unknown): void {
  if (!isResponse(response) || !response.body || response.body.locked) return;
  response.body.cancel().catch(() => {});
}
