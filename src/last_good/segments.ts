import type { CacheKey } from "./cache_key.ts";
import { added, askForLibrary, type EvictionOrder } from "./eviction_order.ts";
import type { StoredResponse } from "./stored_response.ts";

/** Where a response is kept: it stays the same while newer heads take the place of older ones. */
export interface Slot {
  readonly key: CacheKey;
  stored: StoredResponse;
  /** True once it was asked for again. */
  isOften: boolean;
}

/**
 * Of fewer responses, any order is quick: so the first answers, and most apps, never wait while the
 * library is evaluated, which blocks Deno for 10 ms.
 */
const MANY = 64;

/**
 * The order in which responses are evicted: the least recently used first, and those that were asked
 * for once before those that were asked for often, so that a crawler leaves the latter alone (N4).
 */
export class Segments {
  readonly #maxBytes: number;
  /** Each is made with its first response. */
  #once: EvictionOrder<Slot> | undefined;
  #often: EvictionOrder<Slot> | undefined;
  /** Of those that were asked for often, the one that would go last. */
  #latest: Slot | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get entries(): number {
    return (this.#once?.size ?? 0) + (this.#often?.size ?? 0);
  }

  /** The bytes of all responses; or only of those that were asked for once. */
  bytes(withOften: boolean): number {
    const once = this.#once?.calculatedSize ?? 0;
    return withOften ? once + (this.#often?.calculatedSize ?? 0) : once;
  }

  /** Reports whether there is one that may go. */
  canEvict(mayEvictOften: boolean): boolean {
    return (mayEvictOften ? this.entries : this.#once?.size ?? 0) > 0;
  }

  add(slot: Slot): void {
    if (this.entries >= MANY) askForLibrary();
    if (slot.isOften) {
      this.#often = added(this.#often, slot, this.#maxBytes);
      this.#latest = slot;
    } else this.#once = added(this.#once, slot, this.#maxBytes);
  }

  /** Notes that a response was asked for again. */
  touch(slot: Slot): void {
    if (slot === this.#latest) return;
    if (slot.isOften) {
      this.#often?.get(slot);
      this.#latest = slot;
      return;
    }
    this.#once?.delete(slot);
    slot.isOften = true;
    this.add(slot);
  }

  delete(slot: Slot): void {
    if (slot === this.#latest) this.#latest = undefined;
    if (slot.isOften) this.#often?.delete(slot);
    else this.#once?.delete(slot);
  }

  /** Takes out the one that goes first, which is then deleted; undefined if none may go. */
  pop(mayEvictOften: boolean): Slot | undefined {
    return this.#once?.pop() ?? (mayEvictOften ? this.#often?.pop() : undefined);
  }

  /** Lets go of the lists of all that there ever were, once nothing is kept. */
  clear(): void {
    this.#once = undefined;
    this.#often = undefined;
    this.#latest = undefined;
  }
}
