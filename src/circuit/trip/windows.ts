import type { ErrorListener } from "../../observe/events.ts";
import { invalidOption } from "../../validation.ts";
import type { SavedWindow } from "../snapshot.ts";
import { consecutive, DEFAULT_THRESHOLD } from "./counts.ts";
import type { TripPolicy, TripWindow } from "./policy.ts";

/**
 * The windows of one closed circuit, one for each policy. Most circuits have a single policy and
 * therefore no list, which would be a sixth of their memory.
 */
export type Windows = TripWindow | readonly TripWindow[];

/** Starts a window for each policy. */
export function startWindows(policies: readonly TripPolicy[], errors: ErrorListener): Windows {
  return compact(policies.map((policy) => startWindow(policy, undefined, errors)));
}

/** Where a policy cannot start a window, the default policy takes its place. */
function startWindow(policy: TripPolicy, saved: unknown, errors: ErrorListener): TripWindow {
  try {
    const window: TripWindow | undefined = policy.start(saved);
    if (typeof window?.record === "function") return window;
    throw invalidOption("start a window", "trip", "an object with record()", window);
  } catch (error) {
    errors.reportError("policy", error);
    // The saved data may be at fault: try again without it.
    if (saved !== undefined) return startWindow(policy, undefined, errors);
  }
  return consecutive(DEFAULT_THRESHOLD).start();
}

function compact(windows: readonly TripWindow[]): Windows {
  const [first] = windows;
  return first !== undefined && windows.length === 1 ? first : windows;
}

function isList(windows: Windows): windows is readonly TripWindow[] {
  return Array.isArray(windows);
}

/**
 * Records a call in every window.
 *
 * @returns Why to open: the reason of the first window that gives one.
 */
export function record(
  windows: Windows,
  verdict: "success" | "failure",
  at: number,
  durationMs: number,
  errors: ErrorListener,
): string | undefined {
  try {
    if (isList(windows)) return recordInEach(windows, verdict, at, durationMs, errors);
    const reason: unknown = windows.record(verdict, at, durationMs);
    if (reason === undefined || typeof reason === "string") return reason;
    throw invalidOption("record a call", "trip", "a reason or undefined", reason);
  } catch (error) {
    errors.reportError("policy", error);
    return undefined;
  }
}

function recordInEach(
  windows: readonly TripWindow[],
  ...call: [verdict: "success" | "failure", at: number, durationMs: number, errors: ErrorListener]
): string | undefined {
  let first: string | undefined;
  for (const window of windows) {
    const reason = record(window, ...call);
    first ??= reason;
  }
  return first;
}

/** Returns what the windows remember, as plain data; only the policies' names before the first call. */
export function saveWindows(
  policies: readonly TripPolicy[],
  windows: Windows | undefined,
  errors: ErrorListener,
): SavedWindow[] {
  const all = windows === undefined ? [] : isList(windows) ? windows : [windows];
  return policies.map(({ name: policy = "" }, index) => {
    try {
      const saved = all[index]?.toJSON?.();
      return saved === undefined ? { policy } : { policy, saved };
    } catch (error) {
      errors.reportError("policy", error);
      return { policy };
    }
  });
}

/** Restores saved windows; returns undefined if the policies are not those that saved them. */
export function restoreWindows(
  policies: readonly TripPolicy[],
  saved: readonly SavedWindow[],
  errors: ErrorListener,
): Windows | undefined {
  const areSame = policies.length === saved.length &&
    policies.every(({ name = "" }, index) => name === saved[index]?.policy);
  if (!areSame) return undefined;
  return compact(
    policies.map((policy, index) => startWindow(policy, saved[index]?.saved, errors)),
  );
}
