import type { Fields } from "../http/fields.ts";
import type { CacheKey, Variant } from "./cache_key.ts";
import { keyHash, textHash } from "./key_hash.ts";
import { setLatest } from "./latest.ts";
import type { StoredResponse } from "./stored_response.ts";

/** How many URLs are remembered: of each, two numbers. */
const MAX_URLS = 1_024;

/** How many removals of single variants are remembered. */
const MAX_VARIANTS = 128;

/** The most UTF-16 units of fields that are remembered of the request behind a removal. */
const MAX_FIELDS_LENGTH = 1_024;

/** What happened to whole URLs, or to all of them, for responses that were under way then (S18). */
export class UrlMarks {
  /** By the hash of the primary key, the place in the order of requests at which it happened. */
  readonly #orders = new Map<number, number>();
  #latest = 0;
  #ofAll = 0;

  /** @param primary The URL; undefined for all. */
  add(primary: string | undefined, order: number): void {
    this.#latest = order;
    if (primary === undefined) {
      this.#ofAll = order;
      this.#orders.clear();
      return;
    }
    setLatest(this.#orders, textHash(primary), order, MAX_URLS);
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
  /** The fields of the request; undefined if they are too long: then it is about all variants. */
  readonly fields: ReadonlyMap<string, string> | undefined;
  /** The place in the order of requests at which it was removed. */
  readonly order: number;
  readonly kind: number;
}

/** The latest removals of single variants. */
export class VariantRemovals {
  readonly #removals: Removal[] = [];
  #latest = 0;

  add(key: CacheKey, headers: Fields, order: number, kind: number): void {
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
function shortFields(headers: Fields): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>();
  let length = 0;
  headers.forEach((value, name) => {
    length += name.length + value.length;
    if (length <= MAX_FIELDS_LENGTH) fields.set(name, value);
  });
  return length <= MAX_FIELDS_LENGTH ? fields : undefined;
}

function matches(variant: Variant, fields: Removal["fields"]): boolean {
  return fields === undefined ||
    variant.every(([name, value]) => (fields.get(name) ?? null) === value);
}
