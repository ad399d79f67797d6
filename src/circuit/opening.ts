import type { CallPermit, End } from "./permit.ts";
import type { CircuitSettings } from "./settings.ts";

/** The time from a move to open until the circuit closes, or opens again. */
export interface Opening {
  state: "open" | "half_open";
  /** When the circuit opened, in ms. */
  openedAt: number;
  /** When a caller last asked to pass, in ms. */
  askedAt: number;
  /** How long it stays open, in ms. */
  readonly delayMs: number;
  /** How many times it has opened again since it was last closed, because a probe failed. */
  readonly reopenings: number;
  /** How many probes have succeeded. */
  succeeded: number;
  /** How many probes in a row have said nothing about the upstream, up to the last one. */
  ignored: number;
  /** The probes under way. Each has a lease: it holds a slot for up to `probeTimeoutMs`. */
  readonly leases: Set<CallPermit>;
}

/** How many ignored probes in a row are as good as a failed one: half open is no state to stay in. */
const MAX_IGNORED = 3;

/** Starts an opening: no probe has passed yet. */
export function startOpening(openedAt: number, delayMs: number, reopenings: number): Opening {
  const leases = new Set<CallPermit>();
  return {
    state: "open",
    openedAt,
    askedAt: openedAt,
    delayMs,
    reopenings,
    succeeded: 0,
    ignored: 0,
    leases,
  };
}

/**
 * Reports whether the delay was over a whole delay ago and nobody has asked since: what was open may
 * be up again, or is no longer needed (promise 27).
 */
export function isForgotten(opening: Opening, at: number): boolean {
  const { openedAt, askedAt, delayMs } = opening;
  // As anywhere, a clock that stepped back starts the time again.
  opening.openedAt = Math.min(openedAt, at);
  opening.askedAt = Math.min(askedAt, at);
  return at - Math.max(opening.openedAt + delayMs, opening.askedAt) >= delayMs;
}

/**
 * Counts a probe that was ignored. Only what the upstream or `judge` said of it counts: what became of
 * an upload, of arguments or of a client is up to strangers, and they could hold the circuit open.
 *
 * @returns How long to open again, in ms: as long as the upstream asks for, or as long as before once
 * there are too many in a row; 0 to stay half open (promise 8).
 */
export function reopensForMs(opening: Opening, { why = "verdict", retryAfterMs = 0 }: End): number {
  if (why !== "verdict") return 0;
  opening.ignored++;
  return retryAfterMs || (opening.ignored < MAX_IGNORED ? 0 : opening.delayMs);
}

/** Counts the reopenings if the circuit opens now: it opens again only from half open. */
export function reopeningsAfter(opening: Opening | undefined): number {
  if (opening === undefined) return 0;
  return opening.state === "half_open" ? opening.reopenings + 1 : opening.reopenings;
}

/** Returns the time until a probe may pass, in ms; 0 if one may pass now. */
export function waitMs(
  opening: Opening,
  at: number,
  settings: Pick<CircuitSettings<never>, "probes" | "probeTimeoutMs">,
): number {
  if (opening.state === "open") {
    // A clock that stepped back starts the delay again (promise 12).
    opening.openedAt = Math.min(opening.openedAt, at);
    return Math.max(0, opening.openedAt + opening.delayMs - at);
  }
  const { probes, probeTimeoutMs } = settings;
  if (opening.succeeded + opening.leases.size < probes) return 0;
  let firstMs = probeTimeoutMs;
  for (const { startedAt } of opening.leases) {
    firstMs = Math.min(firstMs, Math.max(0, startedAt + probeTimeoutMs - at));
  }
  return firstMs;
}

/** Reports whether a probe has held its slot for too long. */
export function leaseIsOver(
  lease: CallPermit,
  at: number,
  settings: Pick<CircuitSettings<never>, "probeTimeoutMs">,
): boolean {
  // A clock that stepped back starts the lease again (promise 12).
  lease.startedAt = Math.min(lease.startedAt, at);
  return at - lease.startedAt >= settings.probeTimeoutMs;
}
