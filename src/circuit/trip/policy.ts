import { isCount } from "../saved_numbers.ts";

/**
 * Decides when a closed circuit opens. One policy serves any number of circuits: what it remembers
 * of each is in the window that it starts for it. To write your own, make an object with `start()`.
 *
 * @example Your own policy: open when two failures come within a second
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
  /** Identifies the policy in snapshots: a saved window comes back only under the same name. */
  readonly name?: string | undefined;
  /**
   * Which times `record` looks at. `true`: `at` and `durationMs`; `"end"`: only `at`; `false`:
   * neither. A circuit does not read its clock for a time that no policy looks at.
   * @default {true}
   */
  readonly timed?: boolean | "end" | undefined;
  /**
   * Set it to `false` if successes matter only after a failure. A circuit that has seen nothing but
   * successes then has no window yet.
   * @default {true}
   */
  readonly countsSuccesses?: boolean | undefined;
  /**
   * Starts a window for one circuit. It lasts while that circuit stays closed.
   *
   * @param saved What the window's `toJSON` returned, after a trip through JSON.
   */
  start(saved?: unknown): TripWindow;
}

/** A policy's memory of one circuit, while that circuit is closed. */
export interface TripWindow {
  /**
   * Records a call that has ended.
   *
   * @param verdict How the call counts.
   * @param at When the call ended, in ms. It may be earlier than last time: clocks step back.
   * @param durationMs How long the call took, in ms.
   * @returns Why the circuit opens now; undefined if it stays closed.
   */
  record(verdict: "success" | "failure", at: number, durationMs: number): string | undefined;
  /** Returns what to save, as plain data. */
  toJSON?(): unknown;
}

/** What the factories of policies do, for their errors: completes "Cannot …". */
export const PURPOSE = "make a trip policy";

/**
 * Reads a count from a snapshot.
 *
 * @throws {TypeError} If `saved` is not a count.
 */
export function savedCount(saved: unknown): number {
  if (!isCount(saved)) throw unreadable(saved);
  return saved;
}

/** The error for a saved window that cannot be read. */
export function unreadable(saved: unknown): TypeError {
  return new TypeError(`Cannot restore a window from ${JSON.stringify(saved)}`);
}
