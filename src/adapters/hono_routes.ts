/** Where a middleware stands among the routes of an app. */

import type { Around } from "./hono_chain_end.ts";
import type { HonoContextLike } from "./hono_context.ts";

type Request = HonoContextLike["req"];

/** A route that a middleware is used in. */
export interface Place {
  readonly name: string;
  /** True if the middleware itself is the handler of that route, not something that calls it. */
  readonly isItself: boolean;
}

/**
 * The places of one middleware: a mounted app sees only its own part of the URL, so each route that
 * the middleware is used in keeps for itself (K5).
 */
export class Places {
  readonly middleware: unknown;
  readonly #name: string;
  readonly #byRoute = new WeakMap<object, Place>();
  readonly #nowhere: Place;
  #count = 0;

  constructor(name: string, middleware: unknown) {
    this.#name = name;
    this.middleware = middleware;
    this.#nowhere = { name, isItself: false };
  }

  /** Returns the place of this request. */
  at({ matchedRoutes, routeIndex = 0 }: Request): Place {
    // Hono 4.6 starts counting again within `every`; without a router there are no routes.
    const route = matchedRoutes?.[routeIndex] ?? matchedRoutes?.[0];
    if (route === undefined) return this.#nowhere;
    let place = this.#byRoute.get(route);
    if (place === undefined) {
      const name = `${this.#name} ${++this.#count}`;
      place = { name, isItself: route.handler === this.middleware };
      this.#byRoute.set(route, place);
    }
    return place;
  }
}

/** Counts the dispatches that end after a middleware that is not the first of its context. */
export function dispatchesAround(
  { matchedRoutes = [] }: Request,
  index: number,
  middleware: unknown,
): Around {
  // Cloudflare Pages calls it without a router.
  if (matchedRoutes.length === 0) return { dispatches: 0, isExact: false };
  const around = matchedRoutes.slice(0, index + 1).map(({ handler }) => unwrapped(handler));
  const isThere = index > 0 && around[index]?.handler === middleware;
  if (!isThere) return { dispatches: index + 1, isExact: false };
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
