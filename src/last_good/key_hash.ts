import type { CacheKey, Variant } from "./cache_key.ts";

/**
 * The hash of a key, in 53 bits, with the variant if it is about one. What is remembered by it takes
 * the same few bytes however long a client makes its key. Of 100,000 keys and 2,000 remembered ones,
 * two share a hash with a probability of one to 40 million.
 */
export function keyHash({ primary, place, added, owner }: CacheKey, variant: Variant): number {
  let hash = textHash(place, textHash(primary));
  if (added !== "" || owner !== "") hash = textHash(owner, textHash(added, hash));
  for (const [name, value] of variant) {
    hash = textHash(value ?? "", textHash(name, hash));
  }
  return hash;
}

/** The hash of a text, after others: texts that are divided otherwise have another one. */
export function textHash(text: string, before = 0): number {
  const { length } = text;
  let high = (before / LOW_RANGE) ^ 0x811c9dc5;
  let low = (before & (LOW_RANGE - 1)) ^ length;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit ^ (high >>> 15), 0x85ebca6b);
  }
  high = Math.imul(high ^ (high >>> 16) ^ length, 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 13) ^ (high >>> 9), 0x27d4eb2f);
  return (high >>> 0) * LOW_RANGE + ((low ^ (low >>> 15)) & (LOW_RANGE - 1));
}

/** The lower 21 bits of a hash have these many values. */
const LOW_RANGE = 2_097_152;
