import { LRUCache } from "lru-cache";
import type { Fields } from "../http/fields.ts";
import { type CacheKey, matchesVariant, type Variant } from "./cache_key.ts";
import type { StoredResponse } from "./stored_response.ts";

/** How many removals are remembered for answers that were under way when they happened. */
const MAX_REMOVALS = 128;

/** A variant that was removed. What belonged to another one is none of its business. */
interface Removal {
  readonly key: CacheKey;
  readonly headers: Fields;
  /** The point in the order of requests at which it was removed. */
  readonly order: number;
}

/** Limits of a {@link Memory}. */
export interface MemoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxVariants: number;
}

/** Snapshots by place and variant, bounded in number and in bytes; the least recently used go first. */
export class Memory {
  readonly #limits: MemoryLimits;
  /** By primary, then by secondary: the variants, the most recently used last. */
  readonly #places = new Map<string, Map<string, StoredResponse[]>>();
  /** Made at the first snapshot. */
  #entries: LRUCache<StoredResponse, CacheKey> | undefined;
  /** Primaries from which all was removed, and at which point in the order of requests. */
  readonly #cleared = new Map<string, number>();
  /** The last variants that were removed. */
  readonly #removals: Removal[] = [];
  #clearedAt = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** The snapshot for a request with these fields; the most recent, if several fit (RFC 9111 §4.1). */
  find({ primary, secondary }: CacheKey, headers: Fields): StoredResponse | undefined {
    const variants = this.#places.get(primary)?.get(secondary);
    if (variants === undefined) return undefined;
    let found: StoredResponse | undefined;
    for (const stored of variants) {
      if (found !== undefined && found.head.order > stored.head.order) continue;
      if (matchesVariant(stored.variant, headers)) found = stored;
    }
    if (found === undefined) return undefined;
    this.#entries?.get(found);
    if (variants.length > 1) {
      variants.splice(variants.indexOf(found), 1);
      variants.push(found);
    }
    return found;
  }

  /** Keeps a snapshot in place of those that fit the same request; says why if it does not. */
  put(
    key: CacheKey,
    headers: Fields,
    stored: StoredResponse,
  ): "too-large" | "superseded" | undefined {
    const { maxEntries, maxBytes, maxVariants } = this.#limits;
    const { order } = stored.head;
    if (stored.size > maxBytes) return "too-large";
    // S18: nothing older than what was kept, or removed, in the meantime.
    if (this.#isRemoved(key, stored.variant, order)) return "superseded";
    const fitting = this.#fitting(key, headers);
    if (fitting.some((other) => other.head.order > order)) return "superseded";
    this.#entries ??= new LRUCache<StoredResponse, CacheKey>({
      max: maxEntries,
      maxSize: maxBytes,
      dispose: (key, stored) => this.#drop(key, stored),
    });
    for (const other of fitting) this.#entries.delete(other);
    let places = this.#places.get(key.primary);
    const [oldest, ...others] = places?.get(key.secondary) ?? [];
    if (oldest !== undefined && others.length + 1 >= maxVariants) this.#entries.delete(oldest);
    places = this.#places.get(key.primary);
    if (places === undefined) this.#places.set(key.primary, places = new Map());
    const variants = places.get(key.secondary);
    if (variants === undefined) places.set(key.secondary, [stored]);
    else variants.push(stored);
    this.#entries.set(stored, key, { size: Math.max(1, stored.size) });
    return undefined;
  }

  /** Removes what fits a request with these fields, unless it is newer than `order`. */
  remove(key: CacheKey, headers: Fields, order: number): void {
    this.#removals.push({ key, headers, order });
    if (this.#removals.length > MAX_REMOVALS) this.#removals.shift();
    for (const stored of this.#fitting(key, headers)) {
      if (stored.head.order < order) this.#entries?.delete(stored);
    }
  }

  /** Removes all variants of a primary, whoever's they are. */
  removeAll(primary: string, order: number): void {
    this.#remember(primary, order);
    for (const variants of [...this.#places.get(primary)?.values() ?? []]) {
      for (const stored of [...variants]) this.#entries?.delete(stored);
    }
  }

  /** Removes everything. */
  clear(order: number): void {
    this.#clearedAt = order;
    this.#cleared.clear();
    this.#removals.length = 0;
    this.#entries?.clear();
  }

  #fitting({ primary, secondary }: CacheKey, headers: Fields): StoredResponse[] {
    const variants = this.#places.get(primary)?.get(secondary) ?? [];
    return variants.filter(({ variant }) => matchesVariant(variant, headers));
  }

  /** Whether what has its place here was removed after this point in the order of requests. */
  #isRemoved({ primary, secondary }: CacheKey, variant: Variant, order: number): boolean {
    return order < this.#clearedAt || order < (this.#cleared.get(primary) ?? 0) ||
      this.#removals.some(({ key, headers, order: removedAt }) =>
        order < removedAt && key.primary === primary && key.secondary === secondary &&
        matchesVariant(variant, headers)
      );
  }

  #remember(primary: string, order: number): void {
    this.#cleared.delete(primary);
    this.#cleared.set(primary, order);
    if (this.#cleared.size <= MAX_REMOVALS) return;
    for (const oldest of this.#cleared.keys()) {
      this.#cleared.delete(oldest);
      return;
    }
  }

  /** A snapshot has left the entries: evicted, removed or replaced. */
  #drop({ primary, secondary }: CacheKey, stored: StoredResponse): void {
    const places = this.#places.get(primary);
    const variants = places?.get(secondary);
    if (places === undefined || variants === undefined) return;
    const index = variants.indexOf(stored);
    if (index >= 0) variants.splice(index, 1);
    if (variants.length === 0) places.delete(secondary);
    if (places.size === 0) this.#places.delete(primary);
  }
}
