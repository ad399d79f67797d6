import { type BreakerEvent, reportError } from "../observe/events.ts";
import {
  callback,
  check,
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
import { steadyClock } from "./steady_clock.ts";
import { consecutive, DEFAULT_THRESHOLD } from "./trip/counts.ts";
import type { TripPolicy } from "./trip/policy.ts";
import type { Judge } from "./verdict.ts";

/** Options of a circuit. They are read once and never written: one object may serve many circuits. */
export interface CircuitOptions<T = unknown> {
  /**
   * The name of the circuit, in events and errors.
   * @default {"circuit"}
   */
  readonly name?: string | undefined;
  /**
   * How many failures in a row open the circuit: short for `trip: consecutive(threshold)`. Cannot be
   * given with `trip`.
   * @default {5}
   */
  readonly threshold?: number | undefined;
  /** When the circuit opens. Of several policies, the first that gives a reason opens it. */
  readonly trip?: TripPolicy | readonly TripPolicy[] | undefined;
  /**
   * How long the circuit stays open before a probe may pass, in ms. With a policy such as `backoff`,
   * the delay can grow each time a probe fails.
   * @default {60_000}
   */
  readonly delayMs?: number | DelayPolicy | undefined;
  /**
   * How many probes must succeed for the circuit to close. Up to as many run at the same time.
   * @default {1}
   */
  readonly probes?: number | undefined;
  /**
   * How long a probe may hold its slot, in ms. When a probe takes longer, the next caller becomes a
   * probe in its place, and what comes of the first one no longer counts.
   * @default {30_000}
   */
  readonly probeTimeoutMs?: number | undefined;
  /**
   * How long a call may take until its result or its response's head is there, in ms; Infinity for no
   * limit. A call that takes longer is rejected with a `TimeoutError` and counts as a failure.
   * @default {Infinity} for a `Circuit`, {10_000} for a `breaker()`
   */
  readonly timeoutMs?: number | undefined;
  /** Decides how a call counts, instead of the default verdict. */
  readonly judge?: Judge<T> | undefined;
  /**
   * "enforce" refuses calls while the circuit is open. "observe" lets them all pass, but emits when it
   * would have refused the first one. "off" lets them all pass and counts nothing.
   * @default {"enforce"}
   */
  readonly mode?: "enforce" | "observe" | "off" | undefined;
  /**
   * The state to go on from, as `circuit.toJSON()` returned it. If it cannot be read, the circuit
   * starts closed.
   */
  readonly state?: CircuitSnapshot | undefined;
  /** Gets every event. An error that it throws, or rejects with, is dropped. */
  readonly onEvent?: ((event: BreakerEvent) => void) | undefined;
  /**
   * Returns the time, in ms. If it gives nonsense or throws, its last good reading counts.
   * @default {() => Date.now()}
   */
  readonly now?: (() => number) | undefined;
  /**
   * Returns a random number from 0 to 1, for delays with jitter.
   * @default {() => Math.random()}
   */
  readonly random?: (() => number) | undefined;
}

/** The names of the options that a circuit has in common with those of a `breaker()`. */
export const SHARED_OPTIONS: readonly Exclude<keyof CircuitOptions, "state">[] = [
  "name",
  "threshold",
  "trip",
  "delayMs",
  "probes",
  "probeTimeoutMs",
  "timeoutMs",
  "judge",
  "mode",
  "onEvent",
  "now",
  "random",
];

/** The options of a circuit, checked and complete. Circuits made of the same options share them. */
export class CircuitSettings<T> {
  readonly name: string;
  readonly policies: readonly TripPolicy[];
  readonly delayMs: number | DelayPolicy;
  readonly probes: number;
  readonly probeTimeoutMs: number;
  /** The deadlines of all calls; undefined if there is no limit. */
  readonly deadlines: Deadlines | undefined;
  readonly judge: Judge<T> | undefined;
  readonly mode: "enforce" | "observe" | "off";
  readonly onEvent: ((event: BreakerEvent) => void) | undefined;
  readonly now: () => number;
  readonly random: () => number;
  /** True if a listener or a policy needs to know when a call began. */
  readonly needsStartTime: boolean;
  /** True if a listener or a policy needs to know when a call ended. */
  readonly needsEndTime: boolean;
  /** True if a policy needs to know of successes before the first failure. */
  readonly countsSuccesses: boolean;
  /** True if the verdict is all that a closed circuit needs of a call. */
  readonly needsOnlyVerdicts: boolean;

  /**
   * @param purpose What the options are for, in errors: completes "Cannot …".
   * @param defaultTimeoutMs The limit where the options name none.
   */
  constructor(
    options: CircuitOptions<T>,
    purpose = "make a circuit",
    defaultTimeoutMs = Infinity,
  ) {
    const { name = "circuit", delayMs = DEFAULT_DELAY_MS, probes = 1, mode = "enforce" } = options;
    const { probeTimeoutMs = 30_000, timeoutMs = defaultTimeoutMs, judge, onEvent } = options;
    const { now = wallClock, random = mathRandom } = options;

    this.name = check(purpose, "name", name, text);
    this.policies = policiesFrom(options, purpose);
    this.delayMs = typeof delayMs === "function"
      ? delayMs
      : check(purpose, "delayMs", delayMs, duration);
    this.probes = check(purpose, "probes", probes, count);
    this.probeTimeoutMs = check(purpose, "probeTimeoutMs", probeTimeoutMs, positiveDuration);
    check(purpose, "timeoutMs", timeoutMs, limit);
    this.deadlines = timeoutMs === Infinity ? undefined : new Deadlines(timeoutMs);
    this.mode = check(purpose, "mode", mode, oneOf("enforce", "observe", "off"));
    this.judge = check(purpose, "judge", judge, optional(callback));
    this.onEvent = check(purpose, "onEvent", onEvent, optional(callback));
    check(purpose, "now", now, callback);
    // Ours is read as it is: it is half of a call's cost.
    this.now = now === wallClock ? now : steadyClock(now, (error) => {
      reportError(this, this.name, "now", error);
    });
    this.random = check(purpose, "random", random, callback);

    // Reading the clock is half of a call's cost: it is read only for those who need the time.
    const isHeard = onEvent !== undefined;
    this.needsStartTime = isHeard || this.policies.some(({ timed = true }) => timed === true);
    this.needsEndTime = isHeard || this.policies.some(({ timed = true }) => timed !== false);
    this.countsSuccesses = this.policies.some((policy) => policy.countsSuccesses !== false);
    this.needsOnlyVerdicts = !this.needsStartTime && judge === undefined &&
      this.deadlines === undefined && mode !== "off";
  }
}

function policiesFrom<T>(options: CircuitOptions<T>, purpose: string): readonly TripPolicy[] {
  const { threshold = DEFAULT_THRESHOLD, trip } = options;
  if (trip === undefined) return [consecutive(check(purpose, "threshold", threshold, count))];
  if (options.threshold !== undefined) {
    throw new TypeError(
      `Cannot ${purpose} as "threshold" must not be given with "trip": current value is ${threshold}`,
    );
  }
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

/** Looks `Date.now` up at each call: tests replace it. */
function wallClock(): number {
  return Date.now();
}

/** Looks `Math.random` up at each call: tests replace it. */
function mathRandom(): number {
  return Math.random();
}
