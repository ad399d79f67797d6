import type { Fields } from "../http/fields.ts";
import type { RequestHead } from "./request_head.ts";

/** The key of a kept response. Each part is looked up by itself, so none can forge another. */
export interface CacheKey {
  /** The URL, or what the option `key` returns instead (K1). All its variants are removed together. */
  readonly primary: string;
  /** Reflected fields and partition; "" where there are neither (K3, K4). */
  readonly secondary: string;
  /** True if the response is kept for its owner alone (K4). */
  readonly partitioned: boolean;
}

/**
 * Fields that origins like to reflect in their responses although no cache has them in its key: with
 * one of these, a single request could poison a page for all others, for the whole outage (K3).
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

/** The longest key under which a response is kept, in UTF-16 units (S15). */
export const MAX_KEY_LENGTH = 8_192;

/**
 * Makes the key of a request.
 *
 * @param primary The URL, or what the option `key` returns instead.
 * @param partition The hash of the partition; undefined if there is none.
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

/** Hashes a partition, which may be a secret: SHA-256 in hexadecimal (K4). */
export async function hashPartition(partition: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(partition));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
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

/** The length of a key with all its parts, in UTF-16 units. */
export function keyLength({ primary, secondary }: CacheKey, variant: Variant): number {
  return variant.reduce(
    (length, [name, value]) => length + name.length + (value?.length ?? 0),
    primary.length + secondary.length,
  );
}
