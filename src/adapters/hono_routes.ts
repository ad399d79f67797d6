/** Where a middleware stands among the routes of an app. */

import type { Around } from "./hono_chain_end.ts";
import type { HonoContextLike } from "./hono_context.ts";

type Request = HonoContextLike["req"];

/**
 * The places of one middleware: a mounted app sees only its own part of the URL, so each route that
 * the middleware is used in keeps for itself (K5).
 */
export class Places {
  readonly #name: string;
  readonly #byRoute = new WeakMap<object, string>();
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Returns the place of this request. */
  at({ matchedRoutes, routeIndex = 0 }: Request): string {
    // Hono 4.6 starts counting again within `every`; without a router there are no routes.
    const route = matchedRoutes?.[routeIndex] ?? matchedRoutes?.[0];
    if (route === undefined) return this.#name;
    let place = this.#byRoute.get(route);
    if (place === undefined) {
      this.#count++;
      this.#byRoute.set(route, place = `${this.#name} ${this.#count}`);
    }
    return place;
  }
}

/**
 * Counts the dispatches that end after a middleware.
 *
 * @returns Undefined if it is the outermost.
 */
export function dispatchesAround(
  { matchedRoutes = [] }: Request,
  index: number,
  middleware: unknown,
): Around | undefined {
  // Cloudflare Pages calls it without a router.
  if (matchedRoutes.length === 0) return { dispatches: 0, isExact: false };
  const around = matchedRoutes.slice(0, index + 1).map(({ handler }) => unwrapped(handler));
  if (around[index]?.handler !== middleware) return { dispatches: index + 1, isExact: false };
  if (index === 0) return undefined;
  return {
    dispatches: around.reduce((count, { dispatches }) => count + dispatches, 0),
    isExact: !around.some(({ handler }) => COMBINES.test((handler as { name: string }).name)),
  };
}

/** The middlewares of `hono/combine`. */
const COMBINES = /^(every|except|some)\d*$/;

interface Unwrapped {
  readonly handler: unknown;
  /** How many dispatches one call of it takes. */
  readonly dispatches: number;
}

/** A handler of an app with an error handler of its own: `app.route` wraps it in a dispatch. */
function unwrapped(handler: unknown): Unwrapped {
  const key = Reflect.ownKeys(handler as object).find((key) =>
    /^(__COMPOSED_HANDLER|Symbol\(composedHandler\))$/.test(String(key))
  );
  if (key === undefined) return { handler, dispatches: 1 };
  const inner = unwrapped(Reflect.get(handler as object, key));
  return { handler: inner.handler, dispatches: inner.dispatches + 1 };
}
