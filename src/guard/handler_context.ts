import type { Circuit } from "../circuit/circuit.ts";
import { type CircuitOpenError, problem } from "../errors.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import type { Cause } from "../observe/events.ts";
import type { HandlerInput, Produce } from "./caller.ts";
import type { GuardSettings } from "./options.ts";
import { RequestContext } from "./request_context.ts";

/** A request for a handler: of `wrap`, `respond` or a framework. */
export class HandlerContext extends RequestContext {
  readonly byFetch = false;
  readonly mayRunInBackground: boolean;
  readonly takesSignal: boolean;
  readonly #original: Request;
  readonly #produce: Produce;
  readonly #input: HandlerInput;

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
    this.mayRunInBackground = input.background ?? true;
    this.#original = original;
    this.#produce = produce;
    this.#input = input;
  }

  produce(signal: AbortSignal | undefined): Response | Promise<Response> {
    const produce = this.#produce;
    return produce(this.#original, signal);
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
  leave(): Response {
    return new Response(null, { status: 499 });
  }

  waitUntil(): GuardSettings["waitUntil"] {
    return this.settings.waitUntil ?? this.#input.waitUntil;
  }
}
