import type { Fields } from "../http/fields.ts";
import type { RequestHead } from "./request_head.ts";
import { reflectedFields } from "./rules/field_names.ts";

/** The key of a kept response. Each part is looked up by itself, so none can forge another. */
export interface CacheKey {
  /** The URL, or what the option `key` returns instead (K1). All its variants are removed together. */
  readonly primary: string;
  /** The part of the app that made the response: each keeps for itself (K5). */
  readonly place: string;
  /** Reflected fields (K3) and the request's extra key (K6, K1), as JSON; "" if there are none. */
  readonly added: string;
  /** The hash of the partition; "" if the response belongs to no one in particular (K4). */
  readonly owner: string;
}

/** The longest key under which a response is kept, in UTF-16 units (S15). */
export const MAX_KEY_LENGTH = 8_192;

/**
 * Makes the key of a request.
 *
 * @param primary The URL, or what the option `key` returns instead.
 * @param place The part of the app that makes the response (K5).
 * @param owner The hash of the partition; "" if there is none.
 */
export function cacheKey(
  primary: string,
  place: string,
  { headers, isOutgoing, extraKey = "" }: Pick<RequestHead, "headers"> & Partial<RequestHead>,
  owner: string,
): CacheKey {
  const reflected = reflectedFields(headers, isOutgoing);
  const isPlain = reflected === undefined && extraKey === "";
  return { primary, place, added: isPlain ? "" : JSON.stringify([reflected, extraKey]), owner };
}

/**
 * Returns the key that a request would have if it had written its host as the URL parser does;
 * undefined if it has, or if it means another host. What is kept under that key may be served to
 * anybody who asks for that host (K1).
 */
export function usualKey(
  { primary, place, owner }: CacheKey,
  { headers, isOutgoing, extraKey, doubt }: RequestHead,
): CacheKey | undefined {
  return isOutgoing || !extraKey || doubt !== undefined
    ? undefined
    : cacheKey(primary, place, { headers }, owner);
}

/** Hashes a partition, which may be a secret: SHA-256 in hexadecimal (K4). */
export async function hashPartition(partition: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytesOf(partition));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * In UTF-8, all lone surrogates become the same: such a text is hashed by its code units, after a
 * byte that UTF-8 never has.
 */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (!/\p{Surrogate}/u.test(text)) return new TextEncoder().encode(text);
  const bytes = new Uint8Array(1 + 2 * text.length);
  bytes[0] = 0xff;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes[1 + 2 * index] = unit >> 8;
    bytes[2 + 2 * index] = unit & 0xff;
  }
  return bytes;
}

/** The request fields that a response varies on, with their values; null where absent (K2). */
export type Variant = readonly (readonly [name: string, value: string | null])[];

/** The variant of a response that does not vary. */
const NO_VARIANT: Variant = [];

/**
 * Returns the variant of a request.
 *
 * @param vary The names in the response's Vary.
 */
export function variantOf({ headers }: RequestHead, vary: readonly string[]): Variant {
  return vary.length === 0 ? NO_VARIANT : vary.map((name) => [name, headers.get(name)] as const);
}

/** Reports whether a request with these fields asks for this variant: RFC 9111 §4.1 (K2). */
export function matchesVariant(variant: Variant, headers: Fields): boolean {
  return variant.every(([name, value]) => headers.get(name) === value);
}

/** Reports whether a variant differs by each of the fields by which `other` does. */
export function variesOnAll(variant: Variant, other: Variant): boolean {
  return other.every(([name]) => variant.some(([its]) => its === name));
}

/** The length of a key in UTF-16 units: of all parts that a request can make longer. */
export function keyLength({ primary, added }: CacheKey, variant: Variant): number {
  return variant.reduce(
    (length, [name, value]) => length + name.length + (value?.length ?? 0),
    primary.length + added.length,
  );
}
