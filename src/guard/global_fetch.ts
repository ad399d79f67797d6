import { fetchHead, type RequestHead } from "../last_good/request_head.ts";
import type { Fetch } from "./options.ts";

/** How a breaker calls its upstream. */
export interface Upstream {
  readonly fetch: Fetch;
  /** True while the upstream's `fetch` is being called: who comes in now comes through it. */
  readonly isCalling: boolean;
  readonly isGlobal: boolean;
}

const ours = new WeakSet<object>();

/** Remembers that `fetch` is a breaker's: such a one is never called in the place of the global. */
export function markAsOurs(fetch: Fetch): void {
  ours.add(fetch);
}

/**
 * The global `fetch`, looked up at each call because tests and hosts replace it. Where it is a
 * breaker's own, or ends up there, the one from before is called: `globalThis.fetch = api.fetch` is no
 * recursion.
 */
export class GlobalFetch implements Upstream {
  isCalling = false;
  readonly isGlobal = true;
  readonly #before = globalThis.fetch;

  readonly fetch: Fetch = (...args: Parameters<Fetch>) => {
    const current = globalThis.fetch;
    const before = this.#before;
    if (this.isCalling || ours.has(current)) return before(...args);
    this.isCalling = true;
    try {
      return current(...args);
    } finally {
      this.isCalling = false;
    }
  };
}

/** Calls what the option `fetch` names: a function, or an object with such a method. */
export function upstreamOf(given: Fetch | { readonly fetch: Fetch } | undefined): Upstream {
  if (given === undefined) return new GlobalFetch();
  return {
    fetch: typeof given === "function" ? given : (...args) => given.fetch(...args),
    isCalling: false,
    isGlobal: false,
  };
}

/**
 * Returns the head of a request for this upstream; undefined if the global `fetch` has to say what is
 * wrong with it.
 *
 * @throws {TypeError} If the URL or a field is not valid.
 */
export function headFor(
  { isGlobal }: Upstream,
  input: string | Request,
  init: RequestInit | undefined,
  rest: readonly unknown[],
): RequestHead | undefined {
  try {
    const head = fetchHead(input, init, isGlobal ? undefined : rest);
    return isGlobal && head.url === "" ? undefined : head;
  } catch (error) {
    if (isGlobal) return undefined;
    throw error;
  }
}
