/** What may be answered from memory although the upstream may be well. */

import { parseSeconds } from "../../http/dates.ts";
import type { CacheKey } from "../cache_key.ts";
import type { LastGoodSettings } from "../options.ts";
import type { RequestHead } from "../request_head.ts";
import type { StoredResponse } from "../stored_response.ts";
import { hasCredentials } from "./credentials.ts";
import { ageMs, stalenessMs } from "./freshness.ts";
import { requestDirectives } from "./servable.ts";

/**
 * Reports whether the app itself asks for nothing but a kept response. From a client, the directive is
 * ignored: anybody could use it to get past the checks of a handler (F4).
 */
export function isOnlyIfCached(request: RequestHead): boolean {
  return request.isOutgoing &&
    (request.cacheMode === "only-if-cached" || requestDirectives(request).has("only-if-cached"));
}

/** Reports whether a kept response is still fresh by what its origin said (RFC 9111 §4.2). */
export function isFresh(stored: StoredResponse, now: number): boolean {
  return stalenessMs(stored, now) < 0;
}

/** Reports whether a servable response is young enough to be served without calling the upstream. */
export function isWithinFreshMs(
  { head: { receivedAt, freshness: { isReplayed } } }: StoredResponse,
  now: number,
  { freshMs }: LastGoodSettings,
): boolean {
  const sinceMs = now - receivedAt;
  return sinceMs >= 0 && sinceMs < freshMs && !isReplayed;
}

/** These values of `cache` ask for a new response: Fetch Standard, "cache mode" (F4). */
const NEWER: ReadonlySet<string> = new Set(["no-store", "reload", "no-cache"]);

/**
 * Reports whether a request is content with this copy although a newer response can be had:
 * RFC 9111 §5.2.1.1, §5.2.1.3, §5.2.1.4 and §5.4 (F4).
 */
export function isNewEnough(stored: StoredResponse, request: RequestHead, now: number): boolean {
  const { cacheMode, headers } = request;
  if (stored.isOutdated || (cacheMode !== undefined && NEWER.has(cacheMode))) return false;
  const directives = requestDirectives(request);
  if (directives.has("no-cache") || headers.get("pragma")?.includes("no-cache")) return false;
  const maxAge = parseSeconds(directives.get("max-age") ?? "");
  const minFresh = parseSeconds(directives.get("min-fresh") ?? "");
  return (maxAge === undefined || ageMs(stored, now) < maxAge * 1_000) &&
    (minFresh === undefined || -stalenessMs(stored, now) >= minFresh * 1_000);
}

/**
 * Reports whether this caller would get the same response from the upstream. With credentials, they
 * might get a page of their own (F8).
 */
export function fitsCaller(
  { head }: StoredResponse,
  request: RequestHead,
  key: CacheKey | undefined,
): boolean {
  return head.freshness.isPublic || (key !== undefined && key.owner !== "") ||
    !hasCredentials(request);
}
