import type { AnswerHandler, HandlerInput } from "../breaker.ts";
import { discard } from "../http/body.ts";
import { isFromServer, soon } from "../runtime.ts";
import { type Around, flushDue, onChainEnd } from "./hono_chain_end.ts";
import type { HonoContextLike } from "./hono_context.ts";
import {
  type OuterFields,
  outerFields,
  restoreContext,
  takeOuterFields,
  withOuterFields,
  withoutOuterFields,
} from "./hono_fields.ts";
import { dispatchesAround, type Places } from "./hono_routes.ts";

/** The middleware as Hono calls it. */
export type Middleware = (c: HonoContextLike, next: () => Promise<void>) => Promise<void>;

/**
 * One request on its way through a chain. A class because V8 keeps a hidden class for every object
 * literal with a getter, one per request.
 */
export class GuardedChain implements HandlerInput {
  readonly background = false;
  readonly takesSignal = false;
  readonly justArrived: boolean;
  readonly place: string;
  /** False while the chain is at work. */
  isOver = true;
  readonly #c: CalledContext;
  readonly #next: () => Promise<void>;
  readonly #places: Places;
  /**
   * Its place in the chain, before handlers further in have theirs; undefined if this is not
   * Hono's.
   */
  readonly #index: number | undefined;
  /** True if no handler of this context has run yet: then nothing has been set. */
  readonly #isFirst: boolean;
  /** False if nothing is kept: then the fields of the chain's own answers are left alone. */
  readonly #keeps: boolean;
  readonly #outer: OuterFields | undefined;
  /** What the chain has given the guard. */
  #produced: Response | undefined;
  /** The handler's own error, if it threw one that counts. */
  #thrown: Error | undefined;
  /** The error of a chain that ended without an answer. */
  #unanswered: Error | undefined;
  /** Stands in for the app's answer to a client's error where the guard looks at it. */
  #standIn: Response | undefined;
  /** The answer that was given, and the error of the context at that time. */
  #given: Response | undefined;
  #errorThen: Error | undefined;
  #isAnswered = false;
  #around: Around | undefined;
  /** Waits for the response as middleware further out leaves it. */
  #listener: ((response: Response) => void) | undefined;

  constructor(c: CalledContext, next: () => Promise<void>, keeps: boolean, places: Places) {
    this.#c = c;
    this.#next = next;
    this.#places = places;
    this.#keeps = keeps;
    if (keeps) flushDue();
    const { req } = c;
    this.#index = req.routeIndex;
    const { name, isItself } = places.at(req);
    this.place = name;
    // Without the mark, one within `every` of Hono 4.6 would take itself for the first.
    this.#isFirst = isItself && this.#index === 0 && c[CALLED] === undefined;
    // Looking for them takes 0.2 µs on Deno and 0.6 µs on Bun.
    this.#outer = this.#isFirst ? undefined : keeps ? takeOuterFields(c) : outerFields(c);
    this.justArrived = isFromServer(c.env);
  }

  /** Looked up only if there is work: Hono throws where there is no `executionCtx`. */
  get waitUntil(): ((work: Promise<unknown>) => void) | undefined {
    try {
      const { executionCtx } = this.#c;
      return (work) => executionCtx.waitUntil(work);
    } catch {
      return undefined;
    }
  }

  /**
   * Undefined for the first of a context, and in one that is not Hono's: there the end of the chain
   * cannot be seen.
   */
  get outside(): HandlerInput["outside"] {
    if (this.#index === undefined || this.#isFirst) return undefined;
    this.#around = dispatchesAround(this.#c.req, this.#index, this.#places.middleware);
    return this;
  }

  hear(listener: (response: Response) => void): void {
    this.#listener = listener;
  }

  /**
   * Lets the guard answer, and makes its answer the response of the context: in the same turn, if it
   * comes from memory.
   */
  run(answer: AnswerHandler, defaultKey: () => string): Promise<void> {
    const response = answer(this.#c.req.raw, () => this.#produce(), defaultKey, this);
    if ("then" in response) return this.#wait(response);
    this.#answerWith(response);
    return Promise.resolve();
  }

  async #wait(answer: Promise<Response>): Promise<void> {
    try {
      const response = await answer;
      // Our timeout ends the handler, too: its error must not come between this answer and Hono's look
      // at it. What a client who has left is given stands as it is (promise 36).
      if (!this.isOver && response.status !== 499) await soon(this);
      this.#answerWith(response);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isAnswered = true;
    }
  }

  async #produce(): Promise<Response> {
    if (this.#isFirst) this.#c[CALLED] = true;
    this.isOver = false;
    try {
      await this.#next();
    } finally {
      this.isOver = true;
    }
    return this.#isAnswered ? this.#late() : this.#produced = this.#result();
  }

  /** Returns what came of the chain: an answer for the guard, or an error, which is thrown. */
  #result(): Response {
    const c = this.#c;
    if (!c.finalized) {
      throw this.#unanswered = new Error("Cannot answer as no handler has given a response");
    }
    const response = c.res as Response;
    // Hono has caught what its handlers threw and has answered it; the error itself counts.
    const { error } = c;
    if (error === undefined || error === (c as MarkedContext)[REPLACED]) return this.#own(response);
    const status = clientErrorOf(error);
    if (status === undefined) throw this.#thrown = error;
    if (response.status < 500) return this.#own(response);
    const headers = { "cache-control": "no-store" };
    return this.#standIn = new Response(null, { status, headers });
  }

  /** Ends a chain that was overtaken: an error that the app has answered since changes nothing (H6). */
  #late(): Response {
    const c = this.#c;
    if (this.#given !== undefined && c.error !== this.#errorThen) {
      discard(c.res);
      replaceResponse(c, this.#given);
    }
    return new Response(null);
  }

  #own(response: Response): Response {
    return this.#keeps ? withoutOuterFields(response, this.#outer) : response;
  }

  #answerWith(answer: Response): void {
    const c = this.#c;
    if (this.#stands(answer)) return this.#end(c.res as Response);
    if (this.#thrown !== undefined) {
      (c as MarkedContext)[REPLACED] = this.#thrown;
      discard(c.res);
    }
    this.#end(answer);
  }

  /** Reports whether the app's own answer stands: to a client's error, or to a client who has left. */
  #stands(answer: Response): boolean {
    if (answer === this.#standIn) return true;
    return this.#produced === undefined && this.#c.finalized && answer.status === 499;
  }

  #fail(error: unknown): void {
    const c = this.#c;
    // The app's own answer to its error stands.
    if (this.#thrown !== undefined && error === this.#thrown) return this.#end(c.res as Response);
    if (this.#keeps) restoreContext(c, this.#outer);
    // Hono has its own error for a chain without an answer.
    if (this.#unanswered === undefined || error !== this.#unanswered) throw error;
  }

  #end(answer: Response): void {
    const c = this.#c;
    const isUntouched = !this.#keeps && c.finalized && answer === c.res;
    this.#given = isUntouched ? answer : withOuterFields(answer, this.#outer);
    this.#errorThen = c.error;
    replaceResponse(c, this.#given);
    if (this.#around && this.#listener) onChainEnd(c, this.#around, this.#listener);
  }
}

/** Marks a context whose handlers have been called. */
const CALLED = Symbol("called");

type CalledContext = HonoContextLike & { [CALLED]?: true };

/**
 * Where a breaker leaves the error that it has replaced by something better: a breaker further out
 * ignores it. The same in all copies of the package, as one app may have several.
 */
const REPLACED: unique symbol = Symbol.for("@lastgood/breaker/replaced") as never;

type MarkedContext = HonoContextLike & { [REPLACED]?: Error };

/** Assigning to `c.res` would merge the fields of the old response into the new one (H6). */
function replaceResponse(c: HonoContextLike, response: Response): void {
  if (c.finalized && c.res === response) return;
  c.res = undefined;
  c.res = response;
}

/** The status of an HTTPException below 500, which is an answer and no failure (promise 30). */
function clientErrorOf(error: Error): number | undefined {
  const { status, getResponse } = error as { status?: unknown; getResponse?: unknown };
  const isAnswer = typeof getResponse === "function" && typeof status === "number" &&
    status >= 200 && status < 500;
  return isAnswer ? status : undefined;
}
