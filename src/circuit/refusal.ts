import { CircuitOpenError } from "../errors.ts";

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

  constructor(why: RefusalReason, retryAfterMs: number) {
    this.why = why;
    this.retryAfterMs = retryAfterMs;
  }

  /** Makes the error for the caller: to them, a circuit that is probing is as good as open. */
  toError(circuit: string): CircuitOpenError {
    const { why, retryAfterMs } = this;
    return new CircuitOpenError(circuit, retryAfterMs, why === "probing" ? "open" : why);
  }
}
