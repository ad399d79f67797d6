import {
  check,
  checkOptions,
  count,
  outOfRange,
  positiveDuration,
  share,
} from "../../validation.ts";
import { PURPOSE, savedCount, type TripPolicy, type TripWindow, unreadable } from "./policy.ts";

/** Options of {@link failureRate}: by time, or by the last calls. */
export interface FailureRateOptions {
  /**
   * Opens at this share of failures: above 0, at most 1.
   * @default {0.5}
   */
  readonly threshold?: number;
  /**
   * Says nothing before so many calls.
   * @default {20}, or `lastCalls` if that is less
   */
  readonly minimumCalls?: number;
  /**
   * How far it looks back, in ms, in ten slices. Not together with `lastCalls`.
   * @default {60_000}
   */
  readonly windowMs?: number;
  /** How many calls it looks back on. */
  readonly lastCalls?: number;
}

/** Options of {@link slowRate}. */
export interface SlowRateOptions {
  /** A call that takes so long, in ms, or longer is slow. */
  readonly slowMs: number;
  /**
   * Opens at this share of slow calls: above 0, at most 1.
   * @default {0.5}
   */
  readonly threshold?: number;
  /**
   * Says nothing before so many calls.
   * @default {20}
   */
  readonly minimumCalls?: number;
  /**
   * How far it looks back, in ms, in ten slices.
   * @default {60_000}
   */
  readonly windowMs?: number;
}

/**
 * Opens when the share of failed calls reaches `threshold`: of the calls of the last `windowMs`,
 * or of the last `lastCalls`. It counts calls that were let through and have ended.
 *
 * @throws {TypeError} If both `windowMs` and `lastCalls` are given.
 * @throws {RangeError} If a number is out of range, or `minimumCalls` is over `lastCalls`.
 */
export function failureRate(options: FailureRateOptions = {}): TripPolicy {
  const { threshold = 0.5, windowMs = 60_000, lastCalls } = checkOptions(PURPOSE, options);
  if (lastCalls !== undefined) check(PURPOSE, "lastCalls", lastCalls, count);
  const { minimumCalls = Math.min(20, lastCalls ?? 20) } = options;
  check(PURPOSE, "threshold", threshold, share);
  check(PURPOSE, "minimumCalls", minimumCalls, count);
  check(PURPOSE, "windowMs", windowMs, positiveDuration);
  if (lastCalls === undefined) {
    const rate = rateByTime("failed", threshold, minimumCalls, windowMs, Infinity);
    return {
      name: `failureRate(${threshold}, ${minimumCalls} in ${windowMs} ms)`,
      timed: "end",
      start: (saved) => new RateByTime(rate, saved),
    };
  }
  if (options.windowMs !== undefined) {
    throw new TypeError(
      `Cannot ${PURPOSE} as "windowMs" must not be given with "lastCalls": current value is ${windowMs}`,
    );
  }
  if (minimumCalls > lastCalls) {
    throw outOfRange(PURPOSE, "minimumCalls", `at most "lastCalls" (${lastCalls})`, minimumCalls);
  }
  return {
    name: `failureRate(${threshold}, ${minimumCalls} of ${lastCalls})`,
    timed: false,
    start: (saved) => new RateByCalls(threshold, minimumCalls, lastCalls, saved),
  };
}

/**
 * Opens when the share of slow calls reaches `threshold`. Failed and timed-out calls count as slow.
 *
 * @throws {TypeError} If `slowMs` is missing.
 * @throws {RangeError} If a number is out of range.
 */
export function slowRate(options: SlowRateOptions): TripPolicy {
  const { slowMs, threshold = 0.5, minimumCalls = 20, windowMs = 60_000 } = checkOptions(
    PURPOSE,
    options,
  );
  check(PURPOSE, "slowMs", slowMs, positiveDuration);
  check(PURPOSE, "threshold", threshold, share);
  check(PURPOSE, "minimumCalls", minimumCalls, count);
  check(PURPOSE, "windowMs", windowMs, positiveDuration);
  const rate = rateByTime("were slow", threshold, minimumCalls, windowMs, slowMs);
  return {
    name: `slowRate(${slowMs} ms, ${threshold}, ${minimumCalls} in ${windowMs} ms)`,
    start: (saved) => new RateByTime(rate, saved),
  };
}

/** What all windows of one policy share. */
interface Rate {
  readonly says: string;
  readonly threshold: number;
  readonly minimumCalls: number;
  readonly sliceMs: number;
  readonly slowMs: number;
}

/** How many slices a window of time has: it forgets a tenth of itself at a time. */
const SLICES = 10;

function rateByTime(
  says: string,
  threshold: number,
  minimumCalls: number,
  windowMs: number,
  slowMs: number,
): Rate {
  return { says, threshold, minimumCalls, sliceMs: windowMs / SLICES, slowMs };
}

/**
 * Counts by time, in slices of which the first begins with the first call recorded. A slice is two
 * small integers, its calls and its bad ones, in one plain array that is made at the first call: a
 * typed array costs more memory and is no faster. They are added up only when a bad call comes.
 */
class RateByTime implements TripWindow {
  readonly #rate: Rate;
  #slices: number[] | undefined;
  /** When slice 0 began. */
  #began = 0;
  /** The slice written last; slices are counted without end, each place is used in turn. */
  #slice = 0;

  constructor(rate: Rate, saved: unknown) {
    this.#rate = rate;
    if (saved !== undefined) this.#restore(saved);
  }

  record(verdict: "success" | "failure", at: number, durationMs: number): string | undefined {
    const { threshold, minimumCalls, slowMs, says } = this.#rate;
    const slices = this.#forwardTo(at);
    const place = (this.#slice % SLICES) * 2;
    slices[place]! += 1;
    if (verdict === "success" && durationMs < slowMs) return undefined;
    slices[place + 1]! += 1;
    let calls = 0;
    let bad = 0;
    for (let index = 0; index < slices.length; index += 2) {
      calls += slices[index]!;
      bad += slices[index + 1]!;
    }
    if (calls < minimumCalls || bad / calls < threshold) return undefined;
    return `${bad} of ${calls} calls ${says}`;
  }

  /** Moves on to the slice of `at` and forgets what has left the window. */
  #forwardTo(at: number): number[] {
    const { sliceMs } = this.#rate;
    const slice = Math.floor((at - this.#began) / sliceMs);
    const slices = this.#slices;
    if (slices === undefined || slice >= this.#slice + SLICES) return this.#startOver(at);
    // The clock stepped back: what was newest is now.
    if (slice < this.#slice) this.#began = at - this.#slice * sliceMs;
    while (this.#slice < slice) {
      this.#slice++;
      const place = (this.#slice % SLICES) * 2;
      slices[place] = 0;
      slices[place + 1] = 0;
    }
    return slices;
  }

  #startOver(at: number): number[] {
    this.#began = at;
    this.#slice = 0;
    return this.#slices = Array<number>(SLICES * 2).fill(0);
  }

  toJSON(): unknown {
    return { began: this.#began, slice: this.#slice, slices: this.#slices };
  }

  #restore(saved: unknown): void {
    const { began, slice, slices } = Object(saved) as Record<string, unknown>;
    if (slices === undefined && began === 0) return;
    if (!Number.isFinite(began) || !Array.isArray(slices) || slices.length !== SLICES * 2) {
      throw unreadable(saved);
    }
    this.#began = began as number;
    this.#slice = savedCount(slice);
    this.#slices = slices.map(savedCount);
  }
}

/** Counts the last calls, in a ring of bytes that is made at the first failure. */
class RateByCalls implements TripWindow {
  readonly #threshold: number;
  readonly #minimumCalls: number;
  readonly #lastCalls: number;
  /** 1 where a call failed. */
  #ring: Uint8Array | undefined;
  #calls = 0;
  #next = 0;
  #failures = 0;

  constructor(threshold: number, minimumCalls: number, lastCalls: number, saved: unknown) {
    this.#threshold = threshold;
    this.#minimumCalls = minimumCalls;
    this.#lastCalls = lastCalls;
    if (saved !== undefined) this.#restore(saved);
  }

  record(verdict: "success" | "failure"): string | undefined {
    const failed = verdict === "failure" ? 1 : 0;
    if (this.#calls < this.#lastCalls) this.#calls++;
    if (this.#ring === undefined && failed === 1) this.#ring = new Uint8Array(this.#lastCalls);
    if (this.#ring !== undefined) {
      this.#failures += failed - this.#ring[this.#next]!;
      this.#ring[this.#next] = failed;
    }
    this.#next = this.#next + 1 === this.#lastCalls ? 0 : this.#next + 1;
    if (failed === 0 || this.#calls < this.#minimumCalls) return undefined;
    if (this.#failures / this.#calls < this.#threshold) return undefined;
    return `${this.#failures} of the last ${this.#calls} calls failed`;
  }

  /** The calls it looks back on, oldest first: "0" for a success, "1" for a failure. */
  toJSON(): string {
    const ring = this.#ring;
    if (ring === undefined) return "0".repeat(this.#calls);
    const first = this.#calls < this.#lastCalls ? 0 : this.#next;
    return ring.subarray(first, this.#calls).join("") + ring.subarray(0, first).join("");
  }

  #restore(saved: unknown): void {
    if (typeof saved !== "string" || !/^[01]*$/.test(saved)) throw unreadable(saved);
    for (const bit of saved) this.record(bit === "1" ? "failure" : "success");
  }
}
