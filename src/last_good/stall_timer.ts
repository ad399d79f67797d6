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
    const firedAfterMs = Date.now() - this.#setAt;
    const isFrozen = firedAfterMs > this.#waitMs + FROZEN_MS;
    if (this.#movedAt === undefined && !isFrozen) {
      if (this.#isLastTurn) return this.#onStall();
      // A blocked event loop fires timers before it reads what has long been there (promise 35).
      this.#isLastTurn = true;
      return this.#wait(0);
    }
    this.#isLastTurn = false;
    const movedAfterMs = (this.#movedAt ?? NaN) - this.#setAt;
    // By a clock that stood still or jumped, it is too late rather than too early (promise 12).
    const isTrue = !isFrozen && movedAfterMs >= 0 && movedAfterMs <= this.#ms &&
      firedAfterMs >= this.#waitMs;
    this.#wait(isTrue ? movedAfterMs + this.#ms - this.#waitMs : this.#ms);
  }
}

/** A timer that is later than this, in ms, was frozen with its host (promise 33). */
const FROZEN_MS = 1_000;
