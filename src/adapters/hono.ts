/**
 * The breaker as Hono middleware.
 *
 * @example Guard all routes below a path
 * ```ts
 * import { Hono } from "hono";
 * import { breaker } from "@lastgood/breaker/hono";
 * import { assertEquals } from "@std/assert";
 *
 * const app = new Hono();
 * let isDown = false;
 * app.use("/api/*", breaker({ threshold: 5 }));
 * app.get("/api/items", (c) => isDown ? c.text("down", 500) : c.text("items"));
 *
 * await (await app.request("/api/items")).text();
 * isDown = true;
 * const response = await app.request("/api/items");
 *
 * assertEquals(response.status, 200);
 * assertEquals(await response.text(), "items");
 * ```
 *
 * @module
 */

import {
  adapterSideOf,
  type AnswerHandler,
  type Breaker,
  breaker as makeBreaker,
  type BreakerOptions,
  type HandlerInput,
} from "../breaker.ts";
import { discard } from "../http/body.ts";
import { isFromServer } from "../runtime.ts";
import { type Around, onChainEnd, tellDue } from "./hono_chain_end.ts";
import type { HonoContextLike } from "./hono_context.ts";
import {
  type OuterFields,
  outerFields,
  restoreContext,
  takeOuterFields,
  withOuterFields,
  withoutOuterFields,
} from "./hono_fields.ts";
import { dispatchesAround, Places } from "./hono_routes.ts";

export type { Breaker, BreakerOptions } from "../breaker.ts";
export type { HonoContextLike } from "./hono_context.ts";

/** A Hono middleware that guards what comes after it. */
export interface BreakerMiddleware {
  (c: HonoContextLike, next: () => Promise<void>): Promise<void>;
  /**
   * For Hono's types alone: it infers the type of an answer from the last signature, and this one
   * says that there is none, also to older versions.
   */
  (c: HonoContextLike, next: () => Promise<void>): never;
  /** The breaker that it uses, made of its options or shared. */
  readonly breaker: Breaker;
}

/**
 * Makes a middleware that guards what comes after it in the chain, with a circuit of its own unless
 * the option `key` says otherwise. Put it inside of middleware that checks who may see a response or
 * changes it for one client (compression, CORS), and outside of the handlers that call the upstream:
 * while the circuit is open, nothing further in is asked.
 *
 * Middleware further out has the last word: `private`, `no-store`, a cookie or a nonce that it sets
 * before or after `next()` forbids keeping. An app that is mounted in another one does not see what that
 * one's middleware says. Make an app once: each one has copies of its own.
 *
 * A handler cannot go on in the background of its own answer. So when a probe is due, one caller is
 * the probe and all others get the kept response at once, and `patienceMs` has no effect.
 *
 * @param options The options of `breaker()`; or a breaker, to share it.
 * @returns A Hono middleware.
 * @throws {TypeError} If an option has the wrong type or excludes another one, or none has that name.
 * @throws {RangeError} If a number is out of range.
 */
export function breaker(options: BreakerOptions | Breaker = {}): BreakerMiddleware {
  const guard = isBreaker(options) ? options : makeBreaker(options);
  const side = adapterSideOf(guard);
  side.middlewares++;
  const ownKey = isBreaker(options) ? `hono-${side.middlewares}` : options.name ?? "circuit";
  const defaultKey = () => ownKey;
  const { answer, keeps } = side;
  const places = new Places(`hono ${side.middlewares}`);
  const middleware: Middleware = (c, next) =>
    new GuardedChain(c, next, keeps, middleware, places).run(answer, defaultKey);
  return Object.assign(middleware as BreakerMiddleware, { breaker: guard });
}

type Middleware = (c: HonoContextLike, next: () => Promise<void>) => Promise<void>;

/**
 * One request on its way through a chain. A class because V8 keeps a hidden class for every object
 * literal with a getter, one per request.
 */
class GuardedChain implements HandlerInput {
  readonly background = false;
  readonly takesSignal = false;
  readonly justArrived: boolean;
  readonly place: string;
  readonly #c: HonoContextLike;
  readonly #next: () => Promise<void>;
  readonly #middleware: Middleware;
  /** Its place in the chain, before handlers further in have theirs; undefined if this is not Hono's. */
  readonly #index: number | undefined;
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
  #isOver = false;
  #around: Around | undefined;
  /** Waits for what middleware further out says. */
  #listener: ((response: Response) => void) | undefined;

  constructor(
    c: HonoContextLike,
    next: () => Promise<void>,
    keeps: boolean,
    middleware: Middleware,
    places: Places,
  ) {
    this.#c = c;
    this.#next = next;
    this.#middleware = middleware;
    this.#index = c.req.routeIndex;
    this.#keeps = keeps;
    if (keeps) tellDue();
    this.place = keeps ? places.at(c.req) : "";
    this.#outer = keeps ? takeOuterFields(c) : outerFields(c);
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

  /** In a context that is not Hono's, nobody can be heard. */
  get outside(): HandlerInput["outside"] {
    if (this.#index === undefined) return undefined;
    this.#around = dispatchesAround(this.#c.req, this.#index, this.#middleware);
    return this.#around && this;
  }

  hear(listener: (response: Response) => void): void {
    this.#listener = listener;
  }

  /** Lets the guard answer, and makes its answer the response of the context. */
  async run(answer: AnswerHandler, defaultKey: () => string): Promise<void> {
    try {
      const response = await answer(this.#c.req.raw, () => this.#produce(), defaultKey, this);
      this.#answerWith(response);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isOver = true;
    }
  }

  async #produce(): Promise<Response> {
    await this.#next();
    return this.#isOver ? this.#late() : this.#produced = this.#result();
  }

  /** Says what came of the chain: an answer to look at, or an error. */
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

function isBreaker(options: BreakerOptions | Breaker): options is Breaker {
  return typeof (options as Partial<Breaker> | null)?.respond === "function";
}
