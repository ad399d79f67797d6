import type { LRUCache } from "lru-cache";
import { isWorkerd } from "../runtime.ts";

/** What is ordered: each has a size in bytes that stays the same. */
interface Sized {
  readonly stored: { readonly size: number };
}

/** The order in which things are evicted, the least recently used first: a part of an `LRUCache`. */
export interface EvictionOrder<S> {
  /** Adds it as the latest, even if it is there already. */
  set(it: S, same: S, options: { readonly size: number }): unknown;
  delete(it: S): unknown;
  /** Takes out the one that goes first. */
  pop(): S | undefined;
}

/** Undefined until it was imported. */
let library: typeof LRUCache | undefined;
let isAsked = false;

/**
 * Imports the LRU library unless that has been done: not with this module, as on Deno it takes 14 ms.
 * Nothing waits for it. On Workers a promise may end with its request, so there each copy asks anew.
 */
export function askForLibrary(): void {
  if (isAsked) return;
  isAsked = !isWorkerd();
  import("lru-cache").then(({ LRUCache }) => {
    library = LRUCache;
    isAsked = true;
  }, () => {});
}

/** Adds to an order that never evicts by itself. Returns the order to use from now on. */
export function added<S extends Sized>(
  order: EvictionOrder<S> | undefined,
  it: S,
  maxBytes: number,
): EvictionOrder<S> {
  let current = order ?? new EarlyOrder<S>();
  if (library !== undefined && current instanceof EarlyOrder) {
    // A limit in number would allocate room for all at once.
    const lasting = new library<S, S>({ maxSize: maxBytes });
    for (const earlier of current.all) lasting.set(earlier, earlier, sizeOf(earlier));
    current = lasting;
  }
  current.set(it, it, sizeOf(it));
  return current;
}

function sizeOf({ stored: { size } }: Sized): { readonly size: number } {
  return { size };
}

/**
 * The order until the library is there. Not for ever: V8's sets keep places for what was deleted, so
 * taking out the first of 100,000 takes 7 µs, and up to 80, where the library takes 0.6 µs.
 */
class EarlyOrder<S> implements EvictionOrder<S> {
  readonly all = new Set<S>();

  set(it: S): void {
    this.all.delete(it);
    this.all.add(it);
  }

  delete(it: S): void {
    this.all.delete(it);
  }

  pop(): S | undefined {
    const [first] = this.all;
    if (first !== undefined) this.all.delete(first);
    return first;
  }
}
