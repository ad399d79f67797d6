import { outlivesAnswer } from "../runtime.ts";

/** A call that must end in time. */
export interface TimedCall {
  /** Called when its time is over. */
  timeOut(): void;
  /** The deadline that it waits for; set by {@link Deadlines}. */
  deadline: Deadline | undefined;
}

/**
 * The deadlines of calls that may all take equally long.
 *
 * Calls that began in the same millisecond share a timer, as a timer for each call costs 1.7 µs on
 * Deno (0.1 elsewhere). On Workers a timer belongs to a request and ends with it, so there each call
 * has its own. A timer is never set again: neither a clock that jumps nor the lateness of timers
 * moves a deadline (promise 12).
 */
export class Deadlines {
  /** How long each call may take, in ms. */
  readonly ms: number;
  /** Asked for at the first call. */
  #areShared: boolean | undefined;
  #latest: Deadline | undefined;

  constructor(ms: number) {
    this.ms = ms;
  }

  /**
   * Starts the time of a call.
   *
   * @param beganAt When the call began, by the wall clock, in ms; now if it is left out.
   */
  add(call: TimedCall, beganAt?: number): void {
    const now = Date.now();
    const began = Math.min(beganAt ?? now, now);
    const leftMs = began + this.ms - now;
    if (leftMs <= 0) return call.timeOut();
    this.#areShared ??= outlivesAnswer();
    call.deadline = this.#areShared ? this.#shared(began, leftMs) : new Deadline(began, leftMs);
    call.deadline.add(call);
  }

  /** Returns the deadline of the calls that began in this millisecond. */
  #shared(began: number, leftMs: number): Deadline {
    const latest = this.#latest;
    if (latest?.isWaiting && latest.began === began) return latest;
    return this.#latest = new Deadline(began, leftMs);
  }

  /** Stops the time of a call that has ended. Doing so twice is harmless. */
  delete(call: TimedCall): void {
    call.deadline?.delete(call);
    call.deadline = undefined;
  }
}

/** A timer, and the calls that wait for it. */
export class Deadline {
  /** When its calls began, by the wall clock, in ms. */
  readonly began: number;
  /** True while its timer runs. */
  isWaiting = true;
  readonly #calls = new Set<TimedCall>();
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(began: number, leftMs: number) {
    this.began = began;
    this.#timer = setTimeout(() => this.#pass(), leftMs);
  }

  add(call: TimedCall): void {
    this.#calls.add(call);
  }

  /** Stops the timer with the last call. */
  delete(call: TimedCall): void {
    if (!this.#calls.delete(call) || this.#calls.size > 0 || !this.isWaiting) return;
    this.isWaiting = false;
    clearTimeout(this.#timer);
  }

  #pass(): void {
    this.isWaiting = false;
    for (const call of this.#calls) call.timeOut();
  }
}
