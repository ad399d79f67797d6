import type { Fields } from "../http/fields.ts";
import { MemoryBudget } from "./budget.ts";
import { type CacheKey, matchesVariant, type Variant, variesOnAll } from "./cache_key.ts";
import { keyHash } from "./key_hash.ts";
import { Pages } from "./pages.ts";
import { RecentlyAsked } from "./recently_asked.ts";
import { UrlMarks, VariantRemovals } from "./removals.ts";
import { Segments, type Slot } from "./segments.ts";
import type { StoredResponse } from "./stored_response.ts";

/** Limits of a {@link Memory}. */
export interface MemoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxVariants: number;
}

/** What a memory holds. */
export interface Kept {
  /** How many responses are kept. */
  readonly entries: number;
  /** How many bytes of `maxBytes` are taken, by what is kept and by what is on its way. */
  readonly bytes: number;
}

/** Responses by key and variant, limited in number and bytes. */
export class Memory {
  readonly budget: MemoryBudget;
  readonly #limits: MemoryLimits;
  readonly #pages = new Pages();
  readonly #segments: Segments;
  readonly #recentlyAsked = new RecentlyAsked();
  readonly #removed = new UrlMarks();
  readonly #removedVariants = new VariantRemovals();
  readonly #outdated = new UrlMarks();

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
    this.#segments = new Segments(limits.maxBytes);
    this.budget = new MemoryBudget(limits.maxBytes, {
      evictableBytes: (mayEvict) => this.#segments.bytes(mayEvict),
      evict: (mayEvict) => this.#evict(mayEvict),
    });
  }

  get kept(): Kept {
    return { entries: this.#segments.entries, bytes: this.budget.bytes };
  }

  /** Returns the response for a request with these fields, the latest if several fit (RFC 9111 §4.1). */
  find(key: CacheKey, headers: Fields): StoredResponse | undefined {
    const slots = this.#pages.variants(key);
    if (slots === undefined) return undefined;
    let found: Slot | undefined;
    for (const slot of slots) {
      const { head, variant } = slot.stored;
      if (found !== undefined && found.stored.head.order > head.order) continue;
      if (isOf(key, slot) && matchesVariant(variant, headers)) found = slot;
    }
    if (found === undefined) return undefined;
    this.#segments.touch(found);
    if (slots.length > 1 && slots[slots.length - 1] !== found) {
      slots.splice(slots.indexOf(found), 1);
      slots.push(found);
    }
    return found.stored;
  }

  /**
   * Reports whether another request has asked for this, too, so that a copy of it may take the room of
   * what is asked for often (N4). Remembers that it was asked for.
   */
  isWanted(
    key: CacheKey,
    headers: Fields,
    { variant, order }: Pick<StoredResponse, "variant"> & { readonly order: number },
  ): boolean {
    const replaced = replaceable(this.#fitting(key, headers), variant);
    return replaced.length > 0 || this.#recentlyAsked.ask(keyHash(key, variant), order);
  }

  /**
   * Keeps a response in place of those that it can stand in for; says why if it does not. One that
   * varies on more stands beside the older one, which all other requests still need (K2).
   */
  put(
    key: CacheKey,
    headers: Fields,
    stored: StoredResponse,
  ): "too-large" | "superseded" | "no-room" | undefined {
    const { head: { order }, variant } = stored;
    if (stored.size > this.#limits.maxBytes) return "too-large";
    // A response never takes the place of one that was asked for, or removed, later (S18).
    if (this.#wasRemoved(key, stored)) return "superseded";
    const fitting = this.#fitting(key, headers);
    if (fitting.some((slot) => slot.stored.head.order > order)) return "superseded";
    const replaced = replaceable(fitting, variant);
    const isOften = replaced.length > 0 || this.#recentlyAsked.ask(keyHash(key, variant), order);
    if (!this.#makeRoom(key, stored.size, replaced, isOften)) return "no-room";
    this.budget.reserve(stored.size, isOften);
    const slot = { key, stored: this.#marked(key, stored), isOften, usedAt: -1 };
    this.#pages.add(slot);
    this.#segments.add(slot);
    return undefined;
  }

  /**
   * Puts `next` in the place of `stored`, which has the same variant and size, and has just been found.
   * Does nothing if that is no longer kept.
   */
  replace(key: CacheKey, stored: StoredResponse, next: StoredResponse): void {
    const slot = this.#pages.variants(key)?.find((it) => it.stored === stored);
    if (slot !== undefined) slot.stored = next;
  }

  /** Removes this very response, if it is still kept. */
  drop(key: CacheKey, stored: StoredResponse): void {
    const slot = this.#pages.variants(key)?.find((it) => it.stored === stored);
    if (slot !== undefined) this.#delete(slot);
  }

  /**
   * Removes what fits a request with these fields and of this kind, in all places, unless it was
   * asked for after `order`. Responses that are under way are removed only in the place of the key.
   *
   * @returns How many were removed.
   */
  remove(key: CacheKey, headers: Fields, order: number, kind: number): number {
    this.#removedVariants.add(key, headers, order, kind);
    const slots = this.#pages.variants(key) ?? [];
    return this.#removeEach(
      slots.filter(({ key: { added }, stored }) =>
        added === key.added && stored.kind === kind && stored.head.order < order &&
        matchesVariant(stored.variant, headers)
      ),
    );
  }

  /**
   * Removes all variants of a primary key, in all places and partitions.
   *
   * @returns How many were removed.
   */
  removeAll(primary: string, order: number): number {
    this.#removed.add(primary, order);
    return this.#removeEach(this.#pages.slots(primary));
  }

  /**
   * Removes everything.
   *
   * @returns How many were removed.
   */
  clear(order: number): number {
    this.#removed.add(undefined, order);
    this.#removedVariants.clear();
    const removed = this.#removeEach(this.#pages.slots());
    this.#segments.clear();
    return removed;
  }

  /**
   * Marks all variants of a primary key as outdated, in all places and partitions, or everything;
   * responses to earlier requests are marked when they are kept.
   */
  outdate(primary: string | undefined, order: number): void {
    this.#outdated.add(primary, order);
    for (const slot of this.#pages.slots(primary)) {
      slot.stored = { ...slot.stored, isOutdated: true };
    }
  }

  #fitting(key: CacheKey, headers: Fields): Slot[] {
    const slots = this.#pages.variants(key) ?? [];
    return slots.filter((slot) => isOf(key, slot) && matchesVariant(slot.stored.variant, headers));
  }

  /** Reports whether this response was removed after its request had started (S18). */
  #wasRemoved(key: CacheKey, stored: StoredResponse): boolean {
    return this.#removed.isAfter(stored.head.order, key.primary) ||
      this.#removedVariants.isAfter(key, stored);
  }

  #marked({ primary }: CacheKey, stored: StoredResponse): StoredResponse {
    return this.#outdated.isAfter(stored.head.order, primary)
      ? { ...stored, isOutdated: true }
      : stored;
  }

  /**
   * Makes room for one response in place of those that fit its request. If there can be none, nothing
   * is evicted.
   */
  #makeRoom(key: CacheKey, size: number, replaced: readonly Slot[], isOften: boolean): boolean {
    if (!this.budget.hasRoom(size, isOften)) return false;
    for (const slot of replaced) this.#delete(slot);
    if (replaced.length > 0) return true;
    const slots = this.#pages.variants(key) ?? [];
    // One variant too many pushes out another one of the same page.
    if (slots.length >= this.#limits.maxVariants) {
      const oldest = slots.find((slot) => !slot.isOften) ?? (isOften ? slots[0] : undefined);
      if (oldest !== undefined) this.#forgo(oldest);
      return oldest !== undefined;
    }
    if (this.#segments.entries < this.#limits.maxEntries) return true;
    if (!this.#segments.canEvict(isOften)) return false;
    this.#evict(isOften);
    return true;
  }

  #evict(mayEvictOften: boolean): void {
    const slot = this.#segments.pop(mayEvictOften);
    if (slot !== undefined) this.#forgo(slot);
  }

  #removeEach(slots: readonly Slot[]): number {
    for (const slot of slots) this.#forgo(slot);
    return slots.length;
  }

  /** Deletes a response that may be asked for again. */
  #forgo(slot: Slot): void {
    this.#delete(slot);
    this.#recentlyAsked.ask(keyHash(slot.key, slot.stored.variant), 0);
  }

  #delete(slot: Slot): void {
    this.#pages.delete(slot);
    this.#segments.delete(slot);
    this.budget.release(slot.stored.size - (slot.stored.hold?.inherit() ?? 0));
  }
}

/** Returns those for which a response of this variant can stand in. */
function replaceable(fitting: readonly Slot[], variant: Variant): Slot[] {
  return fitting.filter((slot) => variesOnAll(slot.stored.variant, variant));
}

/** Reports whether a slot has this place and these added parts of the key. */
function isOf({ place, added }: CacheKey, { key }: Slot): boolean {
  return key.place === place && key.added === added;
}
