import type { HonoContextLike } from "./hono_context.ts";

/** Gets the response with which a chain has ended, again if the response was read once more. */
type Listener = (response: Response) => void;

/** What must end before a chain has ended. */
export interface Around {
  /** How many dispatches: the middleware's own, and those around it. */
  readonly dispatches: number;
  /** False if there may be more: middleware that combines others has dispatches of its own. */
  readonly isExact: boolean;
}

/**
 * Calls the listener when the chain of a context has ended: from then on no middleware changes its
 * response.
 *
 * Hono has no event for this, and middleware further out still runs when ours is over. But the promise
 * of each of its dispatches resolves with the context, for which every engine looks up `then`; and
 * after the outermost one, Hono takes the context's `res`. Both are watched for one request: 2 µs, and
 * only where a copy is made (H6).
 */
export function onChainEnd(c: HonoContextLike, around: Around, listener: Listener): void {
  const watched = c as WatchedContext;
  const ending = watched[ENDING] ?? watch(watched);
  ending.listen(around, listener);
}

/** The same in all copies of the package: two middlewares may watch one context. */
const ENDING: unique symbol = Symbol.for("@lastgood/breaker/ending") as never;

interface WatchedContext extends HonoContextLike {
  [ENDING]: Ending;
}

interface Waiting extends Around {
  readonly hear: Listener;
}

/** How many microtasks a middleware takes at most from a look at the response to the next dispatch. */
const QUIET_TURNS = 4;

/** What has been seen of a context that is watched. */
class Ending {
  readonly #response: () => Response;
  readonly #waiting: Waiting[] = [];
  #ended = 0;
  #seen = 0;

  constructor(response: () => Response) {
    this.#response = response;
  }

  listen({ dispatches, isExact }: Around, hear: Listener): void {
    this.#waiting.push({ dispatches: this.#ended + dispatches, isExact, hear });
  }

  seeDispatchEnd(): void {
    this.#ended++;
    this.#seen++;
  }

  /**
   * Middleware that reads the response may change it in the same turn, before the next dispatch
   * ends.
   */
  seeLook(): void {
    const look = ++this.#seen;
    for (const { dispatches, isExact, hear } of this.#waiting) {
      if (dispatches > this.#ended) continue;
      const isLast = isExact && dispatches === this.#ended;
      afterTurns(isLast ? 1 : QUIET_TURNS, () => {
        if (isLast || look === this.#seen) hear(this.#response());
      });
    }
  }
}

/** What waits for a few microtasks. */
const due = new Set<() => void>();

async function afterTurns(turns: number, act: () => void): Promise<void> {
  due.add(act);
  for (let turn = 0; turn < turns; turn++) await undefined;
  if (due.delete(act)) act();
}

/** Does it at once: the next request is here already, if the app is called within its own process. */
export function flushDue(): void {
  for (const act of due) {
    due.delete(act);
    act();
  }
}

function watch(c: WatchedContext): Ending {
  const base = Object.getPrototypeOf(c);
  let prototype = prototypes.get(base);
  if (prototype === undefined) prototypes.set(base, prototype = watchedOver(base));
  const ending = c[ENDING] = new Ending(() => Reflect.get(base, "res", c));
  // Accessors of the context itself would give each one a hidden class of its own.
  Reflect.setPrototypeOf(c, prototype);
  return ending;
}

/** By the prototype below it, as an app may have several versions of Hono. */
const prototypes = new WeakMap<object, object>();

function watchedOver(base: object): object {
  return Object.create(base, {
    res: {
      get(this: WatchedContext) {
        this[ENDING].seeLook();
        return Reflect.get(base, "res", this);
      },
      set(this: WatchedContext, response: unknown) {
        Reflect.set(base, "res", response, this);
      },
    },
    then: {
      get(this: WatchedContext) {
        this[ENDING].seeDispatchEnd();
        return undefined;
      },
    },
  });
}
