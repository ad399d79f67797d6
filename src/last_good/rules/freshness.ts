import { parseDate, parseSeconds } from "../../http/dates.ts";
import type { Directives, Fields } from "../../http/fields.ts";
import type { StoredResponse, Timing } from "../stored_response.ts";
import type { Exchange } from "./exchange.ts";

/** How long a response may be used, and for whom, as its origin says. */
export interface Freshness {
  /** Its freshness lifetime in ms (RFC 9111 §4.2.1); undefined if the origin names none. */
  readonly lifetimeMs: number | undefined;
  /** True if it may be served only while it is fresh (S6). */
  readonly onlyWhileFresh: boolean;
  /** For how long it may be served stale on errors (RFC 5861 §4), in ms; undefined if not named. */
  readonly staleIfErrorMs: number | undefined;
  /** True if it is the same for everybody: the origin says `public`, without an argument (F8). */
  readonly isPublic: boolean;
  /** True if a breaker within the call has served it from memory: its age counts from the start (F3). */
  readonly isReplayed: boolean;
}

/** Reads the freshness of a response, as for a shared cache (RFC 9111 §4.2.1). */
export function freshness(
  { responseDirectives, fields, policy }: Exchange,
  receivedAt: number,
): Freshness {
  const lifetimeMs = milliseconds(responseDirectives, "s-maxage") ??
    milliseconds(responseDirectives, "max-age");
  return {
    lifetimeMs: lifetimeMs ?? expiresIn(fields, receivedAt),
    onlyWhileFresh: !policy.ignore.has("must-revalidate") && forbidsStale(responseDirectives),
    staleIfErrorMs: milliseconds(responseDirectives, "stale-if-error"),
    isPublic: responseDirectives?.get("public") === "",
    isReplayed: REPLAYED.test(fields.get("cache-status") ?? ""),
  };
}

/** The words of H3 for an answer that stands in for a failed one. */
const REPLAYED = /;\s*detail=(?:circuit-open|probing|origin-error|timeout|slow)\b/;

function milliseconds(directives: Directives | undefined, name: string): number | undefined {
  const value = directives?.get(name);
  const seconds = value === undefined ? undefined : parseSeconds(value);
  return seconds === undefined ? undefined : seconds * 1_000;
}

/** Each of these forbids serving it stale: RFC 9111 §5.2.2.2, §5.2.2.8 and §5.2.2.10 (S6). */
function forbidsStale(directives: Directives | undefined): boolean {
  return directives !== undefined &&
    (directives.has("must-revalidate") || directives.has("proxy-revalidate") ||
      directives.has("s-maxage"));
}

/** An Expires that is not a date means the past: RFC 9111 §5.3. */
function expiresIn(fields: Fields, receivedAt: number): number | undefined {
  const expires = fields.get("expires");
  if (expires === null) return undefined;
  const date = parseDate(fields.get("date") ?? "", receivedAt) ?? receivedAt;
  return Math.max(0, (parseDate(expires, receivedAt) ?? 0) - date);
}

/** The age of a response at its reception, in ms: corrected_initial_age of RFC 9111 §4.2.3. */
export function initialAgeMs(fields: Fields, { requestedAt, receivedAt }: Timing): number {
  const date = parseDate(fields.get("date") ?? "", receivedAt) ?? receivedAt;
  const ageMs = (parseSeconds(fields.get("age") ?? "") ?? 0) * 1_000;
  const delayMs = Math.max(0, receivedAt - requestedAt);
  return Math.max(receivedAt - date, ageMs + delayMs);
}

/** The age of a kept response, in ms. It is never negative, even if the clock steps back (H2). */
export function ageMs({ head }: StoredResponse, now: number): number {
  return head.initialAgeMs + Math.max(0, now - head.receivedAt);
}

/** How long a kept response has been stale, in ms; negative while it is fresh (RFC 9111 §4.2). */
export function stalenessMs(stored: StoredResponse, now: number): number {
  const { receivedAt, freshness: { lifetimeMs, isReplayed } } = stored.head;
  // Where the origin names no freshness, it is stale from its reception on (F3).
  if (lifetimeMs === undefined && !isReplayed) return Math.max(0, now - receivedAt);
  return ageMs(stored, now) - (lifetimeMs ?? 0);
}
