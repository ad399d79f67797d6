import { ageMs } from "./rules/freshness.ts";
import type { StoredResponse } from "./stored_response.ts";

/** Why a kept response is served, in the words of Cache-Status (RFC 9211 §2). */
export type Served =
  /** The upstream was not called. */
  | { readonly hit: "circuit-open" | "probing" | "fresh" }
  /** It was called, and the kept response replaces its answer. */
  | { readonly stale: "origin-error" | "timeout" | "slow"; readonly status?: number };

/**
 * Returns the Cache-Status of a kept response that is served (RFC 9211, H3). It contains neither the
 * key nor the text of an error.
 *
 * @param name This cache's name; undefined omits the field.
 */
export function cacheStatus(
  name: string | undefined,
  stored: StoredResponse,
  now: number,
  served: Served,
): string | undefined {
  if (name === undefined) return undefined;
  const ttl = ttlParameter(stored, now);
  if ("stale" in served) {
    const status = served.status === undefined ? "" : `; fwd-status=${served.status}`;
    return `${name}; fwd=stale${status}${ttl}; detail=${served.stale}`;
  }
  const detail = served.hit === "fresh" ? "" : `; detail=${served.hit}`;
  return `${name}; hit${ttl}${detail}`;
}

/** Negative once it is stale; absent where the origin names no freshness (RFC 9211 §2.4). */
function ttlParameter(stored: StoredResponse, now: number): string {
  const { lifetimeMs } = stored.head.freshness;
  if (lifetimeMs === undefined) return "";
  return `; ttl=${Math.floor(lifetimeMs / 1_000) - Math.floor(ageMs(stored, now) / 1_000)}`;
}
