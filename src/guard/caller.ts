import { isFromServer } from "../runtime.ts";

/** Facts about one request that `breaker.respond` cannot see for itself. */
export interface RespondContext {
  /** Names the circuit; wins over the option `key`. */
  readonly key?: string | undefined;
  /** Keeps work alive after this answer. The option of the same name wins. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  /**
   * Allows `produce` to run in the background while this request is answered from memory.
   * @default {true}
   */
  readonly background?: boolean | undefined;
}

/** Facts that our own adapters know besides: each spares work, and users never see them. */
export interface HandlerInput extends RespondContext {
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
}

/** Makes a response for a request. */
export type Produce = (
  request: Request,
  signal: AbortSignal | undefined,
) => Response | Promise<Response>;

/**
 * Finds what a host hands over with a request, in a handler's further arguments: Workers pass
 * `(request, env, ctx)`, Vercel Edge `(request, ctx)`, servers `(request, info)`.
 */
export function inputFrom(rest: readonly unknown[]): HandlerInput {
  for (const value of rest) {
    const { waitUntil } = Object(value) as { waitUntil?: unknown };
    if (typeof waitUntil === "function") {
      return { takesSignal: false, waitUntil: (work) => waitUntil.call(value, work) };
    }
    if (isFromServer(value)) return { takesSignal: false, justArrived: true };
  }
  return { takesSignal: false };
}
