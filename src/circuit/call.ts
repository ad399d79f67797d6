import type { Deadlines, Due } from "./deadlines.ts";

/** What a {@link Call} needs to know. */
export interface CallOptions<R> {
  /** The caller's own signal: its abort ends the call, and reaches its body as well. */
  readonly caller: AbortSignal | undefined;
  /** When the result must be there; undefined for no limit. */
  readonly deadlines: Deadlines | undefined;
  /** Whether the function can make use of a signal: one is made only then. */
  readonly takesSignal: boolean;
  /** Whether the caller may be let go before the result is there. */
  readonly mayBeReleased?: boolean;
  /** Gets a result that comes when nobody waits for it any more. */
  readonly late?: (value: R) => void;
}

/**
 * One call under way: its signal, its timeout, its caller's abort. It ends once, by whichever comes
 * first; a function that ignores its signal cannot hold it up.
 */
export class Call<R> implements Due {
  /** The result; or a rejection by the function's own error, our timeout or the caller's abort. */
  readonly result: Promise<R>;
  /** By what it ended, if not by a result of its own. */
  endedBy: "timeout" | "abort" | undefined;
  deadline: Due["deadline"];
  readonly #caller: AbortSignal | undefined;
  readonly #deadlines: Deadlines | undefined;
  readonly #controller: AbortController | undefined;
  readonly #late: ((value: R) => void) | undefined;
  /** Whether the caller's abort reaches the function through our listener alone. */
  #isLinked = false;
  #resolve!: (value: R) => void;
  #reject!: (error: unknown) => void;
  #isOver = false;

  constructor(run: (signal: AbortSignal) => R | Promise<R>, options: CallOptions<R>) {
    const { caller, deadlines, takesSignal, mayBeReleased = false, late } = options;
    this.#caller = caller;
    this.#deadlines = deadlines;
    this.#controller = takesSignal ? new AbortController() : undefined;
    this.#late = late;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    caller?.addEventListener("abort", this);
    deadlines?.add(this);
    try {
      // A function that takes no signal gets none: the cast spares making one.
      const value = run(this.#signal(mayBeReleased) as AbortSignal);
      Promise.resolve(value).then((value) => this.#succeed(value), (error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** From now on the call is no longer the caller's: its abort reaches it no more. */
  release(): void {
    this.#caller?.removeEventListener("abort", this);
  }

  /** Its time is over. */
  timeOut(): void {
    const says = `The call took longer than ${this.#deadlines?.ms} ms`;
    this.#stop("timeout", new DOMException(says, "TimeoutError"));
  }

  /** The caller has aborted: one object for all calls of this kind spares a closure for each. */
  handleEvent(): void {
    this.#stop("abort", this.#caller?.reason);
  }

  #signal(mayBeReleased: boolean): AbortSignal | undefined {
    const caller = this.#caller;
    const controller = this.#controller;
    if (caller === undefined || controller === undefined) return controller?.signal;
    // `any` follows the caller weakly: a signal that outlives many calls does not collect them.
    // It cannot be undone, and Vercel Edge lacks it: then our own listener passes the abort on.
    if (!mayBeReleased && typeof AbortSignal.any === "function") {
      return AbortSignal.any([caller, controller.signal]);
    }
    this.#isLinked = true;
    return controller.signal;
  }

  #succeed(value: R): void {
    if (!this.#end()) return this.#late?.(value);
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
    this.#deadlines?.delete(this);
    return true;
  }
}
