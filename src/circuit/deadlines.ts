import { outlivesAnswer } from "../host.ts";

/** One that must be done in time. */
export interface Due {
  /** Called when its time is over. */
  timeOut(): void;
  /** When it began, as the wall clock counts, in ms. */
  startedAt: number;
  before: Due | undefined;
  after: Due | undefined;
  /** Its own timer, on hosts where timers end with their request. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Deadlines that all are equally far ahead, so they pass in the order in which they began: one timer
 * at the first serves all of them, as a timer for each call costs more than all the rest of it.
 *
 * On Workers a timer belongs to a request and ends with it: there, each has its own.
 */
export class Deadlines {
  /** How far ahead they are, in ms. */
  readonly ms: number;
  #isShared: boolean | undefined;
  #first: Due | undefined;
  #last: Due | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the one began for which the timer was set. */
  #timedFor = 0;

  constructor(ms: number) {
    this.ms = ms;
  }

  /** Starts the time of `due`. */
  add(due: Due): void {
    if (!(this.#isShared ??= outlivesAnswer())) {
      due.timer = setTimeout(() => due.timeOut(), this.ms);
      return;
    }
    due.startedAt = Date.now();
    due.before = this.#last;
    if (this.#last === undefined) this.#first = due;
    else this.#last.after = due;
    this.#last = due;
    if (this.#timer === undefined) this.#set(due, this.ms);
  }

  /** It was done in time. To say so twice is harmless. */
  delete(due: Due): void {
    if (due.timer !== undefined) return clearTimeout(due.timer);
    const { before, after } = due;
    if (before === undefined && this.#first !== due) return;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    due.before = due.after = undefined;
    if (this.#first !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #set(due: Due, ms: number): void {
    this.#timedFor = due.startedAt;
    this.#timer = setTimeout(() => this.#pass(), ms);
  }

  /** The one for which the timer was set is over, and all that began with it. */
  #pass(): void {
    const passed = this.#timedFor;
    this.#timer = undefined;
    let first = this.#first;
    while (first !== undefined && first.startedAt === passed) {
      this.delete(first);
      first.timeOut();
      first = this.#first;
    }
    if (first === undefined || this.#timer !== undefined) return;
    // From start to start, not by today's clock: one that jumped can make it later, never earlier.
    const ms = first.startedAt - passed;
    this.#set(first, ms > 0 && ms < this.ms ? ms : this.ms);
  }
}
