import { LRUCache } from "lru-cache";
import type { Fields } from "../http/fields.ts";
import { type CacheKey, matchesVariant, type Variant } from "./cache_key.ts";
import type { StoredResponse } from "./stored_response.ts";

/** Limits of a {@link Memory}. */
export interface MemoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxVariants: number;
}

/** Where a response is kept: it stays the same while newer heads take the place of older ones. */
interface Slot {
  stored: StoredResponse;
}

/** A variant that was removed. Other variants of its key are not concerned. */
interface Removal {
  readonly key: CacheKey;
  readonly headers: Fields;
  /** The place in the order of all requests at which it was removed. */
  readonly order: number;
}

/** How many removals are remembered, for responses that were under way when they happened. */
const MAX_REMOVALS = 128;

/** Responses by key and variant, limited in number and bytes. The least recently used go first. */
export class Memory {
  readonly #limits: MemoryLimits;
  /** By primary key, then by secondary key: the variants, the most recently used last. */
  readonly #variants = new Map<string, Map<string, Slot[]>>();
  /** Made with the first response. */
  #slots: LRUCache<Slot, CacheKey> | undefined;
  /** Primary keys of which everything was removed, with the place in the order of requests. */
  readonly #cleared = new Map<string, number>();
  /** The latest removals of single variants. */
  readonly #removals: Removal[] = [];
  #clearedAt = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** Returns the response for a request with these fields, the latest if several fit (RFC 9111 §4.1). */
  find({ primary, secondary }: CacheKey, headers: Fields): StoredResponse | undefined {
    const slots = this.#variants.get(primary)?.get(secondary);
    if (slots === undefined) return undefined;
    let found: Slot | undefined;
    for (const slot of slots) {
      const { variant, head } = slot.stored;
      if (found !== undefined && found.stored.head.order > head.order) continue;
      if (matchesVariant(variant, headers)) found = slot;
    }
    if (found === undefined) return undefined;
    this.#slots?.get(found);
    if (slots.length > 1) {
      slots.splice(slots.indexOf(found), 1);
      slots.push(found);
    }
    return found.stored;
  }

  /** Keeps a response in place of those that fit the same request; says why if it does not. */
  put(
    key: CacheKey,
    headers: Fields,
    stored: StoredResponse,
  ): "too-large" | "superseded" | undefined {
    const { order } = stored.head;
    if (stored.size > this.#limits.maxBytes) return "too-large";
    // A response never takes the place of one that was asked for, or removed, later (S18).
    if (this.#wasRemoved(key, stored.variant, order)) return "superseded";
    const fitting = this.#fitting(key, headers);
    if (fitting.some((slot) => slot.stored.head.order > order)) return "superseded";
    for (const slot of fitting) this.#slots?.delete(slot);
    this.#makeRoom(key);
    this.#insert(key, { stored });
    return undefined;
  }

  /**
   * Puts `next` in the place of `stored`, which has the same variant and size, and has just been found.
   * Does nothing if that is no longer kept.
   */
  replace({ primary, secondary }: CacheKey, stored: StoredResponse, next: StoredResponse): void {
    const slot = this.#variants.get(primary)?.get(secondary)?.find((it) => it.stored === stored);
    if (slot !== undefined) slot.stored = next;
  }

  /** Removes what fits a request with these fields, unless it was asked for after `order`. */
  remove(key: CacheKey, headers: Fields, order: number): void {
    this.#removals.push({ key, headers, order });
    if (this.#removals.length > MAX_REMOVALS) this.#removals.shift();
    for (const slot of this.#fitting(key, headers)) {
      if (slot.stored.head.order < order) this.#slots?.delete(slot);
    }
  }

  /** Removes all variants of a primary key, in all partitions. */
  removeAll(primary: string, order: number): void {
    this.#rememberCleared(primary, order);
    for (const slots of [...this.#variants.get(primary)?.values() ?? []]) {
      for (const slot of [...slots]) this.#slots?.delete(slot);
    }
  }

  /** Removes everything. */
  clear(order: number): void {
    this.#clearedAt = order;
    this.#cleared.clear();
    this.#removals.length = 0;
    this.#slots?.clear();
  }

  #fitting({ primary, secondary }: CacheKey, headers: Fields): Slot[] {
    const slots = this.#variants.get(primary)?.get(secondary) ?? [];
    return slots.filter(({ stored }) => matchesVariant(stored.variant, headers));
  }

  /** One variant too many pushes out the least recently used one of the same key. */
  #makeRoom({ primary, secondary }: CacheKey): void {
    const slots = this.#variants.get(primary)?.get(secondary) ?? [];
    const [oldest] = slots;
    if (oldest !== undefined && slots.length >= this.#limits.maxVariants) {
      this.#slots?.delete(oldest);
    }
  }

  #insert(key: CacheKey, slot: Slot): void {
    const { primary, secondary } = key;
    let bySecondary = this.#variants.get(primary);
    if (bySecondary === undefined) this.#variants.set(primary, bySecondary = new Map());
    const slots = bySecondary.get(secondary);
    if (slots === undefined) bySecondary.set(secondary, [slot]);
    else slots.push(slot);
    this.#slots ??= new LRUCache<Slot, CacheKey>({
      max: this.#limits.maxEntries,
      maxSize: this.#limits.maxBytes,
      dispose: (key, slot) => this.#drop(key, slot),
    });
    this.#slots.set(slot, key, { size: Math.max(1, slot.stored.size) });
  }

  /** Reports whether this variant was removed after a request with this place in the order. */
  #wasRemoved({ primary, secondary }: CacheKey, variant: Variant, order: number): boolean {
    return order < this.#clearedAt || order < (this.#cleared.get(primary) ?? 0) ||
      this.#removals.some(({ key, headers, order: removedAt }) =>
        order < removedAt && key.primary === primary && key.secondary === secondary &&
        matchesVariant(variant, headers)
      );
  }

  #rememberCleared(primary: string, order: number): void {
    this.#cleared.delete(primary);
    this.#cleared.set(primary, order);
    if (this.#cleared.size <= MAX_REMOVALS) return;
    for (const oldest of this.#cleared.keys()) {
      this.#cleared.delete(oldest);
      return;
    }
  }

  /** Runs when a response has left the LRU: evicted, removed or replaced. */
  #drop({ primary, secondary }: CacheKey, slot: Slot): void {
    const bySecondary = this.#variants.get(primary);
    const slots = bySecondary?.get(secondary);
    if (bySecondary === undefined || slots === undefined) return;
    const index = slots.indexOf(slot);
    if (index >= 0) slots.splice(index, 1);
    if (slots.length === 0) bySecondary.delete(secondary);
    if (bySecondary.size === 0) this.#variants.delete(primary);
  }
}
