import type { Ask } from "./ask.ts";
import { type Directives, NONE, parseCacheControl, parseSeconds } from "./fields.ts";
import type { LastGoodSettings } from "./options.ts";
import { ageMs, type Snapshot, stalenessMs } from "./snapshot.ts";

/** Why a kept response is served, as Cache-Status tells it (RFC 9211 §2). */
export type Served =
  /** The upstream was not called. */
  | { readonly hit: "circuit-open" | "probing" | "asked" | "fresh" }
  /** It was called, and what it did is replaced. */
  | { readonly stale: "origin-error" | "timeout" | "slow"; readonly status?: number };

/** F2, F5: whether a request may be answered from memory at all. */
export function isAnswerable({ method, hasBody, headers }: Ask): boolean {
  return (method === "GET" || method === "HEAD") && !hasBody && !headers.has("if-match") &&
    !headers.has("if-unmodified-since");
}

/** What a request says of its own about kept responses; what is in doubt says nothing. */
export function wishes({ headers }: Ask): Directives {
  return parseCacheControl(headers.get("cache-control")) ?? NONE;
}

/** F3, F4: whether a kept response may be served in place of the upstream's own. */
export function isServable(
  snapshot: Snapshot,
  ask: Ask,
  now: number,
  { maxStaleMs }: LastGoodSettings,
): boolean {
  const staleMs = stalenessMs(snapshot, now);
  const { onlyWhileFresh, staleIfErrorMs = Infinity, lifetimeMs } = snapshot.head.freshness;
  if (lifetimeMs !== undefined && staleMs < 0) return true;
  if (onlyWhileFresh) return false;
  const wanted = wishes(ask);
  const limitMs = Math.min(
    maxStaleMs,
    staleIfErrorMs,
    limitOf(wanted, "max-stale"),
    limitOf(wanted, "stale-if-error"),
  );
  return limitMs > 0 && staleMs <= limitMs;
}

/** In ms; Infinity where it says nothing, or no number. */
function limitOf(wanted: Directives, name: string): number {
  const seconds = parseSeconds(wanted.get(name) ?? "");
  return seconds === undefined ? Infinity : seconds * 1_000;
}

/** Whether a kept response is so young that there is no need to call. */
export function isYoung(
  snapshot: Snapshot,
  ask: Ask,
  now: number,
  { freshMs }: LastGoodSettings,
): boolean {
  const sinceMs = now - snapshot.head.receivedAt;
  if (sinceMs < 0 || sinceMs >= freshMs) return false;
  if (snapshot.head.freshness.onlyWhileFresh && stalenessMs(snapshot, now) >= 0) return false;
  // RFC 9111 §5.2.1: a client that wants it newer gets it newer, while the upstream is well.
  const wanted = wishes(ask);
  const maxAge = parseSeconds(wanted.get("max-age") ?? "");
  return !wanted.has("no-cache") && !(ask.headers.get("pragma") ?? "").includes("no-cache") &&
    (maxAge === undefined || ageMs(snapshot, now) < maxAge * 1_000);
}

/** H3: RFC 9211. It tells neither keys nor the texts of errors. */
export function cacheStatus(
  name: string | undefined,
  snapshot: Snapshot,
  now: number,
  served: Served,
): string | undefined {
  if (name === undefined) return undefined;
  const { lifetimeMs } = snapshot.head.freshness;
  const ttl = lifetimeMs === undefined
    ? ""
    : `; ttl=${Math.floor(lifetimeMs / 1_000) - Math.floor(ageMs(snapshot, now) / 1_000)}`;
  if ("stale" in served) {
    const status = served.status === undefined ? "" : `; fwd-status=${served.status}`;
    return `${name}; fwd=stale${status}${ttl}; detail=${served.stale}`;
  }
  const detail = served.hit === "fresh" ? "" : `; detail=${served.hit}`;
  return `${name}; hit${ttl}${detail}`;
}
