import { soon } from "../runtime.ts";
import type { Deadlines, TimedCall } from "./deadlines.ts";

/** Whoever waits for a call. */
export interface Caller {
  /** Their own signal: its abort ends the call, and reaches its body as well. */
  readonly signal: AbortSignal | undefined;
  /**
   * Whether nobody can have aborted within this turn: then their signal is asked for only if the
   * call takes longer. Deno makes the signals of those it serves when they are asked for, and that
   * takes half as long as to serve them.
   */
  readonly justArrived?: boolean;
}

/** What a {@link Call} needs to know. */
export interface CallOptions<R> {
  readonly caller: Caller | undefined;
  /** When the result must be there; undefined for no limit. */
  readonly deadlines: Deadlines | undefined;
  /** Whether the function can make use of a signal: one is made only then. */
  readonly takesSignal: boolean;
  /** Whether the caller may be let go before the result is there. */
  readonly mayRelease?: boolean;
  /** Gets a result that comes when nobody waits for it any more. */
  readonly onLateResult?: (value: R) => void;
}

/**
 * One call under way: its signal, its timeout, its caller's abort. It ends once, by whichever comes
 * first; a function that ignores its signal cannot hold it up.
 */
export class Call<R> implements TimedCall {
  /** The result; or a rejection by the function's own error, our timeout or the caller's abort. */
  readonly result: Promise<R>;
  /** By what it ended, if not by a result of its own. */
  endedBy: "timeout" | "abort" | undefined;
  deadline: TimedCall["deadline"];
  readonly #options: CallOptions<R>;
  readonly #controller: AbortController | undefined;
  /** The caller's, from when we listen to it. */
  #signal: AbortSignal | undefined;
  /** Whether the caller's abort reaches the function through our listener alone. */
  #isLinked = false;
  #resolve!: (value: R) => void;
  #reject!: (error: unknown) => void;
  #isOver = false;
  #isReleased = false;

  constructor(run: (signal: AbortSignal) => R | Promise<R>, options: CallOptions<R>) {
    const { caller, deadlines, takesSignal } = options;
    this.#options = options;
    this.#controller = takesSignal ? new AbortController() : undefined;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const isLate = !takesSignal && caller?.justArrived === true;
    if (!isLate) this.#listen();
    if (takesSignal) deadlines?.add(this);
    else if (isLate || deadlines !== undefined) this.#followSoon(isLate);
    try {
      // A function that takes no signal gets none: the cast spares making one.
      const value = run(this.#ownSignal() as AbortSignal);
      Promise.resolve(value).then((value) => this.#succeed(value), (error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** True once it has ended, in whichever way. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on the call is no longer the caller's: its abort reaches it no more. */
  release(): void {
    this.#isReleased = true;
    this.#signal?.removeEventListener("abort", this);
  }

  /** Its time is over. */
  timeOut(): void {
    const says = `The call took longer than ${this.#options.deadlines?.ms} ms`;
    this.#stop("timeout", new DOMException(says, "TimeoutError"));
  }

  /** The caller has aborted: one object for all calls of this kind spares a closure for each. */
  handleEvent(): void {
    this.#stop("abort", this.#signal?.reason);
  }

  /** Makes what ends it only if it is not over by itself in a moment: a timer is dear on Deno. */
  async #followSoon(isLate: boolean): Promise<void> {
    const { deadlines } = this.#options;
    const startedAt = deadlines === undefined ? 0 : Date.now();
    await soon(this);
    if (this.#isOver) return;
    if (isLate && !this.#isReleased) this.#listen();
    if (this.#signal?.aborted) this.handleEvent();
    else deadlines?.add(this, startedAt);
  }

  #listen(): void {
    this.#signal = this.#options.caller?.signal;
    this.#signal?.addEventListener("abort", this);
  }

  #ownSignal(): AbortSignal | undefined {
    const controller = this.#controller;
    const caller = this.#signal;
    if (caller === undefined || controller === undefined) return controller?.signal;
    // `any` follows the caller weakly: a signal that outlives many calls does not collect them.
    // It cannot be undone, and Vercel Edge lacks it: then our own listener passes the abort on.
    if (this.#options.mayRelease !== true && typeof AbortSignal.any === "function") {
      return AbortSignal.any([caller, controller.signal]);
    }
    this.#isLinked = true;
    return controller.signal;
  }

  #succeed(value: R): void {
    if (!this.#end()) return this.#options.onLateResult?.(value);
    // The body is still to come: where we are its only link to the caller, we stay.
    if (!this.#isLinked) this.release();
    this.#resolve(value);
  }

  #fail(error: unknown): void {
    if (!this.#end()) return;
    this.release();
    this.#reject(error);
  }

  #stop(by: "timeout" | "abort", reason: unknown): void {
    this.release();
    if (this.#end()) {
      this.endedBy = by;
      this.#reject(reason);
    }
    this.#controller?.abort(reason);
  }

  /** Whether it was still under way. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#options.deadlines?.delete(this);
    return true;
  }
}
