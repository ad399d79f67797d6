import { causeOfError } from "../circuit/cause.ts";
import type { Circuit } from "../circuit/circuit.ts";
import { discard } from "../http/body.ts";
import { isRequest, isSignal, type RequestHead } from "../last_good/request_head.ts";
import type { Cause } from "../observe/events.ts";
import { isWorkerd, nextTurn } from "../runtime.ts";
import { withCaller } from "./error_stack.ts";
import { bodyOf, type FetchBody, wasThereAtOnce } from "./fetch_body.ts";
import { isRefusedByFetch } from "./fetch_refusal.ts";
import type { Fetch, GuardSettings } from "./options.ts";
import { type EndedBy, RequestContext } from "./request_context.ts";

/** A call of `breaker.fetch`. */
export class FetchContext extends RequestContext {
  readonly byFetch = true;
  readonly place = "fetch";
  readonly background: boolean | undefined;
  readonly takesSignal: boolean;
  readonly #fetch: Fetch;
  readonly #input: string | Request;
  readonly #init: RequestInit | undefined;
  readonly #rest: readonly unknown[];
  readonly #body: FetchBody | undefined;
  /** True once the upstream has been called. */
  isCalled = false;

  constructor(
    settings: GuardSettings,
    request: RequestHead,
    circuit: Circuit<Response>,
    call: Fetch,
    input: string | Request,
    init: RequestInit | undefined,
    rest: readonly unknown[],
  ) {
    super(settings, request, circuit);
    this.background = settings.background;
    this.takesSignal = request.signal !== undefined || settings.deadlines !== undefined;
    this.#fetch = call;
    this.#input = input;
    this.#init = init;
    this.#rest = rest;
    this.#body = request.hasBody ? bodyOf(init, isRequest(input) ? input : undefined) : undefined;
  }

  /** Hands on the arguments as they are, with our signal added (promise 28). */
  produce(signal: AbortSignal | undefined, etag?: string): Promise<Response> {
    const call = this.#fetch;
    const input = this.#input;
    const init = this.#sent(signal, etag);
    this.isCalled = true;
    if (this.#rest.length > 0) {
      return (call as (...args: unknown[]) => Promise<Response>)(input, init, ...this.#rest);
    }
    return init === undefined ? call(input) : call(input, init);
  }

  #sent(signal: AbortSignal | undefined, etag: string | undefined): RequestInit | undefined {
    let init = this.#init;
    // A signal that is none is left to `fetch`, which refuses it.
    if (signal !== undefined && (!init?.signal || isSignal(init.signal))) {
      init ??= {};
      init.signal = signal;
    }
    if (etag !== undefined) {
      init ??= {};
      init.headers = this.#asking(etag);
    }
    if (init?.body && this.#body !== undefined) init.body = this.#body.sent as BodyInit;
    return init;
  }

  /** The request's own fields, and a question whether this entity tag is still good. */
  #asking(etag: string): Headers {
    const input = this.#input;
    const given = this.#init?.headers ?? (typeof input === "string" ? undefined : input.headers);
    const headers = new Headers(given);
    headers.set("if-none-match", etag);
    return headers;
  }

  override causeOf(endedBy: EndedBy, error: unknown): Cause {
    if (endedBy === "abort") return endedBy;
    const body = this.#body;
    if (endedBy !== undefined) return body?.mayBeUnderWay ? "upload" : endedBy;
    const cause = causeOfError(error);
    if (cause !== "upstream") return cause;
    if (isRefusedByFetch(error, this.request, this.#init)) return "arguments";
    return this.#mayStream() && body?.isBrokenBy(error) ? "upload" : cause;
  }

  /** False if the whole body was there when the call began. */
  #mayStream(): boolean {
    return this.#init?.body ? true : !wasThereAtOnce(this.request);
  }

  /** Cancels the body if the call was never made: it was refused, aborted, or not needed. */
  discardUnsent(reason: unknown): void {
    if (!this.isCalled) this.#body?.cancel(reason);
  }

  refuse(error: unknown): never {
    throw error;
  }

  fail(error: unknown): never {
    throw withCaller(error);
  }

  /**
   * With its client, a Worker's request loses its timers, and bare `fetch` does not reject any more:
   * so that nothing is logged that would not be without us, neither do we (promise 36).
   */
  leave(reason: unknown, given?: unknown): Promise<never> {
    discard(given);
    if (!isWorkerd()) throw reason;
    return nextTurn().then(() => {
      throw reason;
    });
  }

  waitUntil(): GuardSettings["waitUntil"] {
    return this.settings.waitUntil;
  }
}
