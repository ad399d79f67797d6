import { check, count } from "../../validation.ts";

/**
 * When a closed circuit opens. One policy serves any number of circuits: what it remembers of one
 * is in the window it starts for it. A policy of your own is an object with `start()`.
 *
 * @example A policy of your own: open as soon as two failures come within a second
 * ```ts
 * import { Circuit, type TripPolicy } from "@lastgood/breaker";
 * import { assertEquals } from "@std/assert";
 *
 * const burst: TripPolicy = {
 *   start() {
 *     let last = -Infinity;
 *     return {
 *       record(verdict, at) {
 *         if (verdict === "success") return undefined;
 *         const soon = at - last < 1_000;
 *         last = at;
 *         return soon ? "two failures within a second" : undefined;
 *       },
 *     };
 *   },
 * };
 * const circuit = new Circuit({ trip: burst, now: () => 0 });
 *
 * circuit.acquire()?.settle("failure");
 * circuit.acquire()?.settle("failure");
 *
 * assertEquals(circuit.state, "open");
 * ```
 */
export interface TripPolicy {
  /** Tells policies apart in snapshots: a saved window comes back only under the same name. */
  readonly name?: string;
  /**
   * Saves reading the clock: false if `record` looks at neither `at` nor `durationMs`, "end" if it
   * looks at `at` alone.
   * @default {true}
   */
  readonly timed?: boolean | "end";
  /**
   * Spares making a window for a circuit that has seen nothing but successes: false if they matter
   * only after a failure.
   * @default {true}
   */
  readonly countsSuccesses?: boolean;
  /**
   * Starts what a circuit remembers while it is closed.
   *
   * @param saved What the window's `toJSON` gave, after a trip through JSON.
   */
  start(saved?: unknown): TripWindow;
}

/** What one closed circuit remembers of its calls. */
export interface TripWindow {
  /**
   * Records one call that has ended.
   *
   * @param verdict How it counts.
   * @param at When it ended, in ms. A clock may step back.
   * @param durationMs How long it took, in ms.
   * @returns Why the circuit opens now; undefined if it stays closed.
   */
  record(verdict: "success" | "failure", at: number, durationMs: number): string | undefined;
  /** What to save, as plain data. */
  toJSON?(): unknown;
}

/** Completes "Cannot …". */
export const PURPOSE = "make a trip policy";

/**
 * Opens after so many failures in a row: a success starts the count over.
 *
 * @param failures How many, at least 1.
 * @throws {RangeError} If `failures` is not an integer of at least 1.
 */
export function consecutive(failures: number): TripPolicy {
  return failureCount("consecutive", failures, true);
}

/**
 * Opens after so many failures since the circuit last closed: a success does not start the count
 * over.
 *
 * @param failures How many, at least 1.
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
    start: (saved) =>
      new FailureCount(failures, startsOver, reason, saved === undefined ? 0 : savedCount(saved)),
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

/** A count out of a snapshot. */
export function savedCount(saved: unknown): number {
  if (!Number.isSafeInteger(saved) || (saved as number) < 0) throw unreadable(saved);
  return saved as number;
}

/** The error for what a window cannot be restored from. */
export function unreadable(saved: unknown): TypeError {
  return new TypeError(`Cannot restore a window from ${JSON.stringify(saved)}`);
}
