import type { CallPermit } from "./permit.ts";
import type { CircuitSettings } from "./settings.ts";

/** The time from a move to open until the circuit closes, or opens again. */
export interface Opening {
  state: "open" | "half_open";
  /** When the circuit opened, in ms. */
  openedAt: number;
  /** How long it stays open, in ms. */
  readonly delayMs: number;
  /** How many times it has opened again since it was last closed, because a probe failed. */
  readonly reopenings: number;
  /** How many probes have succeeded. */
  succeeded: number;
  /** The probes under way. Each has a lease: it holds a slot for up to `probeTimeoutMs`. */
  readonly leases: Set<CallPermit>;
}

/** Starts an opening: no probe has passed yet. */
export function startOpening(openedAt: number, delayMs: number, reopenings: number): Opening {
  return { state: "open", openedAt, delayMs, reopenings, succeeded: 0, leases: new Set() };
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
