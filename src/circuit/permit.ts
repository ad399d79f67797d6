import type { OutcomeDetail } from "../observe/events.ts";
import { check, duration, invalidOption, optional } from "../validation.ts";
import type { Machine } from "./machine.ts";
import { A_VERDICT, isVerdict, type Verdict } from "./verdict.ts";

/** Leave for one call, see {@link Circuit.acquire}. */
export interface Permit {
  /**
   * Says how the call ended. It counts once: later calls do nothing.
   *
   * @param verdict How the call counts.
   * @param retryAfterMs If it opens the circuit, the delay is at least this long, in ms.
   * @throws {TypeError} If `verdict` is not a verdict, or `retryAfterMs` not a number.
   * @throws {RangeError} If `retryAfterMs` is negative or not finite.
   */
  settle(verdict: Verdict, retryAfterMs?: number): void;
}

/** Why a call counts as neither success nor failure. */
export type IgnoredReason = "verdict" | "aborted" | "probe-timeout";

/** How a call ended, beside its verdict. */
export interface End {
  /** What came of it. */
  readonly detail?: OutcomeDetail;
  /** The least delay if the circuit opens now, in ms. */
  readonly retryAfterMs?: number;
  /** Why it is ignored, if it is. */
  readonly why?: IgnoredReason;
  /** Opens the circuit at once, for this reason. */
  readonly opens?: string;
}

/** The end of which there is nothing to say but its verdict. */
const PLAIN: End = {};

/** A call that was let through: the epoch it counts in and, if it is a probe, its lease. */
export class CallPermit implements Permit {
  /** When the call began, in ms; 0 where nobody wants to know. */
  startedAt: number;
  readonly epoch: number;
  readonly isProbe: boolean;
  readonly #machine: Machine | undefined;
  #headAt: number | undefined;
  #over = false;

  /** @param machine Whose call it is; none if it counts nowhere and nobody hears of it. */
  constructor(machine: Machine | undefined, epoch: number, startedAt: number, isProbe = false) {
    this.#machine = machine;
    this.epoch = epoch;
    this.startedAt = startedAt;
    this.isProbe = isProbe;
  }

  /** Whether a good head has come: the call may still fail, but its lease ends well. */
  get hasHead(): boolean {
    return this.#headAt !== undefined;
  }

  /**
   * A good head has come: how long the call took is known, how it counts is not yet. After its
   * lease, a probe's is dropped as any end would be.
   */
  headReceived(at: number): void {
    if (this.isProbe && this.#machine?.leaseIsOver(this, at)) return;
    this.#headAt = at;
  }

  /** From the start to the head, or to `at` if there was none, in ms. */
  durationMs(at: number): number {
    return Math.max(0, (this.#headAt ?? at) - this.startedAt);
  }

  settle(verdict: Verdict, retryAfterMs?: number): void {
    if (!isVerdict(verdict)) throw invalidOption("settle a permit", "verdict", A_VERDICT, verdict);
    check("settle a permit", "retryAfterMs", retryAfterMs, optional(duration));
    this.end(verdict, retryAfterMs === undefined ? PLAIN : { retryAfterMs });
  }

  /** As {@link settle}, with all there is to say of it. */
  end(verdict: Verdict, end: End = PLAIN): void {
    if (this.#over) return;
    this.#over = true;
    this.#machine?.end(this, verdict, end);
  }
}
