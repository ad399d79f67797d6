/**
 * The breaker as Hono middleware.
 *
 * @example Guarding all routes below a path
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

import { isFromServer } from "../runtime.ts";
import {
  type Breaker,
  breaker as makeBreaker,
  type BreakerOptions,
  type RespondContext,
} from "../breaker.ts";

export type { Breaker, BreakerOptions } from "../breaker.ts";

/** What the middleware uses of Hono's `Context`: every Hono 4 has it. */
export interface HonoContextLike {
  /** What the server has handed over with the request. */
  readonly env?: unknown;
  /** The request. */
  readonly req: { readonly raw: Request };
  /** The response, as far as there is one. */
  // deno-lint-ignore no-explicit-any
  res: any;
  /** What a handler threw. */
  readonly error: Error | undefined;
  /** Whether there is a response. */
  finalized: boolean;
  /** The context of a Worker; throws where there is none. */
  readonly executionCtx: { waitUntil(work: Promise<unknown>): void };
  /** Makes a response with the fields that were set so far. */
  newResponse(data: null, init: { readonly status: 200 }): Response;
}

/** How many middlewares each ready-made breaker serves. */
const served = new WeakMap<Breaker, number>();

/** The error of each request that has got something better: it is none to a breaker further out. */
const replaced = new WeakMap<HonoContextLike, Error>();

/**
 * Makes a middleware that guards what comes after it in the chain, with a circuit of its own unless
 * the option `key` says otherwise. Put it inside of what changes responses for one client
 * (compression, CORS), and outside of the handlers that call the upstream.
 *
 * A handler cannot run behind its own answer: when a probe is due, one caller is the probe and all
 * others get the kept response at once, and `patienceMs` does nothing.
 *
 * @param options As of `breaker()`; or a breaker made before, to share it.
 * @returns A Hono middleware.
 * @throws {TypeError} If an option is of the wrong type, or excludes another one.
 * @throws {RangeError} If a number is out of range.
 */
export function breaker(
  options: BreakerOptions | Breaker = {},
): (c: HonoContextLike, next: () => Promise<void>) => Promise<Response | undefined> {
  const guard = isBreaker(options) ? options : makeBreaker(options);
  const middlewares = (served.get(guard) ?? 0) + 1;
  served.set(guard, middlewares);
  const defaultKey = isBreaker(options) ? `hono-${middlewares}` : options.name ?? "circuit";

  return async (c, next) => {
    const outer = takeFields(c);
    let thrown: Error | undefined;
    let standIn: Response | undefined;
    let isOver = false;
    const produce = async (): Promise<Response> => {
      await next();
      // After our timeout, `c.res` is what was answered meanwhile.
      if (isOver) return new Response(null);
      if (!c.finalized) throw new Error("Cannot answer as no handler has given a response");
      const response = c.res as Response;
      // Hono has caught what its handlers threw, and answered it; we judge the error itself.
      const { error } = c;
      if (error === undefined || error === replaced.get(c)) return forAll(response, outer);
      const status = clientErrorOf(error);
      if (status === undefined) throw thrown = error;
      if (response.status < 500) return forAll(response, outer);
      return standIn = new Response(null, { status, headers: { "cache-control": "no-store" } });
    };
    try {
      const answer = await guard.respond(c.req.raw, produce, new InHono(c, defaultKey));
      // What the app has answered to a client's error stands.
      const response = answer === standIn ? c.res as Response : answer;
      if (thrown !== undefined) {
        replaced.set(c, thrown);
        discard(c.res);
      }
      replaceResponse(c, withFields(response, outer));
    } catch (error) {
      if (thrown === undefined || error !== thrown) {
        giveBack(c, outer);
        throw error;
      }
      // What the app has answered to its own error stands.
      replaceResponse(c, withFields(c.res, outer));
    } finally {
      isOver = true;
    }
    return undefined;
  };
}

/** H6: to assign a response merges the fields of the one before into it. */
function replaceResponse(c: HonoContextLike, response: Response): void {
  if (c.finalized && c.res === response) return;
  c.res = undefined;
  c.res = response;
}

// ---- Fields that middlewares further out have set for this very request ----

/** They are neither kept for others nor lost when a kept response is served. */
interface OuterFields {
  /** Set by `c.header`: those of the answer win. */
  readonly usual: Headers;
  /** Set on `c.res`: they win. */
  readonly binding: Headers;
}

/**
 * Takes the fields out of the context, so that what comes back are the answer's own: Hono would let
 * these win, and so hide that an answer varies or is private. Where there are none, `c.res` is not
 * asked for: it would make a response, with which that of every handler is merged.
 */
function takeFields(c: HonoContextLike): OuterFields | undefined {
  if (c.finalized || (tellsAll(c) && isEmpty(probed(c)))) return undefined;
  const binding = new Headers((c.res as Response).headers);
  // To ask for the response has made one.
  c.res = undefined;
  c.finalized = false;
  const usual = new Headers(probed(c));
  // It goes with the body. Hono does not merge it either.
  usual.delete("content-type");
  binding.delete("content-type");
  for (const [name, value] of usual) if (binding.get(name) === value) binding.delete(name);
  return isEmpty(usual) && isEmpty(binding) ? undefined : { usual, binding };
}

/** The fields that a response would have that is made now. */
function probed(c: HonoContextLike): Headers {
  return c.newResponse(null, { status: 200 }).headers;
}

/** By the class of the context, as an app may have several versions of Hono. */
const telling = new WeakMap<object, boolean>();

/** Whether a response that is made now has the fields set on `c.res`, too: not in the oldest Hono 4. */
function tellsAll(c: HonoContextLike): boolean {
  const { constructor } = c;
  if (typeof constructor !== "function") return false;
  const known = telling.get(constructor);
  if (known !== undefined) return known;
  let tells = false;
  try {
    const trial = Reflect.construct(constructor, [c.req.raw]) as HonoContextLike;
    (trial.res as Response).headers.set("x-trial", "1");
    tells = probed(trial).has("x-trial");
  } catch {
    // Whatever it is, it is asked the long way.
  }
  telling.set(constructor, tells);
  return tells;
}

function isEmpty(headers: Headers): boolean {
  for (const _ of headers) return false;
  return true;
}

/** As it was before, for what Hono makes of an error. */
function giveBack(c: HonoContextLike, outer: OuterFields | undefined): void {
  c.res = undefined;
  if (outer !== undefined) c.res = withFields(new Response(null), outer);
  c.finalized = false;
}

/**
 * An answer as it may be kept for all: without what is this client's alone. What forbids to keep
 * it, or tells for whom it is, stays in it, wherever it was set.
 */
function forAll(response: Response, outer: OuterFields | undefined): Response {
  const isCoded = response.headers.has("content-encoding") && response.url === "";
  if ((outer === undefined && !isCoded) || !isRebuildable(response)) return response;
  const own = outer === undefined
    ? new Response(response.body, response)
    : withFields(response, outer);
  own.headers.delete("vary");
  addVary(own.headers, namesIn(response.headers));
  for (const fields of [outer?.usual, outer?.binding]) {
    for (const [name, value] of fields ?? []) {
      if (!DECISIVE.has(name) && own.headers.get(name) === value) own.headers.delete(name);
    }
    // Whom an answer may be shown to (CORS) is told anew each time.
    addVary(own.headers, namesIn(fields).filter((name) => name !== "origin"));
  }
  // Hono's `compress` did not always say so.
  if (isCoded) addVary(own.headers, ["accept-encoding"]);
  return own;
}

const DECISIVE: ReadonlySet<string> = new Set(["cache-control", "set-cookie", "vary"]);

/** An answer for this client: with the fields that are theirs. */
function withFields(response: Response, outer: OuterFields | undefined): Response {
  if (outer === undefined || !isRebuildable(response)) return response;
  const whole = new Response(response.body, response);
  const { headers } = whole;
  for (const fields of [outer.usual, outer.binding]) {
    for (const [name, value] of fields) {
      if (name === "set-cookie") {
        if (!headers.getSetCookie().includes(value)) headers.append(name, value);
      } else if (name === "vary") addVary(headers, namesIn(fields));
      else if (fields === outer.binding || !headers.has(name)) headers.set(name, value);
    }
  }
  return whole;
}

function addVary(headers: Headers, names: readonly string[]): void {
  const known = namesIn(headers);
  const missing = names.filter((name) => !known.includes(name));
  if (missing.length > 0) headers.append("vary", missing.join(", "));
}

/** The names in Vary, in lower case. */
function namesIn(headers: Headers | undefined): string[] {
  return (headers?.get("vary") ?? "").toLowerCase().split(",").map((name) => name.trim())
    .filter((name) => name !== "");
}

/** H8: others are only passed on. */
function isRebuildable({ status }: Response): boolean {
  return status >= 200 && status <= 599;
}

// ---- What Hono hands over ----

/** A class, as each object with a getter of its own is of a kind of its own, which V8 keeps for long. */
class InHono implements RespondContext {
  readonly defaultKey: string;
  readonly behind = false;
  readonly takesSignal = false;
  readonly hasJustCome: boolean;
  readonly #context: HonoContextLike;

  constructor(context: HonoContextLike, defaultKey: string) {
    this.defaultKey = defaultKey;
    this.hasJustCome = isFromServer(context.env);
    this.#context = context;
  }

  /** Looked up only if there is work: where there is no `executionCtx`, Hono throws. */
  get waitUntil(): ((work: Promise<unknown>) => void) | undefined {
    try {
      const { executionCtx } = this.#context;
      return (work) => executionCtx.waitUntil(work);
    } catch {
      return undefined;
    }
  }
}

/** Promise 30: the status of an HTTPException below 500, which is an answer. */
function clientErrorOf(error: Error): number | undefined {
  const { status, getResponse } = error as { status?: unknown; getResponse?: unknown };
  const isAnswer = typeof getResponse === "function" && typeof status === "number" &&
    status >= 200 && status < 500;
  return isAnswer ? status : undefined;
}

/** F7: a body that nobody reads may hold a connection. */
function discard({ body }: Response): void {
  if (body && !body.locked) body.cancel().catch(() => {});
}

function isBreaker(options: BreakerOptions | Breaker): options is Breaker {
  return typeof (options as Partial<Breaker> | null)?.respond === "function";
}
