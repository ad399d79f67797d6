import type { Outside } from "../last_good/candidate.ts";
import { isFromServer } from "../runtime.ts";

/** Facts about one request that `breaker.respond` cannot see for itself. */
export interface RespondContext {
  /** Names the circuit; wins over the option `key`. */
  readonly key?: string | undefined;
  /** Keeps work alive after this answer. The option of the same name wins. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  /**
   * False if `produce` must not run in the background while this request is answered from memory;
   * true if it may even where the host seems to stop such work. An option `background: false` wins.
   * @default {the option `background`}
   */
  readonly background?: boolean | undefined;
}

/** Further facts that only our own adapters know: each saves work, and users never see them. */
export interface HandlerInput extends RespondContext {
  /** The place that its answers are kept in (K5). */
  readonly place: string;
  /**
   * False if the handler has no use for a signal: then none is made.
   * @default {true}
   */
  readonly takesSignal?: boolean;
  /**
   * True if a server has handed the request over in this very turn, so that no client can have left
   * yet. Reading its signal takes Deno half the time of serving it, so that waits for a slow answer.
   * @default {false}
   */
  readonly justArrived?: boolean;
  /** The handlers further out, which may change the answer after it was given (H6). */
  readonly outside?: Outside | undefined;
}

/** Makes a response for a request. */
export type Produce = (
  request: Request,
  signal: AbortSignal | undefined,
) => Response | Promise<Response>;

/** What the caller of `respond` says, and nothing else of that object. */
export class RespondInput implements HandlerInput {
  readonly #context: RespondContext;

  constructor(context: RespondContext) {
    this.#context = context;
  }

  get key(): string | undefined {
    return this.#context.key;
  }

  get place(): string {
    const { key } = this;
    return key === undefined ? "respond" : `respond ${key}`;
  }

  get background(): boolean | undefined {
    return this.#context.background;
  }

  /** Read only if there is work. */
  get waitUntil(): RespondContext["waitUntil"] {
    return this.#context.waitUntil;
  }
}

/**
 * What a wrapped handler is called with besides the request: Workers pass `(request, env, ctx)`,
 * Vercel Edge `(request, ctx)`, servers `(request, info)`. A Worker's class has `this.ctx`.
 */
export class WrapInput implements HandlerInput {
  readonly takesSignal = false;
  readonly place: string;
  readonly #self: unknown;
  readonly #rest: readonly unknown[];

  constructor(place: string, self: unknown, rest: readonly unknown[]) {
    this.place = place;
    this.#self = self;
    this.#rest = rest;
  }

  get justArrived(): boolean {
    return this.#rest.some(isFromServer);
  }

  /** Searched only if there is work. An argument that throws when it is read may not be the one. */
  get waitUntil(): RespondContext["waitUntil"] {
    let failure: { readonly error: unknown } | undefined;
    for (let index = 0; index <= this.#rest.length; index++) {
      try {
        const found = waitUntilOf(
          index < this.#rest.length ? this.#rest[index] : Object(this.#self).ctx,
        );
        if (found !== undefined) return found;
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return undefined;
  }
}

/** A Worker's RPC stub claims to have every method, so it has this one, too. */
const MADE_UP = "~";

function waitUntilOf(value: unknown): RespondContext["waitUntil"] {
  const context = Object(value) as { waitUntil?: unknown; [MADE_UP]?: unknown };
  const { waitUntil } = context;
  if (typeof waitUntil !== "function" || context[MADE_UP] !== undefined) return undefined;
  return (work) => Reflect.apply(waitUntil, context, [work]);
}
