import type { Circuit } from "../circuit/circuit.ts";
import { type CircuitOpenError, problem } from "../errors.ts";
import { hasStatus } from "../http/body.ts";
import type { Outside } from "../last_good/candidate.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import type { Cause } from "../observe/events.ts";
import type { HandlerInput, Produce } from "./caller.ts";
import type { GuardSettings } from "./options.ts";
import { ownRequest } from "./own_request.ts";
import { type EndedBy, RequestContext } from "./request_context.ts";
import { either, follow, link, type SignalSource } from "./signal_of.ts";
import { isBrokenUpload, isUnfetchable, mayBeUploading } from "./upload.ts";

/** A request for a handler: of `wrap`, `respond` or a framework. */
export class HandlerContext extends RequestContext implements SignalSource {
  readonly byFetch = false;
  readonly place: string;
  readonly background: boolean | undefined;
  takesSignal: boolean;
  /** The request as the handler gets it. */
  #request: Request;
  readonly #produce: Produce;
  readonly #input: HandlerInput;
  #waitUntil: GuardSettings["waitUntil"] | null = null;
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;
  /** The call that this one is part of, if the handler passes its own request on. */
  #outer: SignalSource | undefined;

  constructor(
    settings: GuardSettings,
    request: RequestHead,
    circuit: Circuit<Response>,
    original: Request,
    produce: Produce,
    input: HandlerInput,
  ) {
    super(settings, request, circuit);
    this.takesSignal = input.takesSignal ?? true;
    this.place = input.place;
    const { background } = input;
    // `false` wins over `true`.
    this.background = settings.background === false ? false : background ?? settings.background;
    this.#request = original;
    this.#produce = produce;
    this.#input = input;
  }

  produce(signal: AbortSignal | undefined): Response | Promise<Response> {
    if (signal !== undefined) {
      if (this.#controller === undefined) this.#signal = signal;
      else follow(signal, this.#controller);
    }
    this.request.takeDown?.();
    const outer = link(this.#request, this);
    // A call that is over would only be held on to: one request may be used many times.
    if (outer?.isOver === false) this.#outer = outer;
    const produce = this.#produce;
    return produce(this.#request, signal);
  }

  override detach(): boolean {
    const controller = new AbortController();
    const own = ownRequest(this.#request, controller.signal, this);
    if (own === undefined) return false;
    this.#request = own;
    this.#controller = controller;
    this.#signal = controller.signal;
    this.takesSignal = true;
    return true;
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    this.#controller = new AbortController();
    const caller = this.#outer ?? this.#request;
    return this.#signal = either(caller.signal as AbortSignal | null | undefined, this.#controller);
  }

  override outside(): Outside | undefined {
    return this.#input.outside;
  }

  override stop(reason: unknown): void {
    if (this.#signal === undefined) {
      this.#controller = new AbortController();
      this.#signal = this.#controller.signal;
    }
    this.#controller?.abort(reason);
  }

  override causeOf(endedBy: EndedBy, error: unknown): Cause {
    if (endedBy === "abort") return endedBy;
    const { request } = this;
    if (endedBy !== undefined) return mayBeUploading(request, this.#request) ? "upload" : endedBy;
    const isBroken = isBrokenUpload(error, this.#request.bodyUsed !== false);
    if (request.hasBody && (isBroken || request.signal?.aborted)) return "upload";
    const isRefused = isUnfetchable(request) && (Object(error) as Error).name === "TypeError";
    return isRefused ? "arguments" : super.causeOf(endedBy, error);
  }

  refuse(error: CircuitOpenError): Response {
    return error.getResponse();
  }

  /** The handler's own error is its server's to answer; our timeout is no error of the app (H7). */
  fail(error: unknown, endedBy: Cause): Response {
    if (endedBy !== "timeout") throw error;
    return problem(504, "Gateway Timeout", "The answer took too long");
  }

  /** A server would report an error, though nobody waits for the answer any more (promise 36). */
  leave(_reason: unknown, given?: unknown): Response {
    return hasStatus(given) ? given : new Response(null, { status: 499 });
  }

  waitUntil(): GuardSettings["waitUntil"] {
    if (this.settings.waitUntil !== undefined) return this.settings.waitUntil;
    if (this.#waitUntil !== null) return this.#waitUntil;
    try {
      this.#waitUntil = this.#input.waitUntil;
    } catch (error) {
      this.#waitUntil = undefined;
      this.reportError("waitUntil", error);
    }
    return this.#waitUntil;
  }
}
