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
  type AnswerHandler,
  answerHandlerOf,
  type Breaker,
  breaker as makeBreaker,
  type BreakerOptions,
  type HandlerInput,
} from "../breaker.ts";
import { discard } from "../http/body.ts";
import { isFromServer } from "../runtime.ts";
import type { HonoContextLike } from "./hono_context.ts";
import {
  type OuterFields,
  restoreContext,
  takeOuterFields,
  withOuterFields,
  withoutOuterFields,
} from "./hono_fields.ts";

export type { Breaker, BreakerOptions } from "../breaker.ts";
export type { HonoContextLike } from "./hono_context.ts";

/** The number of middlewares that each ready-made breaker serves. */
const middlewareCounts = new WeakMap<Breaker, number>();

/** Errors that a breaker has replaced by something better: a breaker further out ignores them. */
const replacedErrors = new WeakMap<HonoContextLike, Error>();

/**
 * Makes a middleware that guards what comes after it in the chain, with a circuit of its own unless
 * the option `key` says otherwise. Put it inside of middleware that changes responses for one client
 * (compression, CORS) and outside of the handlers that call the upstream.
 *
 * A handler cannot go on in the background of its own answer. So when a probe is due, one caller is
 * the probe and all others get the kept response at once, and `patienceMs` has no effect.
 *
 * @param options The options of `breaker()`; or a breaker, to share it.
 * @returns A Hono middleware.
 * @throws {TypeError} If an option has the wrong type or excludes another one.
 * @throws {RangeError} If a number is out of range.
 */
export function breaker(
  options: BreakerOptions | Breaker = {},
): (c: HonoContextLike, next: () => Promise<void>) => Promise<Response | undefined> {
  const guard = isBreaker(options) ? options : makeBreaker(options);
  const middlewares = (middlewareCounts.get(guard) ?? 0) + 1;
  middlewareCounts.set(guard, middlewares);
  const ownKey = isBreaker(options) ? `hono-${middlewares}` : options.name ?? "circuit";
  const defaultKey = () => ownKey;
  const answer = answerHandlerOf(guard);
  return async (c, next) => {
    await new GuardedChain(c, next).run(answer, defaultKey);
    return undefined;
  };
}

/**
 * One request on its way through a chain. A class because V8 keeps a hidden class for every object
 * literal with a getter, one per request.
 */
class GuardedChain implements HandlerInput {
  readonly background = false;
  readonly takesSignal = false;
  readonly justArrived: boolean;
  readonly #c: HonoContextLike;
  readonly #next: () => Promise<void>;
  readonly #outer: OuterFields | undefined;
  /** The handler's own error, if it threw one that counts. */
  #thrown: Error | undefined;
  /** Stands in for the app's answer to a client's error where the guard looks at it. */
  #standIn: Response | undefined;
  #isOver = false;

  constructor(c: HonoContextLike, next: () => Promise<void>) {
    this.#c = c;
    this.#next = next;
    this.#outer = takeOuterFields(c);
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
    const c = this.#c;
    // After our timeout, `c.res` is what has been answered meanwhile.
    if (this.#isOver) return new Response(null);
    if (!c.finalized) throw new Error("Cannot answer as no handler has given a response");
    const response = c.res as Response;
    // Hono has caught what its handlers threw and has answered it; the error itself counts.
    const { error } = c;
    if (error === undefined || error === replacedErrors.get(c)) {
      return withoutOuterFields(response, this.#outer);
    }
    const status = clientErrorOf(error);
    if (status === undefined) throw this.#thrown = error;
    if (response.status < 500) return withoutOuterFields(response, this.#outer);
    const headers = { "cache-control": "no-store" };
    return this.#standIn = new Response(null, { status, headers });
  }

  #answerWith(answer: Response): void {
    const c = this.#c;
    // The app's own answer to a client's error stands.
    const response = answer === this.#standIn ? c.res as Response : answer;
    if (this.#thrown !== undefined) {
      replacedErrors.set(c, this.#thrown);
      discard(c.res);
    }
    replaceResponse(c, withOuterFields(response, this.#outer));
  }

  #fail(error: unknown): void {
    const c = this.#c;
    if (this.#thrown === undefined || error !== this.#thrown) {
      restoreContext(c, this.#outer);
      throw error;
    }
    // The app's own answer to its error stands.
    replaceResponse(c, withOuterFields(c.res, this.#outer));
  }
}

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
