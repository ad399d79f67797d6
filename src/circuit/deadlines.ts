import { outlivesAnswer } from "../runtime.ts";

/** One that must be done in time. */
export interface TimedCall {
  /** Called when its time is over. */
  timeOut(): void;
  /** The timer that it waits for. */
  deadline: Deadline | undefined;
}

/**
 * Deadlines that all are equally far ahead. Those that began within one millisecond share a timer,
 * as a timer for each call costs more than all the rest of it. No timer is set again, so neither a
 * clock that jumps nor the lateness of timers can move a deadline.
 *
 * On Workers a timer belongs to a request and ends with it: there, each has its own.
 */
export class Deadlines {
  /** How far ahead they are, in ms. */
  readonly ms: number;
  #isShared: boolean | undefined;
  #latest: Deadline | undefined;

  constructor(ms: number) {
    this.ms = ms;
  }

  /**
   * Starts the time of `due`.
   *
   * @param at When it has begun, a moment ago, as the wall clock counts, in ms.
   */
  add(due: TimedCall, at?: number): void {
    const now = Date.now();
    const began = Math.min(at ?? now, now);
    const leftMs = began + this.ms - now;
    if (leftMs <= 0) return due.timeOut();
    this.#isShared ??= outlivesAnswer();
    due.deadline = this.#isShared ? this.#since(began, leftMs) : new Deadline(began, leftMs);
    due.deadline.add(due);
  }

  /** The one that began within this millisecond. */
  #since(at: number, leftMs: number): Deadline {
    const latest = this.#latest;
    if (latest?.isWaiting && latest.at === at) return latest;
    return this.#latest = new Deadline(at, leftMs);
  }

  /** It was done in time. To say so twice is harmless. */
  delete(due: TimedCall): void {
    due.deadline?.delete(due);
    due.deadline = undefined;
  }
}

/** One timer, and all that wait for it. */
export class Deadline {
  /** When it began, as the wall clock counts, in ms. */
  readonly at: number;
  /** Whether its timer runs. */
  isWaiting = true;
  readonly #dues = new Set<TimedCall>();
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(at: number, ms: number) {
    this.at = at;
    this.#timer = setTimeout(() => this.#pass(), ms);
  }

  add(due: TimedCall): void {
    this.#dues.add(due);
  }

  delete(due: TimedCall): void {
    if (!this.#dues.delete(due) || this.#dues.size > 0 || !this.isWaiting) return;
    this.isWaiting = false;
    clearTimeout(this.#timer);
  }

  #pass(): void {
    this.isWaiting = false;
    for (const due of this.#dues) due.timeOut();
  }
}
