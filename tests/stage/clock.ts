/** The time at which every fake clock starts, in ms. */
export const START = Date.UTC(2026, 0, 1);

/** A clock that only the test moves. */
export class Clock {
  ms: number;

  constructor(ms = START) {
    this.ms = ms;
  }

  /** For the `now` option. */
  readonly now = (): number => this.ms;

  readonly tick = (ms: number): void => void (this.ms += ms);
}
