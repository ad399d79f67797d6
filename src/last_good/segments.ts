import { LRUCache } from "lru-cache";
import type { CacheKey } from "./cache_key.ts";
import type { StoredResponse } from "./stored_response.ts";

/** Where a response is kept: it stays the same while newer heads take the place of older ones. */
export interface Slot {
  readonly key: CacheKey;
  stored: StoredResponse;
  /** True once it was asked for again. */
  isOften: boolean;
}

/**
 * The order in which responses are evicted: the least recently used first, and those that were asked
 * for once before those that were asked for often, so that a crawler leaves the latter alone (N4).
 */
export class Segments {
  readonly #maxBytes: number;
  /** Each is made with its first response. A limit in number would allocate room for all at once. */
  #once: LRUCache<Slot, Slot> | undefined;
  #often: LRUCache<Slot, Slot> | undefined;

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
    const segment = slot.isOften ? this.#often ??= this.#segment() : this.#once ??= this.#segment();
    segment.set(slot, slot, { size: slot.stored.size });
  }

  /** Notes that a response was asked for again. */
  touch(slot: Slot): void {
    if (slot.isOften) {
      this.#often?.get(slot);
      return;
    }
    this.#once?.delete(slot);
    slot.isOften = true;
    this.add(slot);
  }

  delete(slot: Slot): void {
    if (slot.isOften) this.#often?.delete(slot);
    else this.#once?.delete(slot);
  }

  /** Takes out the one that goes first; undefined if none may go. */
  pop(mayEvictOften: boolean): Slot | undefined {
    return this.#once?.pop() ?? (mayEvictOften ? this.#often?.pop() : undefined);
  }

  /** Lets go of the lists of all that there ever were, once nothing is kept. */
  clear(): void {
    this.#once = undefined;
    this.#often = undefined;
  }

  /** Never evicts by itself, as room is made before a response is added. */
  #segment(): LRUCache<Slot, Slot> {
    return new LRUCache({ maxSize: this.#maxBytes });
  }
}
