/**
 * Stands in for `@std/testing/time` where JSR is out of reach: the same names, arguments and order of
 * events, on a clock of fake-timers. Its `install()` cannot carry the rest: it does not know
 * `AbortSignal.timeout`, runs on past a timer that throws, and cannot give real time back for a while.
 */

import { restoreGlobal } from "./small_global.ts";
import { type Clock, createClock } from "npm:@sinonjs/fake-timers@15.5.0";

restoreGlobal();

/** What is replaced while time is faked. `performance.now` and `queueMicrotask` are not. */
interface Clockwork {
  Date: DateConstructor;
  setTimeout: typeof setTimeout;
  clearTimeout: typeof clearTimeout;
  setInterval: typeof setInterval;
  clearInterval: typeof clearInterval;
  abortTimeout: typeof AbortSignal.timeout;
}

export interface FakeTimeOptions {
  /** How many fake ms go by in a real one; 0: time stands still until it is moved. @default {0} */
  readonly advanceRate: number;
  /** After how many real ms the fake time is moved. @default {10} */
  readonly advanceFrequency?: number;
}

export interface DelayOptions {
  /** Ends the delay before its time, with an `AbortError`. */
  readonly signal?: AbortSignal;
}

/** Thrown for what cannot be done with time in its present state, faked or real. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

/** Timers take delays of 31 bits; more fires at once, on every runtime. */
const MAX_DELAY_MS = 2 ** 31 - 1;

let active: FakeTime | undefined;

/**
 * Replaces `Date`, timers and `AbortSignal.timeout` until it is restored or goes out of scope.
 * Timers are called in the order in which they are due, then of their making.
 */
export class FakeTime {
  /** What was there before. */
  readonly #real: Clockwork = currentClockwork();
  readonly #fake: Clockwork;
  readonly #clock: Clock;
  readonly #start: number;
  #now: number;
  #stopAdvancing = () => {};

  /**
   * @param start The time to begin with: ms since 1970, a date, or a string that says one. By default the present.
   * @param options Whether time goes on by itself.
   * @throws {TimeError} If time is faked already.
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
    // What still holds the fake Date after the end is told the real time.
    Object.defineProperty(this.#clock, "now", {
      get: () => active === this ? this.#now : this.#real.Date.now(),
      set: (now: number) => this.#now = now,
    });
    this.#fake = this.#makeClockwork();
    active = this;
    install(this.#fake);
    if (options && options.advanceRate > 0) this.#advance(options);
  }

  /** Restores the time that is faked now. */
  static restore(): void {
    if (!active) throw new TimeError("Cannot restore time: time is already restored");
    active.restore();
  }

  /** Calls `callback` in real time; time is faked again once the promise that it returns is settled. */
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

  /** The faked time in ms since 1970. */
  get now(): number {
    return this.#now;
  }

  /** Moves time, calling on the way what is due. A timer that throws stops it there. */
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

  /** The time at the beginning, in ms since 1970. */
  get start(): number {
    return this.#start;
  }

  /** Waits for so many ms of real time. */
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

  /** Lets everything run that waits for nothing but its turn. */
  async runMicrotasks(): Promise<void> {
    await this.delay(0);
  }

  /** Moves time by so many ms, calling what is due. */
  tick(ms = 0): void {
    this.now = this.#now + ms;
  }

  /** Runs microtasks, once, then moves time by so many ms. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.tick(ms);
  }

  /** Moves time to the next timer. Returns whether there was one. */
  next(): boolean {
    this.#mustBeActive("run timers");
    const due = this.#nextDue();
    if (due < Infinity) this.now = due;
    return due < Infinity;
  }

  /** Runs microtasks, then moves time to the next timer. Returns whether there was one. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Moves time until no timer is left: for ever, if an interval is never cleared. */
  runAll(): void {
    this.#mustBeActive("run timers");
    while (this.#clock.countTimers() > 0) this.next();
  }

  /** Moves time until no timer is left, running microtasks before each. */
  async runAllAsync(): Promise<void> {
    this.#mustBeActive("run timers");
    while (this.#clock.countTimers() > 0) await this.nextAsync();
  }

  /** Puts everything back that was replaced. */
  restore(): void {
    if (active !== this) throw new TimeError("Cannot restore time: time is already restored");
    active = undefined;
    this.#stopAdvancing();
    install(this.#real);
  }

  /** As {@link FakeTime.restore}, at the end of the scope. */
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
      // fake-timers would add a ms to what a timer sets for the time at which it is called.
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
