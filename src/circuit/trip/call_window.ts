import { type TripWindow, unreadable } from "./policy.ts";

/** What all windows of one policy share. */
export interface CallRate {
  /** The share of failed calls that opens the circuit. */
  readonly threshold: number;
  /** The fewest calls to judge by. */
  readonly minimumCalls: number;
  /** How many calls the window looks back on. */
  readonly lastCalls: number;
}

/** Counts the failures among the last calls, in a ring of bytes that is made at the first failure. */
export class CallWindow implements TripWindow {
  readonly #rate: CallRate;
  /** 1 where a call failed, 0 elsewhere. */
  #ring: Uint8Array | undefined;
  /** How many calls it looks back on by now. */
  #calls = 0;
  /** The place of the next call: that of the oldest one once the ring is full. */
  #next = 0;
  #failures = 0;

  constructor(rate: CallRate, saved: unknown) {
    this.#rate = rate;
    if (saved !== undefined) this.#restore(saved);
  }

  record(verdict: "success" | "failure"): string | undefined {
    const { threshold, minimumCalls, lastCalls } = this.#rate;
    const failed = verdict === "failure" ? 1 : 0;
    const next = this.#next;
    if (this.#calls < lastCalls) this.#calls++;
    this.#next = next + 1 === lastCalls ? 0 : next + 1;
    if (this.#ring === undefined) {
      if (failed === 0) return undefined;
      this.#ring = new Uint8Array(lastCalls);
    }
    this.#failures += failed - this.#ring[next]!;
    this.#ring[next] = failed;
    if (failed === 0 || this.#calls < minimumCalls) return undefined;
    if (this.#failures / this.#calls < threshold) return undefined;
    return `${this.#failures} of the last ${this.#calls} calls failed`;
  }

  /** Returns the calls it looks back on, oldest first: "0" for a success, "1" for a failure. */
  toJSON(): string {
    const ring = this.#ring;
    if (ring === undefined) return "0".repeat(this.#calls);
    const next = this.#next;
    return ring.subarray(next, this.#calls).join("") + ring.subarray(0, next).join("");
  }

  #restore(saved: unknown): void {
    if (typeof saved !== "string" || saved.length > this.#rate.lastCalls || /[^01]/.test(saved)) {
      throw unreadable(saved);
    }
    for (const bit of saved) this.record(bit === "1" ? "failure" : "success");
  }
}
