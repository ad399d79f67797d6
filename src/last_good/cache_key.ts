import type { RequestHead } from "./request_head.ts";
import type { Fields } from "../http/fields.ts";

/** Where the answer to a request has its place: looked up part by part, so nothing can be forged by joining. */
export interface CacheKey {
  /** K1: the URL, or what the option `key` says instead. All variants of it go together. */
  readonly primary: string;
  /** K3 and K4: reflected fields and partition; "" where there are neither. */
  readonly secondary: string;
  /** K4: whether it is known whose response it is. */
  readonly partitioned: boolean;
}

/**
 * K3: fields that origins like to reflect although nobody keys on them. Left out of the key, they
 * let one request poison the page of all others for the time of a whole outage.
 */
const REFLECTED = [
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-scheme",
  "x-host",
  "x-original-url",
  "x-rewrite-url",
  "x-http-method-override",
];

/** The longest key that is kept, in UTF-16 units (S15). */
export const MAX_KEY_LENGTH = 8_192;

/**
 * The place for the answer to a request.
 *
 * @param primary K1.
 * @param partition K4, hashed; undefined if it is not known whose response it is.
 */
export function cacheKey(
  primary: string,
  headers: Fields,
  partition: string | undefined,
): CacheKey {
  let parts: string[] | undefined;
  for (const name of REFLECTED) {
    const value = headers.get(name);
    if (value !== null) (parts ??= []).push(name, value);
  }
  if (partition !== undefined) (parts ??= []).push(partition);
  return {
    primary,
    secondary: parts === undefined ? "" : JSON.stringify(parts),
    partitioned: partition !== undefined,
  };
}

/** K4: the partition as it may be kept: SHA-256 in hexadecimal, never in clear. */
export async function hashPartition(partition: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(partition));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** K2: what a response varies on, with this request's values; null where the request has none. */
export type Variant = readonly (readonly [name: string, value: string | null])[];

/** K2: the variant of a request, for the names in the response's Vary. */
export function variantOf(request: RequestHead, vary: readonly string[]): Variant {
  return vary.length === 0 ? ONE : vary.map((name) => [name, request.headers.get(name)] as const);
}

/** The variant of what does not vary. */
const ONE: Variant = [];

/** Whether a request asks for this variant. */
export function matchesVariant(variant: Variant, headers: Fields): boolean {
  return variant.every(([name, value]) => headers.get(name) === value);
}

/** The length of a key in all its parts, in UTF-16 units. */
export function keyLength(key: CacheKey, variant: Variant): number {
  return variant.reduce(
    (length, [name, value]) => length + name.length + (value?.length ?? 0),
    key.primary.length + key.secondary.length,
  );
}
