import type { ErrorSource } from "../events.ts";
import { misuse } from "../validation.ts";
import { DEFAULT_THRESHOLD } from "./settings.ts";
import type { SavedWindow } from "./snapshot.ts";
import { consecutive, type TripPolicy, type TripWindow } from "./trip.ts";

/** Hears of a policy that throws or gives nonsense. */
export interface PolicyErrors {
  tellError(source: ErrorSource, error: unknown): void;
}

/** Starts a window for each policy. */
export function startWindows(
  policies: readonly TripPolicy[],
  errors: PolicyErrors,
): readonly TripWindow[] {
  return policies.map((policy) => startWindow(policy, undefined, errors));
}

/** A policy that cannot start gives way to the default one. */
function startWindow(policy: TripPolicy, saved: unknown, errors: PolicyErrors): TripWindow {
  try {
    const window: TripWindow | undefined = policy.start(saved);
    if (typeof window?.record === "function") return window;
    throw misuse("start a window", "trip", "an object with record()", window);
  } catch (error) {
    errors.tellError("policy", error);
    // What was saved may be at fault: without it, the policy may still do.
    if (saved !== undefined) return startWindow(policy, undefined, errors);
  }
  return consecutive(DEFAULT_THRESHOLD).start();
}

/** Records a call in every window; why to open, if one of them says so. */
export function recordIn(
  windows: readonly TripWindow[],
  verdict: "success" | "failure",
  at: number,
  durationMs: number,
  errors: PolicyErrors,
): string | undefined {
  let why: string | undefined;
  for (const window of windows) {
    try {
      const reason: unknown = window.record(verdict, at, durationMs);
      if (reason === undefined) continue;
      if (typeof reason === "string") why ??= reason;
      else throw misuse("record a call", "trip", "a reason or undefined", reason);
    } catch (error) {
      errors.tellError("policy", error);
    }
  }
  return why;
}

/** The windows at rest, if there are any yet. */
export function savedWindows(
  policies: readonly TripPolicy[],
  windows: readonly TripWindow[] | undefined,
  errors: PolicyErrors,
): SavedWindow[] {
  return policies.map(({ name: policy = "" }, index) => {
    try {
      const saved = windows?.[index]?.toJSON?.();
      return saved === undefined ? { policy } : { policy, saved };
    } catch (error) {
      errors.tellError("policy", error);
      return { policy };
    }
  });
}

/** The windows back from rest; undefined if the policies have changed. */
export function restoredWindows(
  policies: readonly TripPolicy[],
  saved: readonly SavedWindow[],
  errors: PolicyErrors,
): readonly TripWindow[] | undefined {
  const areSame = policies.length === saved.length &&
    policies.every(({ name = "" }, index) => name === saved[index]?.policy);
  if (!areSame) return undefined;
  return policies.map((policy, index) => startWindow(policy, saved[index]?.saved, errors));
}
