/**
 * Why a circuit refuses a call:
 * - `"open"`: its delay is not over yet;
 * - `"probing"`: it is half open, and probes hold all slots;
 * - `"isolated"`: somebody holds it open by hand.
 *
 * `"busy"` joins them with a limit on concurrent calls.
 */
export type RefusalReason = "open" | "probing" | "isolated";

/** The answer to a call that may not pass. */
export class Refusal {
  readonly why: RefusalReason;
  /** Time until a call may pass, in ms; Infinity while the circuit is isolated. */
  readonly retryAfterMs: number;
  /** When it was refused, in ms: what answers instead need not read the clock again. */
  readonly at: number;

  constructor(why: RefusalReason, retryAfterMs: number, at: number) {
    this.why = why;
    this.retryAfterMs = retryAfterMs;
    this.at = at;
  }
}
