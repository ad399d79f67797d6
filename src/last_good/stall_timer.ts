/**
 * Notices when something that should move stands still. It sets no timer for each move, which would
 * cost more than the move: when its time is over, it waits on from the last one.
 */
export class StallTimer {
  readonly #ms: number;
  readonly #onStall: () => void;
  #timer!: ReturnType<typeof setTimeout>;
  /** By the wall clock, in ms. */
  #setAt = 0;
  #waitMs = 0;
  /** When it last moved since then; undefined if it has not. */
  #movedAt: number | undefined;
  #isLastTurn = false;

  constructor(ms: number, onStall: () => void) {
    this.#ms = ms;
    this.#onStall = onStall;
    this.#wait(ms);
  }

  /** Notes that it moves. */
  moved(): void {
    this.#movedAt = Date.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#setAt = Date.now();
    this.#waitMs = ms;
    this.#movedAt = undefined;
    this.#timer = setTimeout(() => this.#check(), ms);
  }

  #check(): void {
    if (this.#movedAt !== undefined) {
      this.#isLastTurn = false;
      return this.#wait(this.#leftMs(this.#movedAt - this.#setAt, Date.now() - this.#setAt));
    }
    if (this.#isLastTurn) return this.#onStall();
    // A blocked event loop fires timers before it reads what has long been there (promise 35).
    this.#isLastTurn = true;
    this.#wait(0);
  }

  /** By a clock that stood still or jumped, it is too late rather than too early (promise 12). */
  #leftMs(movedAfterMs: number, firedAfterMs: number): number {
    const isTrue = movedAfterMs >= 0 && movedAfterMs <= firedAfterMs &&
      firedAfterMs >= this.#waitMs && movedAfterMs <= this.#ms;
    return isTrue ? movedAfterMs + this.#ms - this.#waitMs : this.#ms;
  }
}
