import type { CacheKey, Variant } from "./cache_key.ts";

/**
 * A number for texts, of 53 bits: what is remembered by it takes the same few bytes however long a
 * client makes them. Among 100,000 keys, two share one with a probability of one to a million.
 */
export function textHash(...texts: readonly (string | null)[]): number {
  let high = 0x811c9dc5;
  let low = 0x1b873593;
  for (const text of texts) {
    const length = text?.length ?? -1;
    for (let at = 0; at < length; at++) {
      const unit = text!.charCodeAt(at);
      high = Math.imul(high ^ unit, 0x9e3779b1);
      low = Math.imul(low ^ unit ^ (high >>> 15), 0x85ebca6b);
    }
    // No unit has this number, so texts that are divided otherwise have another hash.
    high = Math.imul(high ^ (0x10000 + length), 0xc2b2ae35);
    low = Math.imul(low ^ (high >>> 13), 0x27d4eb2f);
  }
  return (high >>> 0) * 0x200000 + ((low ^ (low >>> 16)) >>> 11);
}

/** The hash of a key, with the variant if it is about one. */
export function keyHash({ primary, place, added, owner }: CacheKey, variant: Variant): number {
  return textHash(primary, place, added, owner, ...variant.flat());
}
