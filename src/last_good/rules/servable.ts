import { parseDate, parseSeconds } from "../../http/dates.ts";
import {
  type Directives,
  type Fields,
  matchesEtag,
  NO_DIRECTIVES,
  parseCacheControl,
} from "../../http/fields.ts";
import type { LastGoodSettings } from "../options.ts";
import type { RequestHead } from "../request_head.ts";
import type { StoredHead, StoredResponse } from "../stored_response.ts";
import { stalenessMs } from "./freshness.ts";

/**
 * Reports whether a request may be answered from memory at all: it must be safe (F2) and must not ask
 * that the origin's current state be compared (F5), or name the digest of its body (promise 34).
 */
export function isAnswerable({ method, hasBody, hasIntegrity, headers }: RequestHead): boolean {
  return (method === "GET" || method === "HEAD") && !hasBody && hasIntegrity !== true &&
    !headers.has("upgrade") && !headers.has("if-match") && !headers.has("if-unmodified-since");
}

/** The request's own Cache-Control. A malformed one has no effect. */
export function requestDirectives({ headers }: RequestHead): Directives {
  return parseCacheControl(headers.get("cache-control")) ?? NO_DIRECTIVES;
}

/** Reports whether a kept response may be served in place of the upstream's own. */
export function isServable(
  stored: StoredResponse,
  request: RequestHead,
  now: number,
  { maxStaleMs }: LastGoodSettings,
): boolean {
  const staleMs = stalenessMs(stored, now);
  const { onlyWhileFresh, staleIfErrorMs = Infinity } = stored.head.freshness;
  if (staleMs < 0) return true;
  // "A cache MUST NOT reuse that response ... until it has been successfully validated":
  // RFC 9111 §5.2.2.2 (S6).
  if (onlyWhileFresh) return false;
  const directives = requestDirectives(request);
  const limitMs = Math.min(
    // The owner's and the origin's own limit: RFC 9111 §4.2.4, RFC 5861 §4 (F3).
    maxStaleMs,
    staleIfErrorMs,
    // The client may shorten it: RFC 9111 §5.2.1.2, RFC 5861 §4 (F4).
    limitOf(directives, "max-stale"),
    limitOf(directives, "stale-if-error"),
  );
  return limitMs > 0 && staleMs <= limitMs;
}

/** In ms; Infinity if the directive is absent, or has no number. */
function limitOf(directives: Directives, name: string): number {
  const seconds = parseSeconds(directives.get(name) ?? "");
  return seconds === undefined ? Infinity : seconds * 1_000;
}

/** Reports whether a client already has this response: RFC 9110 §13.1.2 and §13.1.3 (F5). */
export function isUnmodified(headers: Fields, head: StoredHead): boolean {
  const tags = headers.get("if-none-match");
  // "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match".
  if (tags !== null) {
    // Something is kept, and "*" matches whatever that is.
    return tags.trim() === "*" || (head.etag !== undefined && matchesEtag(tags, head.etag));
  }
  const since = headers.get("if-modified-since");
  // Without Last-Modified, its Date is the time by which it was as it is: RFC 9111 §4.3.2.
  const modified = head.fields["last-modified"] ?? head.fields["date"];
  if (since === null || modified === undefined) return false;
  const sinceMs = parseDate(since, head.receivedAt);
  const modifiedMs = parseDate(modified, head.receivedAt);
  return sinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= sinceMs;
}
