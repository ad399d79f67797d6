import { invalidOption } from "../validation.ts";
import { type CacheKey, cacheKey, hashPartition } from "./cache_key.ts";
import type { ErrorListener } from "../observe/events.ts";
import type { LastGoodSettings } from "./options.ts";
import type { RequestHead } from "./request_head.ts";

/** Returns the key of a request; undefined if nothing is to be kept or served for it. */
export function keyOf(
  settings: LastGoodSettings,
  request: RequestHead,
  place: string,
  errors: ErrorListener,
): CacheKey | undefined | Promise<CacheKey | undefined> {
  const primary = primaryKey(settings, request, errors);
  // What `fetch` was told cannot be compared (K6).
  if (primary === undefined || request.told === null) return undefined;
  return settings.partition === undefined
    ? cacheKey(primary, place, request, "")
    : partitionedKey(settings, primary, request, place, errors);
}

/**
 * Returns the part of the key that all variants of a response share: the URL, or what the option
 * `key` returns instead (K1); undefined if nothing is to be kept or served.
 */
export function primaryKey(
  { key }: LastGoodSettings,
  request: RequestHead,
  errors: ErrorListener,
): string | undefined {
  // Without a URL there is nothing to keep it for (promise 37). Where the router may have read another
  // page than the parser, memory must have none (K1).
  if (request.url === "" || request.doubt === "url") return undefined;
  if (key === undefined) return request.doubt === undefined ? request.url : undefined;
  try {
    const primary: unknown = key(request.toRequest());
    if (primary === undefined || typeof primary === "string") return primary;
    throw invalidOption("keep a response", "lastGood.key", A_STRING, primary);
  } catch (error) {
    errors.reportError("lastGood.key", error);
    return undefined;
  }
}

/** Without knowing whose the response is, nothing is kept or served: an error gives no key (K4). */
async function partitionedKey(
  { partition }: LastGoodSettings,
  primary: string,
  request: RequestHead,
  place: string,
  errors: ErrorListener,
): Promise<CacheKey | undefined> {
  try {
    const owner: unknown = await partition?.(request.toRequest());
    if (owner === undefined) return cacheKey(primary, place, request, "");
    if (typeof owner === "string") {
      return cacheKey(primary, place, request, await hashPartition(owner));
    }
    // Its type, not its value: that may be a secret.
    throw invalidOption("keep a response", "lastGood.partition", A_STRING, typeof owner);
  } catch (error) {
    errors.reportError("partition", error);
    return undefined;
  }
}

const A_STRING = "a string or undefined";
