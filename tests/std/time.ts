/**
 * Stands in for `@std/testing/time` where JSR is out of reach: with the same names, arguments and
 * order of events, on a clock from fake-timers. Its `install()` is not enough: it does not fake
 * `AbortSignal.timeout`, runs on after a timer throws, and cannot restore real time for a while.
 */

import { restoreGlobal } from "./small_global.ts";
import { type Clock, createClock } from "npm:@sinonjs/fake-timers@15.5.0";

restoreGlobal();

/** The globals that are replaced. `performance.now` and `queueMicrotask` are not. */
interface Clockwork {
  Date: DateConstructor;
  setTimeout: typeof setTimeout;
  clearTimeout: typeof clearTimeout;
  setInterval: typeof setInterval;
  clearInterval: typeof clearInterval;
  abortTimeout: typeof AbortSignal.timeout;
}

export interface FakeTimeOptions {
  /** Fake ms per real ms; 0: time stands still until moved. @default {0} */
  readonly advanceRate: number;
  /** Real ms between moves of the fake time. @default {10} */
  readonly advanceFrequency?: number;
}

export interface DelayOptions {
  /** Ends the delay early, with an `AbortError`. */
  readonly signal?: AbortSignal;
}

/** Thrown for actions that are impossible while time is faked, or while it is real. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

/** Timers accept delays of 31 bits; a longer one fires at once, on every runtime. */
const MAX_DELAY_MS = 2 ** 31 - 1;

let active: FakeTime | undefined;

/**
 * Replaces `Date`, timers and `AbortSignal.timeout` until it is restored or goes out of scope.
 * Timers are called in the order in which they are due, then in the order of creation.
 */
export class FakeTime {
  /** The globals from before. */
  readonly #real: Clockwork = currentClockwork();
  readonly #fake: Clockwork;
  readonly #clock: Clock;
  readonly #start: number;
  #now: number;
  #stopAdvancing = () => {};

  /**
   * @param start The time to begin with: ms since 1970, a date, or a date string. By default now.
   * @param options How time moves by itself.
   * @throws {TimeError} If time is already faked.
   * @throws {TypeError} If `start` is not a time.
   */
  constructor(start?: number | string | Date | null, options?: FakeTimeOptions) {
    if (active) throw new TimeError("Cannot construct FakeTime: time is already faked");
    this.#start = new this.#real.Date(start ?? this.#real.Date.now()).getTime();
    if (Number.isNaN(this.#start)) {
      throw new TypeError(`Cannot construct FakeTime: invalid start time ${start}`);
    }
    this.#now = this.#start;
    this.#clock = createClock(this.#start);
    // Code that still holds the fake Date after the end gets the real time.
    Object.defineProperty(this.#clock, "now", {
      get: () => active === this ? this.#now : this.#real.Date.now(),
      set: (now: number) => this.#now = now,
    });
    this.#fake = this.#makeClockwork();
    active = this;
    install(this.#fake);
    if (options && options.advanceRate > 0) this.#advance(options);
  }

  /** Restores the time that is currently faked. */
  static restore(): void {
    if (!active) throw new TimeError("Cannot restore time: time is already restored");
    active.restore();
  }

  /** Calls `callback` in real time, and fakes time again once its promise is settled. */
  static async restoreFor<T>(
    // deno-lint-ignore no-explicit-any
    callback: (...args: any[]) => Promise<T> | T,
    // deno-lint-ignore no-explicit-any
    ...args: any[]
  ): Promise<T> {
    const time = active;
    if (!time) throw new TimeError("Cannot restore time: time is not faked");
    install(time.#real);
    const refake = () => {
      if (active === time) install(time.#fake);
    };
    let result: Promise<T> | T;
    try {
      result = callback(...args);
    } catch (error) {
      refake();
      throw error;
    }
    if (!(result instanceof Promise)) {
      refake();
      return result;
    }
    return await result.finally(refake);
  }

  /** The fake time in ms since 1970. */
  get now(): number {
    return this.#now;
  }

  /** Moves time, calling the timers that are due on the way. A timer that throws stops it there. */
  set now(value: number) {
    this.#mustBeActive("set time");
    if (!(value >= this.#now)) {
      throw new RangeError(
        `Cannot set current time in the past, time must be >= ${this.#now}: received ${value}`,
      );
    }
    while (active === this && this.#nextDue() <= value) this.#clock.next();
    this.#now = Math.max(this.#now, value);
  }

  /** The start time in ms since 1970. */
  get start(): number {
    return this.#start;
  }

  /** Waits for `ms` of real time. */
  async delay(ms: number, options: DelayOptions = {}): Promise<void> {
    this.#mustBeActive("delay");
    const { signal } = options;
    const { setTimeout, clearTimeout } = this.#real;
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(new DOMException("Delay was aborted.", "AbortError"));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Runs all pending microtasks. */
  async runMicrotasks(): Promise<void> {
    await this.delay(0);
  }

  /** Moves time by `ms`, calling the timers that are due. */
  tick(ms = 0): void {
    this.now = this.#now + ms;
  }

  /** Runs microtasks once, then moves time by `ms`. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.tick(ms);
  }

  /** Moves time to the next timer. Returns false if there was none. */
  next(): boolean {
    this.#mustBeActive("run timers");
    const due = this.#nextDue();
    if (due < Infinity) this.now = due;
    return due < Infinity;
  }

  /** Runs microtasks, then moves time to the next timer. Returns false if there was none. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Moves time until no timer is left: forever, if an interval is never cleared. */
  runAll(): void {
    this.#mustBeActive("run timers");
    while (this.#clock.countTimers() > 0) this.next();
  }

  /** Moves time until no timer is left, running microtasks before each. */
  async runAllAsync(): Promise<void> {
    this.#mustBeActive("run timers");
    while (this.#clock.countTimers() > 0) await this.nextAsync();
  }

  /** Restores everything that was replaced. */
  restore(): void {
    if (active !== this) throw new TimeError("Cannot restore time: time is already restored");
    active = undefined;
    this.#stopAdvancing();
    install(this.#real);
  }

  /** Does what {@link FakeTime.restore} does, at the end of the scope. */
  [Symbol.dispose](): void {
    this.restore();
  }

  #advance({ advanceRate, advanceFrequency = 10 }: FakeTimeOptions): void {
    const { setInterval, clearInterval } = this.#real;
    const interval = setInterval(() => this.tick(advanceRate * advanceFrequency), advanceFrequency);
    this.#stopAdvancing = () => clearInterval(interval);
  }

  #mustBeActive(act: string): void {
    if (active !== this) throw new TimeError(`Cannot ${act}: time is not faked`);
  }

  #nextDue(): number {
    return this.#clock.timerHeap?.peek()?.callAt ?? Infinity;
  }

  #makeClockwork(): Clockwork {
    return {
      Date: this.#clock.Date,
      setTimeout: this.#makeSet("Timeout", 0),
      clearTimeout: this.#makeClear("Timeout"),
      setInterval: this.#makeSet("Interval", 1),
      clearInterval: this.#makeClear("Interval"),
      abortTimeout: (ms) => {
        const delayMs = Math.trunc(ms);
        if (!(delayMs >= 0 && delayMs <= Number.MAX_SAFE_INTEGER)) {
          throw new TypeError(`Cannot make a signal that times out after ${ms} ms`);
        }
        const controller = new AbortController();
        const reason = () => new DOMException("Signal timed out.", "TimeoutError");
        this.#fake.setTimeout(() => controller.abort(reason()), Math.min(delayMs, MAX_DELAY_MS));
        return controller.signal;
      },
    };
  }

  #makeSet(kind: "Timeout" | "Interval", minDelayMs: number): typeof setTimeout {
    const set = (call: unknown, delay: unknown = 0, ...args: unknown[]) => {
      this.#mustBeActive(`set ${kind.toLowerCase()}`);
      if (typeof call !== "function") {
        throw new TimeError(`FakeTime does not support non-function callbacks to set${kind}`);
      }
      const delayMs = Math.min(Math.max(minDelayMs, Math.floor(Number(delay))), MAX_DELAY_MS + 1);
      // fake-timers would add a ms to a timer that another timer sets for its own time.
      this.#clock.duringTick = false;
      return this.#clock[`set${kind}`](() => call(...args), delayMs);
    };
    return set as unknown as typeof setTimeout;
  }

  #makeClear(kind: "Timeout" | "Interval") {
    return (id?: unknown) => {
      this.#mustBeActive(`clear ${kind.toLowerCase()}`);
      this.#clock[`clear${kind}`](id as number);
    };
  }
}

function currentClockwork(): Clockwork {
  const { Date, setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const { timeout: abortTimeout } = AbortSignal;
  return { Date, setTimeout, clearTimeout, setInterval, clearInterval, abortTimeout };
}

function install({ abortTimeout, ...globals }: Clockwork): void {
  Object.assign(globalThis, globals);
  AbortSignal.timeout = abortTimeout;
}
