import type { Cause, IgnoredReason, OutcomeDetail } from "../observe/events.ts";
import { check, duration, invalidOption, optional } from "../validation.ts";
import type { Machine } from "./machine.ts";
import { leaseIsOver } from "./opening.ts";
import { A_VERDICT, isVerdict, type Verdict } from "./verdict.ts";

/** Permission for one call, see {@link Circuit.acquire}. */
export interface Permit {
  /**
   * Reports how the call ended. Only the first report counts: later ones do nothing. It may be passed
   * on as a callback.
   *
   * @param verdict How the call counts.
   * @param retryAfterMs The shortest delay if the circuit opens now, in ms.
   * @throws {TypeError} If `verdict` is not a verdict, or `retryAfterMs` is not a number.
   * @throws {RangeError} If `retryAfterMs` is negative or not finite.
   */
  settle(verdict: Verdict, retryAfterMs?: number): void;
}

/** How a call ended, besides its verdict. */
export interface End {
  /** The status or the error, for the event. */
  readonly detail?: OutcomeDetail | undefined;
  /** What ended it; the upstream's answer or error if it is left out. */
  readonly cause?: Cause | undefined;
  /** The shortest delay if the circuit opens now, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** Why the call is ignored, if it is. */
  readonly why?: IgnoredReason | undefined;
  /** Opens the circuit at once, for this reason, whatever the verdict. */
  readonly opens?: string | undefined;
}

/** The end of a call of which only the verdict is known. */
export const PLAIN_END: End = {};

/** A call that was let through: the epoch in which it counts and, for a probe, its lease. */
export class CallPermit implements Permit {
  /** When the call began, in ms; 0 if the settings do not need to know. */
  startedAt: number;
  readonly epoch: number;
  readonly isProbe: boolean;
  readonly #machine: Machine | undefined;
  #headAt: number | undefined;
  #isSettled = false;

  /** @param machine The machine that let the call through; undefined if it is to hear no more of it. */
  constructor(machine: Machine | undefined, epoch: number, startedAt: number, isProbe = false) {
    this.#machine = machine;
    this.epoch = epoch;
    this.startedAt = startedAt;
    this.isProbe = isProbe;
  }

  /** True once a good head has come: the call may still fail, but the end of its lease is a success. */
  get hasHead(): boolean {
    return this.#headAt !== undefined;
  }

  /**
   * Notes that a good head has come: the call's duration is known now, its verdict is not yet. A head
   * that comes after a probe's lease is dropped, like any end.
   */
  headReceived(at: number): void {
    const machine = this.#machine;
    if (machine && this.isProbe && leaseIsOver(this, at, machine.settings)) return;
    this.#headAt = at;
  }

  /** Returns the time from the start to the head, or to `at` if no head has come, in ms. */
  durationMs(at: number): number {
    return Math.max(0, (this.#headAt ?? at) - this.startedAt);
  }

  /** A getter, so that it may be passed as a callback, and only those who settle pay for that. */
  get settle(): (verdict: Verdict, retryAfterMs?: number) => void {
    const purpose = "settle a permit";
    return (verdict, retryAfterMs) => {
      if (!isVerdict(verdict)) throw invalidOption(purpose, "verdict", A_VERDICT, verdict);
      check(purpose, "retryAfterMs", retryAfterMs, optional(duration));
      this.end(verdict, retryAfterMs === undefined ? PLAIN_END : { retryAfterMs });
    };
  }

  /** Settles the permit, with all that is known of the end. */
  end(verdict: Verdict, end: End = PLAIN_END): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#machine?.end(this, verdict, end);
  }
}
