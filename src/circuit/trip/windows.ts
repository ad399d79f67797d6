import type { ErrorSource } from "../../observe/events.ts";
import { invalidOption } from "../../validation.ts";
import { DEFAULT_THRESHOLD } from "../settings.ts";
import type { SavedWindow } from "../snapshot.ts";
import { consecutive, type TripPolicy, type TripWindow } from "./policy.ts";

/** Hears of a policy that throws or gives nonsense. */
export interface PolicyErrorListener {
  reportError(source: ErrorSource, error: unknown): void;
}

/**
 * What a closed circuit remembers: one window for each policy. Most have one policy, and so no list:
 * it would be a sixth of what they weigh.
 */
export type Windows = TripWindow | readonly TripWindow[];

/** Starts a window for each policy. */
export function startWindows(
  policies: readonly TripPolicy[],
  errors: PolicyErrorListener,
): Windows {
  return compact(policies.map((policy) => startWindow(policy, undefined, errors)));
}

function compact(windows: readonly TripWindow[]): Windows {
  const [first] = windows;
  return first !== undefined && windows.length === 1 ? first : windows;
}

function asList(windows: Windows): readonly TripWindow[] {
  return isList(windows) ? windows : [windows];
}

/** A policy that cannot start gives way to the default one. */
function startWindow(policy: TripPolicy, saved: unknown, errors: PolicyErrorListener): TripWindow {
  try {
    const window: TripWindow | undefined = policy.start(saved);
    if (typeof window?.record === "function") return window;
    throw invalidOption("start a window", "trip", "an object with record()", window);
  } catch (error) {
    errors.reportError("policy", error);
    // What was saved may be at fault: without it, the policy may still do.
    if (saved !== undefined) return startWindow(policy, undefined, errors);
  }
  return consecutive(DEFAULT_THRESHOLD).start();
}

function isList(windows: Windows): windows is readonly TripWindow[] {
  return Array.isArray(windows);
}

/** Records a call in every window; why to open, if one of them says so. */
export function record(
  windows: Windows,
  verdict: "success" | "failure",
  at: number,
  durationMs: number,
  errors: PolicyErrorListener,
): string | undefined {
  if (!isList(windows)) return recordInOne(windows, verdict, at, durationMs, errors);
  let why: string | undefined;
  for (const window of windows) {
    const reason = recordInOne(window, verdict, at, durationMs, errors);
    why ??= reason;
  }
  return why;
}

function recordInOne(
  window: TripWindow,
  verdict: "success" | "failure",
  at: number,
  durationMs: number,
  errors: PolicyErrorListener,
): string | undefined {
  try {
    const reason: unknown = window.record(verdict, at, durationMs);
    if (reason === undefined || typeof reason === "string") return reason;
    throw invalidOption("record a call", "trip", "a reason or undefined", reason);
  } catch (error) {
    errors.reportError("policy", error);
    return undefined;
  }
}

/** The windows at rest, if there are any yet. */
export function saveWindows(
  policies: readonly TripPolicy[],
  windows: Windows | undefined,
  errors: PolicyErrorListener,
): SavedWindow[] {
  const all = windows === undefined ? [] : asList(windows);
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

/** The windows back from rest; undefined if the policies have changed. */
export function restoreWindows(
  policies: readonly TripPolicy[],
  saved: readonly SavedWindow[],
  errors: PolicyErrorListener,
): Windows | undefined {
  const areSame = policies.length === saved.length &&
    policies.every(({ name = "" }, index) => name === saved[index]?.policy);
  if (!areSame) return undefined;
  return compact(
    policies.map((policy, index) => startWindow(policy, saved[index]?.saved, errors)),
  );
}
