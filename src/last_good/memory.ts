import { LRUCache } from "lru-cache";
import type { Fields } from "./fields.ts";
import { isVariant, type Place, type Variant } from "./key.ts";
import type { Snapshot } from "./snapshot.ts";

/** How many removals are remembered for answers that were under way when they happened. */
const MAX_REMOVALS = 128;

/** A variant that was removed. What belonged to another one is none of its business. */
interface Removal {
  readonly place: Place;
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
  readonly #places = new Map<string, Map<string, Snapshot[]>>();
  /** Made at the first snapshot. */
  #entries: LRUCache<Snapshot, Place> | undefined;
  /** Primaries from which all was removed, and at which point in the order of requests. */
  readonly #cleared = new Map<string, number>();
  /** The last variants that were removed. */
  readonly #removals: Removal[] = [];
  #clearedAt = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** The snapshot for a request with these fields; the most recent, if several fit (RFC 9111 §4.1). */
  find({ primary, secondary }: Place, headers: Fields): Snapshot | undefined {
    const variants = this.#places.get(primary)?.get(secondary);
    if (variants === undefined) return undefined;
    let found: Snapshot | undefined;
    for (const snapshot of variants) {
      if (found !== undefined && found.head.order > snapshot.head.order) continue;
      if (isVariant(snapshot.variant, headers)) found = snapshot;
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
  put(place: Place, headers: Fields, snapshot: Snapshot): "too-large" | "superseded" | undefined {
    const { maxEntries, maxBytes, maxVariants } = this.#limits;
    const { order } = snapshot.head;
    if (snapshot.size > maxBytes) return "too-large";
    // S18: nothing older than what was kept, or removed, in the meantime.
    if (this.#isRemoved(place, snapshot.variant, order)) return "superseded";
    const fitting = this.#fitting(place, headers);
    if (fitting.some((other) => other.head.order > order)) return "superseded";
    this.#entries ??= new LRUCache<Snapshot, Place>({
      max: maxEntries,
      maxSize: maxBytes,
      dispose: (place, snapshot) => this.#drop(place, snapshot),
    });
    for (const other of fitting) this.#entries.delete(other);
    let places = this.#places.get(place.primary);
    const [oldest, ...others] = places?.get(place.secondary) ?? [];
    if (oldest !== undefined && others.length + 1 >= maxVariants) this.#entries.delete(oldest);
    places = this.#places.get(place.primary);
    if (places === undefined) this.#places.set(place.primary, places = new Map());
    const variants = places.get(place.secondary);
    if (variants === undefined) places.set(place.secondary, [snapshot]);
    else variants.push(snapshot);
    this.#entries.set(snapshot, place, { size: Math.max(1, snapshot.size) });
    return undefined;
  }

  /** Removes what fits a request with these fields, unless it is newer than `order`. */
  remove(place: Place, headers: Fields, order: number): void {
    this.#removals.push({ place, headers, order });
    if (this.#removals.length > MAX_REMOVALS) this.#removals.shift();
    for (const snapshot of this.#fitting(place, headers)) {
      if (snapshot.head.order < order) this.#entries?.delete(snapshot);
    }
  }

  /** Removes all variants of a primary, whoever's they are. */
  removeAll(primary: string, order: number): void {
    this.#remember(primary, order);
    for (const variants of [...this.#places.get(primary)?.values() ?? []]) {
      for (const snapshot of [...variants]) this.#entries?.delete(snapshot);
    }
  }

  /** Removes everything. */
  clear(order: number): void {
    this.#clearedAt = order;
    this.#cleared.clear();
    this.#removals.length = 0;
    this.#entries?.clear();
  }

  #fitting({ primary, secondary }: Place, headers: Fields): Snapshot[] {
    const variants = this.#places.get(primary)?.get(secondary) ?? [];
    return variants.filter(({ variant }) => isVariant(variant, headers));
  }

  /** Whether what has its place here was removed after this point in the order of requests. */
  #isRemoved({ primary, secondary }: Place, variant: Variant, order: number): boolean {
    return order < this.#clearedAt || order < (this.#cleared.get(primary) ?? 0) ||
      this.#removals.some(({ place, headers, order: removedAt }) =>
        order < removedAt && place.primary === primary && place.secondary === secondary &&
        isVariant(variant, headers)
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
  #drop({ primary, secondary }: Place, snapshot: Snapshot): void {
    const places = this.#places.get(primary);
    const variants = places?.get(secondary);
    if (places === undefined || variants === undefined) return;
    const index = variants.indexOf(snapshot);
    if (index >= 0) variants.splice(index, 1);
    if (variants.length === 0) places.delete(secondary);
    if (places.size === 0) this.#places.delete(primary);
  }
}
