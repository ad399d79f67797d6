import { invalidOption } from "../validation.ts";
import { type CacheKey, cacheKey, hashPartition } from "./cache_key.ts";
import type { ErrorListener, NotKeptReason } from "../observe/events.ts";
import type { LastGoodSettings } from "./options.ts";
import type { RequestHead } from "./request_head.ts";

/** The caller whose request needs a key. */
export interface KeyListener extends ErrorListener {
  /**
   * Waits for what a callback promises, as long as its time and its caller allow.
   *
   * @returns What it gives; undefined if the caller has left, who then needs no key.
   * @throws {DOMException} If it takes too long.
   */
  waitFor<T>(work: Promise<T>): Promise<T | undefined>;
}

/** Returns the key of a request; undefined if nothing is to be kept or served for it. */
export function keyOf(
  settings: LastGoodSettings,
  request: RequestHead,
  place: string,
  caller: KeyListener,
): CacheKey | undefined | Promise<CacheKey | undefined> {
  const primary = primaryKey(settings, request, caller);
  // Arguments that cannot be compared could be another request's as well (K6).
  if (primary === undefined || request.extraKey === null) return undefined;
  return settings.partition === undefined
    ? cacheKey(primary, place, request, "")
    : partitionedKey(settings, primary, request, place, caller);
}

/**
 * Returns the part of the key that all variants of a response share: the URL, or what the option
 * `key` returns instead (K1); undefined if nothing is to be kept or served.
 */
export function primaryKey(
  settings: LastGoodSettings,
  request: RequestHead,
  errors: ErrorListener,
): string | undefined {
  // Without a URL there is nothing to keep it for (promise 37).
  if (request.url === "" || doubtReason(request, settings) !== undefined) return undefined;
  const { key } = settings;
  if (key === undefined) return request.url;
  try {
    const primary: unknown = key(request.toRequest());
    if (primary === undefined || typeof primary === "string") return primary;
    throw invalidOption("keep a response", "lastGood.key", A_STRING, primary);
  } catch (error) {
    errors.reportError("lastGood.key", error);
    return undefined;
  }
}

/**
 * Says why it is doubtful which page a request means; undefined if it is not. A router may have read
 * the URL in another way than the parser; the option `key` lifts what is about the host alone (K1).
 */
export function doubtReason(
  { doubt }: RequestHead,
  { key }: LastGoodSettings,
): NotKeptReason | undefined {
  if (doubt === "url") return "raw-url";
  return doubt === "host" && key === undefined ? "foreign-host" : undefined;
}

/** Without knowing whose the response is, nothing is kept or served: an error gives no key (K4). */
async function partitionedKey(
  { partition }: LastGoodSettings,
  primary: string,
  request: RequestHead,
  place: string,
  caller: KeyListener,
): Promise<CacheKey | undefined> {
  try {
    const given: unknown = partition?.(request.toRequest());
    // Most need not be waited for, and then no time limit is set up.
    const owner = isThenable(given) ? await caller.waitFor(Promise.resolve(given)) : given;
    if (typeof owner === "string" && owner !== "") {
      return cacheKey(primary, place, request, await hashPartition(owner));
    }
    if (owner !== undefined) {
      // Its type, not its value: that may be a secret.
      const shown = owner === "" ? owner : typeof owner;
      const error = invalidOption("keep a response", "lastGood.partition", A_PARTITION, shown);
      // A name that is missing is a mistake, but it names nobody.
      if (owner !== "") throw error;
      caller.reportError("partition", error);
    }
    return cacheKey(primary, place, request, "");
  } catch (error) {
    caller.reportError("partition", error);
    return undefined;
  }
}

function isThenable(value: unknown): boolean {
  return typeof (Object(value) as { then?: unknown }).then === "function";
}

const A_STRING = "a string or undefined";
const A_PARTITION = "a string that is not empty, or undefined";
