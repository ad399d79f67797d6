import { check, count } from "../../validation.ts";
import { PURPOSE, savedCount, type TripPolicy, type TripWindow, unreadable } from "./policy.ts";

/** How many failures in a row open a circuit that has no other policy. */
export const DEFAULT_THRESHOLD = 5;

/**
 * Opens a circuit after a number of failures in a row. A success starts the count again.
 *
 * It suits an upstream that is either up or down. One that fails half of its calls may never fail
 * enough of them in a row: use {@link failureRate} for it.
 *
 * @param failures How many failures, at least 1.
 * @throws {RangeError} If `failures` is not an integer of at least 1.
 */
export function consecutive(failures: number): TripPolicy {
  return failureCount("consecutive", failures, true);
}

/**
 * Opens a circuit after a number of failures since it last closed, however many calls succeed in
 * between.
 *
 * It never forgets a failure, so any circuit that lives long enough opens in the end. Use it where
 * every failure matters, or use {@link failureRate}.
 *
 * @param failures How many failures, at least 1.
 * @throws {RangeError} If `failures` is not an integer of at least 1.
 */
export function total(failures: number): TripPolicy {
  return failureCount("total", failures, false);
}

function failureCount(kind: string, failures: number, startsOver: boolean): TripPolicy {
  check(PURPOSE, "failures", failures, count);
  const unit = failures === 1 ? "failure" : "failures";
  const reason = startsOver ? `${failures} ${unit} in a row` : `${failures} ${unit}`;
  return {
    name: `${kind}(${failures})`,
    timed: false,
    countsSuccesses: false,
    start(saved = 0) {
      const counted = savedCount(saved);
      // With as many it would have opened.
      if (counted >= failures) throw unreadable(saved);
      return new FailureCount(failures, startsOver, reason, counted);
    },
  };
}

class FailureCount implements TripWindow {
  readonly #limit: number;
  readonly #startsOver: boolean;
  readonly #reason: string;
  #failures: number;

  constructor(limit: number, startsOver: boolean, reason: string, failures: number) {
    this.#limit = limit;
    this.#startsOver = startsOver;
    this.#reason = reason;
    this.#failures = failures;
  }

  record(verdict: "success" | "failure"): string | undefined {
    if (verdict === "success") {
      if (this.#startsOver) this.#failures = 0;
      return undefined;
    }
    this.#failures++;
    return this.#failures >= this.#limit ? this.#reason : undefined;
  }

  toJSON(): number {
    return this.#failures;
  }
}
