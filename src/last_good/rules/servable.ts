import type { RequestHead } from "../request_head.ts";
import { type Directives, NONE, parseCacheControl, parseSeconds } from "../../http/fields.ts";
import type { LastGoodSettings } from "../options.ts";
import { ageMs, stalenessMs, type StoredResponse } from "../stored_response.ts";

/** Why a kept response is served, as Cache-Status tells it (RFC 9211 §2). */
export type Served =
  /** The upstream was not called. */
  | { readonly hit: "circuit-open" | "probing" | "asked" | "fresh" }
  /** It was called, and what it did is replaced. */
  | { readonly stale: "origin-error" | "timeout" | "slow"; readonly status?: number };

/** F2, F5: whether a request may be answered from memory at all. */
export function isAnswerable({ method, hasBody, headers }: RequestHead): boolean {
  return (method === "GET" || method === "HEAD") && !hasBody && !headers.has("if-match") &&
    !headers.has("if-unmodified-since");
}

/** What a request says of its own about kept responses; what is in doubt says nothing. */
export function requestDirectives({ headers }: RequestHead): Directives {
  return parseCacheControl(headers.get("cache-control")) ?? NONE;
}

/** F3, F4: whether a kept response may be served in place of the upstream's own. */
export function isServable(
  stored: StoredResponse,
  request: RequestHead,
  now: number,
  { maxStaleMs }: LastGoodSettings,
): boolean {
  const staleMs = stalenessMs(stored, now);
  const { onlyWhileFresh, staleIfErrorMs = Infinity, lifetimeMs } = stored.head.freshness;
  if (lifetimeMs !== undefined && staleMs < 0) return true;
  if (onlyWhileFresh) return false;
  const directives = requestDirectives(request);
  const limitMs = Math.min(
    maxStaleMs,
    staleIfErrorMs,
    limitOf(directives, "max-stale"),
    limitOf(directives, "stale-if-error"),
  );
  return limitMs > 0 && staleMs <= limitMs;
}

/** In ms; Infinity where it says nothing, or no number. */
function limitOf(directives: Directives, name: string): number {
  const seconds = parseSeconds(directives.get(name) ?? "");
  return seconds === undefined ? Infinity : seconds * 1_000;
}

/** Whether a kept response is so young that there is no need to call. */
export function isWithinFreshMs(
  stored: StoredResponse,
  request: RequestHead,
  now: number,
  { freshMs }: LastGoodSettings,
): boolean {
  const sinceMs = now - stored.head.receivedAt;
  if (sinceMs < 0 || sinceMs >= freshMs) return false;
  if (stored.head.freshness.onlyWhileFresh && stalenessMs(stored, now) >= 0) return false;
  // RFC 9111 §5.2.1: a client that wants it newer gets it newer, while the upstream is well.
  const directives = requestDirectives(request);
  const maxAge = parseSeconds(directives.get("max-age") ?? "");
  return !directives.has("no-cache") &&
    !(request.headers.get("pragma") ?? "").includes("no-cache") &&
    (maxAge === undefined || ageMs(stored, now) < maxAge * 1_000);
}

/** H3: RFC 9211. It tells neither keys nor the texts of errors. */
export function cacheStatus(
  name: string | undefined,
  stored: StoredResponse,
  now: number,
  served: Served,
): string | undefined {
  if (name === undefined) return undefined;
  const { lifetimeMs } = stored.head.freshness;
  const ttl = lifetimeMs === undefined
    ? ""
    : `; ttl=${Math.floor(lifetimeMs / 1_000) - Math.floor(ageMs(stored, now) / 1_000)}`;
  if ("stale" in served) {
    const status = served.status === undefined ? "" : `; fwd-status=${served.status}`;
    return `${name}; fwd=stale${status}${ttl}; detail=${served.stale}`;
  }
  const detail = served.hit === "fresh" ? "" : `; detail=${served.hit}`;
  return `${name}; hit${ttl}${detail}`;
}
