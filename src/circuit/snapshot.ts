import type { CircuitState } from "../observe/events.ts";
import { duration } from "../validation.ts";

/** All that a circuit remembers, as plain data that survives JSON. */
export interface CircuitSnapshot {
  /** The form of this data. */
  readonly version: 1;
  /** The state when it was saved; isolation is not saved. */
  readonly state: CircuitState;
  /** The opening it is in, unless it is closed. */
  readonly opening?: SavedOpening;
  /** What the trip policies remember, in their order, while it is closed. */
  readonly windows?: readonly SavedWindow[];
}

/** An opening at rest. */
export interface SavedOpening {
  /** When it opened, in ms. */
  readonly openedAt: number;
  /** How long it stays open, in ms. */
  readonly delayMs: number;
  /** How often it has opened again since it was last closed. */
  readonly reopenings: number;
  /** How many probes have succeeded. */
  readonly succeeded: number;
}

/** A trip policy's window at rest. */
export interface SavedWindow {
  /** The name of the policy. */
  readonly policy: string;
  /** What its window's `toJSON` gave. */
  readonly saved?: unknown;
}

/**
 * Reads a snapshot out of whatever came back from storage.
 *
 * @throws {TypeError} If it is not one.
 */
export function readSnapshot(value: unknown): CircuitSnapshot {
  const { version, state, opening, windows = [] } = Object(value) as Record<string, unknown>;
  const readable = version === 1 &&
    (state === "closed"
      ? opening === undefined
      : (state === "open" || state === "half_open") && isOpening(opening)) &&
    Array.isArray(windows) && windows.every(isWindow);
  if (readable) return value as CircuitSnapshot;
  throw new TypeError(`Cannot restore a circuit as "state" must be what its toJSON() gave`);
}

function isOpening(value: unknown): boolean {
  const { openedAt, delayMs, reopenings, succeeded } = Object(value) as Record<string, unknown>;
  return Number.isFinite(openedAt) && duration.accepts(delayMs) && isCount(reopenings) &&
    isCount(succeeded);
}

function isWindow(value: unknown): boolean {
  return typeof (Object(value) as Record<string, unknown>)["policy"] === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
