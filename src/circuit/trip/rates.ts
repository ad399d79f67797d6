import {
  check,
  checkOptions,
  count,
  number,
  outOfRange,
  positiveDuration,
  type Rule,
  share,
} from "../../validation.ts";
import { type CallRate, CallWindow } from "./call_window.ts";
import { PURPOSE, type TripPolicy } from "./policy.ts";
import { SLICES, TimeWindow } from "./time_window.ts";

/** The share of bad calls that opens a circuit. */
const DEFAULT_SHARE = 0.5;
const DEFAULT_MINIMUM_CALLS = 20;
const DEFAULT_WINDOW_MS = 60_000;

/** Each circuit keeps a byte for each call, and a snapshot a character. */
const MAX_LAST_CALLS = 1_000_000;

const ringLength: Rule<number> = /* @__PURE__ */ number(
  `an integer from 1 to ${MAX_LAST_CALLS}`,
  (value) => count.accepts(value) && value <= MAX_LAST_CALLS,
);

/** Options of {@link failureRate}: it looks back either on a time or on a number of calls. */
export interface FailureRateOptions {
  /**
   * The share of failed calls that opens the circuit: above 0, at most 1.
   * @default {0.5}
   */
  readonly threshold?: number | undefined;
  /**
   * The fewest calls to judge by: with fewer in the window, the circuit stays closed.
   * @default {20}, or `lastCalls` if that is less
   */
  readonly minimumCalls?: number | undefined;
  /**
   * How far the window looks back, in ms. It forgets a tenth of itself at a time. Cannot be given
   * with `lastCalls`.
   * @default {60_000}
   */
  readonly windowMs?: number | undefined;
  /**
   * How many calls the window looks back on, instead of a time: at most 1,000,000, because each takes
   * a byte in each circuit.
   */
  readonly lastCalls?: number | undefined;
}

/** Options of {@link slowRate}. */
export interface SlowRateOptions {
  /** The duration from which a call is slow, in ms. */
  readonly slowMs: number;
  /**
   * The share of slow calls that opens the circuit: above 0, at most 1.
   * @default {0.5}
   */
  readonly threshold?: number | undefined;
  /**
   * The fewest calls to judge by: with fewer in the window, the circuit stays closed.
   * @default {20}
   */
  readonly minimumCalls?: number | undefined;
  /**
   * How far the window looks back, in ms. It forgets a tenth of itself at a time.
   * @default {60_000}
   */
  readonly windowMs?: number | undefined;
}

const FAILURE_RATE_OPTIONS = new Set<keyof FailureRateOptions>([
  "threshold",
  "minimumCalls",
  "windowMs",
  "lastCalls",
]);

const SLOW_RATE_OPTIONS = new Set<keyof SlowRateOptions>([
  "slowMs",
  "threshold",
  "minimumCalls",
  "windowMs",
]);

/**
 * Opens a circuit when the share of failed calls reaches `threshold`, among the calls of the last
 * `windowMs` or among the last `lastCalls`.
 *
 * Only calls that the circuit let through and that have ended are counted: not refused, ignored or
 * running ones, nor answers from memory. It opens only when a failure is recorded.
 *
 * @throws {TypeError} If both `windowMs` and `lastCalls` are given.
 * @throws {RangeError} If a number is out of range, or `minimumCalls` is more than `lastCalls`.
 */
export function failureRate(options: FailureRateOptions = {}): TripPolicy {
  const { threshold = DEFAULT_SHARE, windowMs = DEFAULT_WINDOW_MS, lastCalls } = checkOptions(
    PURPOSE,
    options,
    FAILURE_RATE_OPTIONS,
  );
  if (lastCalls !== undefined) check(PURPOSE, "lastCalls", lastCalls, ringLength);
  const { minimumCalls = Math.min(DEFAULT_MINIMUM_CALLS, lastCalls ?? DEFAULT_MINIMUM_CALLS) } =
    options;
  check(PURPOSE, "threshold", threshold, share);
  check(PURPOSE, "minimumCalls", minimumCalls, count);
  check(PURPOSE, "windowMs", windowMs, positiveDuration);
  if (lastCalls === undefined) {
    return failuresByTime(threshold, minimumCalls, windowMs);
  }
  if (options.windowMs !== undefined) {
    throw new TypeError(
      `Cannot ${PURPOSE} as "windowMs" must not be given with "lastCalls": current value is ${windowMs}`,
    );
  }
  if (minimumCalls > lastCalls) {
    throw outOfRange(PURPOSE, "minimumCalls", `at most "lastCalls" (${lastCalls})`, minimumCalls);
  }
  return failuresByCalls({ threshold, minimumCalls, lastCalls });
}

function failuresByTime(threshold: number, minimumCalls: number, windowMs: number): TripPolicy {
  const sliceMs = windowMs / SLICES;
  const rate = { deed: "failed", threshold, minimumCalls, sliceMs, slowMs: Infinity };
  return {
    name: `failureRate(${threshold}, ${minimumCalls} in ${windowMs} ms)`,
    timed: "end",
    start: (saved) => new TimeWindow(rate, saved),
  };
}

function failuresByCalls(rate: CallRate): TripPolicy {
  const { threshold, minimumCalls, lastCalls } = rate;
  return {
    name: `failureRate(${threshold}, ${minimumCalls} of ${lastCalls})`,
    timed: false,
    start: (saved) => new CallWindow(rate, saved),
  };
}

/**
 * Opens a circuit when the share of slow calls reaches `threshold`, among the calls of the last
 * `windowMs`. Calls that failed or timed out count as slow, however soon they ended.
 *
 * It catches an upstream that still answers, but too late to be of use.
 *
 * @throws {TypeError} If `slowMs` is missing.
 * @throws {RangeError} If a number is out of range.
 */
export function slowRate(options: SlowRateOptions): TripPolicy {
  const {
    slowMs,
    threshold = DEFAULT_SHARE,
    minimumCalls = DEFAULT_MINIMUM_CALLS,
    windowMs = DEFAULT_WINDOW_MS,
  } = checkOptions(PURPOSE, options, SLOW_RATE_OPTIONS);
  check(PURPOSE, "slowMs", slowMs, positiveDuration);
  check(PURPOSE, "threshold", threshold, share);
  check(PURPOSE, "minimumCalls", minimumCalls, count);
  check(PURPOSE, "windowMs", windowMs, positiveDuration);
  const sliceMs = windowMs / SLICES;
  const rate = { deed: "were slow", threshold, minimumCalls, sliceMs, slowMs };
  return {
    name: `slowRate(${slowMs} ms, ${threshold}, ${minimumCalls} in ${windowMs} ms)`,
    start: (saved) => new TimeWindow(rate, saved),
  };
}
