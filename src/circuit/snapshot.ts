import type { CircuitState, ErrorListener } from "../observe/events.ts";
import { duration } from "../validation.ts";
import { isCount, isTime } from "./saved_numbers.ts";
import { type Opening, startOpening } from "./opening.ts";
import type { CircuitSettings } from "./settings.ts";
import { restoreWindows, saveWindows, type Windows } from "./trip/windows.ts";

/** The memory of a circuit, as plain data that survives JSON. See {@link Circuit.toJSON}. */
export interface CircuitSnapshot {
  /** The version of this format. */
  readonly version: 1;
  /** The state when it was saved. Isolation is not saved. */
  readonly state: CircuitState;
  /** The current opening, unless the circuit is closed. */
  readonly opening?: SavedOpening | undefined;
  /** What the trip policies remember, in their order, if the circuit is closed. */
  readonly windows?: readonly SavedWindow[] | undefined;
}

/** A saved opening: the time from the move to open until the circuit closes. */
export interface SavedOpening {
  /** When the circuit opened, in ms. */
  readonly openedAt: number;
  /** How long it stays open, in ms. */
  readonly delayMs: number;
  /** How many times it has opened again since it was last closed, because a probe failed. */
  readonly reopenings: number;
  /** How many probes have succeeded. */
  readonly succeeded: number;
  /** How many probes in a row were ignored, if the last one was. */
  readonly ignored?: number | undefined;
}

/** A trip policy's saved window. */
export interface SavedWindow {
  /** The name of the policy. */
  readonly policy: string;
  /** What the window's `toJSON` returned. */
  readonly saved?: unknown;
}

/** The memory of a circuit: an opening, or windows while it is closed. */
export interface Memory {
  readonly opening: Opening | undefined;
  readonly windows: Windows | undefined;
}

/** Saves a memory. Policies that cannot be saved are reported and left out. */
export function save(
  { opening, windows }: Memory,
  { policies }: CircuitSettings<never>,
  errors: ErrorListener,
): CircuitSnapshot {
  if (opening === undefined) {
    return { version: 1, state: "closed", windows: saveWindows(policies, windows, errors) };
  }
  const { state, openedAt, delayMs, reopenings, succeeded, ignored } = opening;
  const saved = { openedAt, delayMs, reopenings, succeeded, ...(ignored > 0 && { ignored }) };
  return { version: 1, state, opening: saved };
}

/** Restores a memory from whatever came back from storage. What cannot be read is reported. */
export function restore(
  saved: unknown,
  { policies, probes }: CircuitSettings<never>,
  errors: ErrorListener,
): Memory {
  try {
    const { state, opening, windows = [] } = readSnapshot(saved);
    if (opening === undefined || state === "closed") {
      return { opening: undefined, windows: restoreWindows(policies, windows, errors) };
    }
    const restored = startOpening(opening.openedAt, opening.delayMs, opening.reopenings);
    restored.state = state;
    // There may be fewer probes than before: at least one must still be needed (machine.ts, I2).
    restored.succeeded = Math.min(opening.succeeded, probes - 1);
    restored.ignored = opening.ignored ?? 0;
    return { opening: restored, windows: undefined };
  } catch (error) {
    errors.reportError("state", error);
    return { opening: undefined, windows: undefined };
  }
}

/** @throws {TypeError} If `value` is not a snapshot. */
function readSnapshot(value: unknown): CircuitSnapshot {
  const { version, state, opening, windows = [] } = Object(value) as Record<string, unknown>;
  const isReadable = version === 1 &&
    (state === "closed"
      ? opening === undefined
      : (state === "open" || state === "half_open") && isOpening(opening)) &&
    Array.isArray(windows) && windows.every(isWindow);
  if (isReadable) return value as CircuitSnapshot;
  throw new TypeError(`Cannot restore a circuit as "state" must be what its toJSON() gave`);
}

function isOpening(value: unknown): boolean {
  const { openedAt, delayMs, reopenings, succeeded, ignored = 0 } = Object(value) as Record<
    string,
    unknown
  >;
  return isTime(openedAt) && duration.accepts(delayMs) && isCount(reopenings) &&
    isCount(succeeded) && isCount(ignored);
}

function isWindow(value: unknown): boolean {
  return typeof (Object(value) as Record<string, unknown>)["policy"] === "string";
}
