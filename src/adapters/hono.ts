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
  type Breaker,
  breaker as makeBreaker,
  type BreakerOptions,
} from "../breaker.ts";
import { GuardedChain, type Middleware } from "./hono_chain.ts";
import type { HonoContextLike } from "./hono_context.ts";
import { Places } from "./hono_routes.ts";

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
 * while the circuit is open, nothing further in runs.
 *
 * Middleware further out has the last word: `private`, `no-store`, a cookie or a nonce that it sets
 * before or after `next()` forbids keeping. A mounted app does not see what the middleware of the outer
 * app sets. Make an app once: each one has copies of its own.
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
  const middleware: Middleware = (c, next) =>
    new GuardedChain(c, next, keeps, places).run(answer, defaultKey);
  const places = new Places(`hono ${side.middlewares}`, middleware);
  return Object.assign(middleware as BreakerMiddleware, { breaker: guard });
}

function isBreaker(options: BreakerOptions | Breaker): options is Breaker {
  return typeof (options as Partial<Breaker> | null)?.respond === "function";
}
