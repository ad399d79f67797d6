import type { Fields } from "../http/fields.ts";
import { type CacheKey, keyLength, MAX_KEY_LENGTH, type Variant } from "./cache_key.ts";
import { keyHash, textHash } from "./key_hash.ts";
import type { StoredResponse } from "./stored_response.ts";

/** How many URLs are remembered: of each, two numbers. */
const MAX_URLS = 1_024;

/** How many removals of single variants are remembered. */
const MAX_VARIANTS = 128;

/** The most bytes of fields that are remembered of the request behind a removal. */
const MAX_FIELDS_BYTES = 2_048;

/** What a field takes besides its text. */
const FIELD_BYTES = 32;

/**
 * What is too long to be kept need not be remembered, either (S15). So a key of any length costs next
 * to nothing here.
 */
function isTooLong(length: number): boolean {
  return length > MAX_KEY_LENGTH;
}

/** What happened to whole URLs, or to all of them, for responses that were under way then (S18). */
export class UrlMarks {
  /** By the hash of the primary key, the place in the order of requests at which it happened. */
  readonly #orders = new Map<number, number>();
  #latest = 0;
  #ofAll = 0;

  /** @param primary The URL; undefined for all. */
  add(primary: string | undefined, order: number): void {
    this.#latest = Math.max(this.#latest, order);
    if (primary === undefined) {
      this.#ofAll = order;
      this.#orders.clear();
      return;
    }
    if (isTooLong(primary.length)) return;
    const hash = textHash(primary);
    this.#orders.delete(hash);
    this.#orders.set(hash, order);
    if (this.#orders.size <= MAX_URLS) return;
    for (const oldest of this.#orders.keys()) {
      this.#orders.delete(oldest);
      return;
    }
  }

  /** Reports whether it happened to this URL after a request with this order. */
  isAfter(order: number, primary: string): boolean {
    if (order >= this.#latest) return false;
    return order < this.#ofAll || order < (this.#orders.get(textHash(primary)) ?? 0);
  }
}

/** A variant that was removed. */
interface Removal {
  /** The hash of its key. */
  readonly hash: number;
  /** Names and values of the request's fields; undefined if they are too long: then all variants went. */
  readonly fields: readonly string[] | undefined;
  /** The place in the order of requests at which it was removed. */
  readonly order: number;
  readonly kind: number;
}

/** The latest removals of single variants. */
export class VariantRemovals {
  readonly #removals: Removal[] = [];
  #latest = 0;

  add(key: CacheKey, headers: Fields, order: number, kind: number): void {
    if (isTooLong(keyLength(key, []))) return;
    this.#latest = Math.max(this.#latest, order);
    this.#removals.push({ hash: keyHash(key, []), fields: shortFields(headers), order, kind });
    if (this.#removals.length > MAX_VARIANTS) this.#removals.shift();
  }

  /** Reports whether this response was removed after its request had started. */
  isAfter(key: CacheKey, { head: { order }, variant, kind }: StoredResponse): boolean {
    if (order >= this.#latest) return false;
    const hash = keyHash(key, []);
    return this.#removals.some((removal) =>
      order < removal.order && hash === removal.hash && kind === removal.kind &&
      matches(variant, removal.fields)
    );
  }

  clear(): void {
    this.#removals.length = 0;
  }
}

/** A copy of fields if they are short enough to be remembered. */
function shortFields(headers: Fields): readonly string[] | undefined {
  const fields: string[] = [];
  let bytes = 0;
  headers.forEach((value, name) => {
    bytes += FIELD_BYTES + name.length + value.length;
    if (bytes <= MAX_FIELDS_BYTES) fields.push(name, value);
  });
  return bytes <= MAX_FIELDS_BYTES ? fields : undefined;
}

function matches(variant: Variant, fields: Removal["fields"]): boolean {
  return fields === undefined || variant.every(([name, value]) => {
    for (let at = 0; at < fields.length; at += 2) {
      if (fields[at] === name) return fields[at + 1] === value;
    }
    return value === null;
  });
}
