import type { BreakerEvent } from "../observe/events.ts";
import {
  callback,
  check,
  checkOptions,
  count,
  duration,
  invalidOption,
  limit,
  oneOf,
  optional,
  positiveDuration,
  text,
} from "../validation.ts";
import { Deadlines } from "./deadlines.ts";
import { DEFAULT_DELAY_MS, type DelayPolicy } from "./delay.ts";
import type { CircuitSnapshot } from "./snapshot.ts";
import { consecutive, DEFAULT_THRESHOLD } from "./trip/counts.ts";
import type { TripPolicy } from "./trip/policy.ts";
import type { Judge } from "./verdict.ts";

/** Options of a circuit. They are read once, never written: one object may serve many circuits. */
export interface CircuitOptions<T = unknown> {
  /**
   * Its name, in events and errors.
   * @default {"circuit"}
   */
  readonly name?: string;
  /**
   * Opens after so many failures in a row: short for `trip: consecutive(threshold)`.
   * Not together with `trip`.
   * @default {5}
   */
  readonly threshold?: number;
  /** When it opens. Of several policies, the first that says so opens it. */
  readonly trip?: TripPolicy | readonly TripPolicy[];
  /**
   * How long it stays open before a probe may pass, in ms; a policy makes it depend on how often
   * it has opened again.
   * @default {60_000}
   */
  readonly delayMs?: number | DelayPolicy;
  /**
   * So many probes must succeed for it to close. Those running and those that have succeeded are
   * never more.
   * @default {1}
   */
  readonly probes?: number;
  /**
   * A probe that is unanswered for so long, in ms, no longer holds its slot.
   * @default {30_000}
   */
  readonly probeTimeoutMs?: number;
  /**
   * How long a call may take, in ms, until its result or its response's head; Infinity for no limit.
   * @default {Infinity} for a `Circuit`, {10_000} for a `breaker()`
   */
  readonly timeoutMs?: number;
  /** Decides how a call counts; undefined leaves it to the default. */
  readonly judge?: Judge<T>;
  /**
   * "observe" never refuses but says when it would have; "off" lets everything pass and counts
   * nothing.
   * @default {"enforce"}
   */
  readonly mode?: "enforce" | "observe" | "off";
  /** Where to go on from, as `circuit.toJSON()` gave it. What cannot be read starts closed. */
  readonly state?: CircuitSnapshot;
  /** Hears all that happens. What it throws or rejects with is dropped. */
  readonly onEvent?: (event: BreakerEvent) => void;
  /**
   * The time, in ms.
   * @default {() => Date.now()}
   */
  readonly now?: () => number;
  /**
   * Chance, from 0 to 1, for delays with jitter.
   * @default {() => Math.random()}
   */
  readonly random?: () => number;
}

/** What all circuits made of the same options share: the options, checked and complete. */
export class CircuitSettings<T> {
  readonly name: string;
  readonly policies: readonly TripPolicy[];
  readonly delayMs: number | DelayPolicy;
  readonly probes: number;
  readonly probeTimeoutMs: number;
  readonly timeoutMs: number;
  /** Those of all calls; undefined where there is no limit. */
  readonly deadlines: Deadlines | undefined;
  readonly mode: "enforce" | "observe" | "off";
  readonly now: () => number;
  readonly random: () => number;
  readonly judge: Judge<T> | undefined;
  readonly onEvent: ((event: BreakerEvent) => void) | undefined;
  /** Whether anybody wants to know when a call began: reading the clock is half of a call's cost. */
  readonly needsStartTime: boolean;
  /** Whether anybody wants to know when it ended. */
  readonly needsEndTime: boolean;
  /** Whether windows need to know of successes before the first failure. */
  readonly countsSuccesses: boolean;
  /** Whether all that is wanted of a call in `Circuit.run` is its verdict. */
  readonly needsOnlyVerdicts: boolean;

  /** @param purpose What cannot be made, in errors, with its article. */
  constructor(options: CircuitOptions<T>, purpose = "make a circuit") {
    checkOptions(purpose, options);
    const {
      name = "circuit",
      threshold = DEFAULT_THRESHOLD,
      trip,
      delayMs = DEFAULT_DELAY_MS,
      probes = 1,
    } = options;
    const { probeTimeoutMs = 30_000, timeoutMs = Infinity, judge, mode = "enforce" } = options;
    const { onEvent, now = wallClock, random = chance } = options;
    if (options.threshold !== undefined && trip !== undefined) {
      throw new TypeError(
        `Cannot ${purpose} as "threshold" must not be given with "trip": current value is ${threshold}`,
      );
    }
    this.name = check(purpose, "name", name, text);
    this.policies = trip === undefined
      ? [consecutive(check(purpose, "threshold", threshold, count))]
      : policiesFrom(purpose, trip);
    this.delayMs = typeof delayMs === "function"
      ? delayMs
      : check(purpose, "delayMs", delayMs, duration);
    this.probes = check(purpose, "probes", probes, count);
    this.probeTimeoutMs = check(purpose, "probeTimeoutMs", probeTimeoutMs, positiveDuration);
    this.timeoutMs = check(purpose, "timeoutMs", timeoutMs, limit);
    this.deadlines = timeoutMs === Infinity ? undefined : new Deadlines(timeoutMs);
    this.mode = check(purpose, "mode", mode, oneOf("enforce", "observe", "off"));
    this.judge = check(purpose, "judge", judge, optional(callback));
    this.onEvent = check(purpose, "onEvent", onEvent, optional(callback));
    this.now = check(purpose, "now", now, callback);
    this.random = check(purpose, "random", random, callback);
    const heard = onEvent !== undefined;
    this.needsStartTime = heard || this.policies.some(({ timed = true }) => timed === true);
    this.needsEndTime = heard || this.policies.some(({ timed = true }) => timed !== false);
    this.countsSuccesses = this.policies.some((policy) => policy.countsSuccesses !== false);
    this.needsOnlyVerdicts = !this.needsStartTime && judge === undefined &&
      this.deadlines === undefined &&
      mode !== "off";
  }
}

/** The options that settings are made of. */
type Shared = Readonly<Record<Exclude<keyof CircuitOptions, "name" | "state">, unknown>>;

/** The settings made last, and the options of which. */
let latest:
  | { readonly of: Shared; readonly settings: CircuitSettings<never> }
  | undefined;

/**
 * The settings for a circuit. Thousands of circuits made of the same options, as many apps make
 * them, share one object: it weighs more than the circuit.
 */
export function settingsOf<T>(options: CircuitOptions<T>): CircuitSettings<T> {
  if (options instanceof SharedOptions) return options.settings as CircuitSettings<T>;
  checkOptions("make a circuit", options);
  if (latest !== undefined && areSame(latest.of, options)) {
    return latest.settings as unknown as CircuitSettings<T>;
  }
  const settings = new CircuitSettings(options);
  latest = { of: sharedOf(options), settings: settings as never };
  return settings;
}

/** Each is read: an object of a class may have them on its prototype. */
function sharedOf<T>(options: CircuitOptions<T>): Shared {
  const { threshold, trip, delayMs, probes, probeTimeoutMs, timeoutMs } = options;
  const { judge, mode, onEvent, now, random } = options;
  return {
    threshold,
    trip,
    delayMs,
    probes,
    probeTimeoutMs,
    timeoutMs,
    judge,
    mode,
    onEvent,
    now,
    random,
  };
}

/** Whether the same settings come of both. One by one: a loop over names takes ten times as long. */
function areSame<T>(one: Shared, other: CircuitOptions<T>): boolean {
  return one.threshold === other.threshold && one.trip === other.trip &&
    one.delayMs === other.delayMs && one.probes === other.probes &&
    one.probeTimeoutMs === other.probeTimeoutMs && one.timeoutMs === other.timeoutMs &&
    one.judge === other.judge && one.mode === other.mode && one.onEvent === other.onEvent &&
    one.now === other.now && one.random === other.random &&
    (other.name === undefined || typeof other.name === "string") &&
    // A list of policies may have changed since.
    !Array.isArray(other.trip);
}

/** Not `Date.now` itself: tests replace it later. */
function wallClock(): number {
  return Date.now();
}

function chance(): number {
  return Math.random();
}

/** Options for one of many circuits that share their settings. */
export class SharedOptions<T> implements CircuitOptions<T> {
  readonly name: string;
  readonly settings: CircuitSettings<T>;

  constructor(name: string, settings: CircuitSettings<T>) {
    this.name = name;
    this.settings = settings;
  }
}

function policiesFrom(
  purpose: string,
  trip: TripPolicy | readonly TripPolicy[],
): readonly TripPolicy[] {
  const policies: readonly unknown[] = Array.isArray(trip) ? [...trip] : [trip];
  if (policies.length === 0) {
    throw invalidOption(purpose, "trip", "a trip policy or several", trip);
  }
  for (const policy of policies) {
    const start: unknown = (policy as Partial<TripPolicy> | null)?.start;
    if (typeof start !== "function") {
      throw invalidOption(purpose, "trip", "a trip policy: an object with start()", policy);
    }
  }
  return policies as readonly TripPolicy[];
}
