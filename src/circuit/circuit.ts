import { CircuitOpenError } from "../errors.ts";
import type { CircuitState } from "../observe/events.ts";
import type { CallPermit, Permit } from "./permit.ts";
import { Call } from "./call.ts";
import { Machine } from "./machine.ts";
import type { CircuitOptions, CircuitSettings } from "./settings.ts";
import { settingsOf } from "./shared_settings.ts";
import type { CircuitSnapshot } from "./snapshot.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/**
 * Stops calling what keeps failing, and tries again after a while.
 *
 * Closed, it lets calls through and its trip policy counts them. Open, it refuses. When its delay
 * is over it is half open: so many probes as asked for may pass, and if they succeed it closes.
 * It moves only when it is asked: there is no timer, so it works wherever code is stopped between
 * requests. A result counts only in the epoch its call was admitted in: whatever changes the state
 * begins a new one.
 *
 * @example Guarding any async function
 * ```ts
 * import { Circuit, CircuitOpenError } from "@lastgood/breaker";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const circuit = new Circuit({ threshold: 2, delayMs: 60_000 });
 * const query = circuit.wrap((_sql: string) => Promise.reject(new Error("connection lost")));
 *
 * await assertRejects(() => query("select 1"), Error, "connection lost");
 * await assertRejects(() => query("select 1"), Error, "connection lost");
 *
 * assertEquals(circuit.state, "open");
 * await assertRejects(() => query("select 1"), CircuitOpenError, "retry after 60 secs");
 * ```
 */
export class Circuit<T = unknown> {
  readonly #machine: Machine;

  /**
   * Makes a closed circuit, or one that goes on from `options.state`. It reads no clock.
   *
   * @throws {TypeError} If an option is of the wrong type, or excludes another one.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(options: CircuitOptions<T> = {}) {
    const settings = settingsOf(options);
    this.#machine = new Machine(options.name ?? settings.name, settings, options.state);
  }

  /** Its name, in events and errors. */
  get name(): string {
    return this.#machine.name;
  }

  /** The state as of now: an open circuit whose delay is over reads half open. Reading moves nothing. */
  get state(): CircuitState {
    return this.#machine.state;
  }

  /** Time until a call may pass, in ms: 0 unless it is refused now, Infinity while isolated. */
  get retryAfterMs(): number {
    return this.#machine.retryAfterMs;
  }

  /**
   * Calls, if the circuit lets it, and counts what comes of it.
   *
   * @param call The call. Its signal aborts on our timeout and with the caller's own signal; it is
   * made only for a function that declares its parameter.
   * @param options `signal`: the caller's own.
   * @returns What the call gave.
   * @throws {CircuitOpenError} If the circuit refuses.
   * @throws {DOMException} Named `TimeoutError`, if the call takes longer than `timeoutMs`.
   */
  run<R extends T>(
    call: (signal: AbortSignal) => R | Promise<R>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<R> {
    const machine = this.#machine;
    if (options === undefined && machine.needsOnlyVerdicts) return counted(machine, call);
    const caller = options?.signal;
    if (caller?.aborted) return Promise.reject(caller.reason);
    const permit = machine.admit();
    return typeof permit === "number"
      // Not thrown in an async function: that takes half as long again as making the error.
      ? Promise.reject(new CircuitOpenError(machine.name, permit))
      : this.#watch(call, permit, caller);
  }

  async #watch<R extends T>(
    call: (signal: AbortSignal) => R | Promise<R>,
    permit: CallPermit,
    caller: AbortSignal | undefined,
  ): Promise<R> {
    const { deadlines } = this.#machine.settings;
    const underWay = new Call(call, {
      caller: caller && { signal: caller },
      deadlines,
      takesSignal: call.length > 0,
    });
    let value: R;
    try {
      value = await underWay.result;
    } catch (error) {
      this.#rejected(permit, error, underWay.endedBy);
      throw error;
    }
    permit.end(this.#judged({ status: "fulfilled", value }, "success"));
    return value;
  }

  #rejected(permit: CallPermit, error: unknown, endedBy: "timeout" | "abort" | undefined): void {
    const detail = { error };
    if (endedBy === "abort") permit.end("ignored", { detail, why: "aborted" });
    else if (endedBy === "timeout") permit.end("failure", { detail });
    else permit.end(this.#judged({ status: "rejected", reason: error }, "failure"), { detail });
  }

  #judged(outcome: PromiseSettledResult<T>, usual: Verdict): Verdict {
    const { judge } = this.#machine.settings as CircuitSettings<T>;
    return verdictOf(judge, outcome, usual, (error) => this.#machine.reportError("judge", error));
  }

  /**
   * Guards a function: the same signature, `this` and arguments reach it.
   *
   * @returns A function that runs `call` through this circuit, see {@link Circuit.run}.
   */
  wrap<A extends unknown[], R extends T>(
    call: (...args: A) => R | Promise<R>,
  ): (...args: A) => Promise<R> {
    const run = (guarded: () => R | Promise<R>) => this.run(guarded);
    return function (this: unknown, ...args: A): Promise<R> {
      return run(() => call.apply(this, args));
    };
  }

  /**
   * The two-step form, for calls that are not one function.
   *
   * @returns A permit that must be settled; undefined if the circuit refuses.
   */
  acquire(): Permit | undefined {
    const permit = this.#machine.admit();
    return typeof permit === "number" ? undefined : permit;
  }

  /**
   * Holds the circuit open until the handle, and those of all others, are released. The state from
   * before then goes on. `reset` and `trip` act beneath it. It is not saved.
   *
   * @returns Releases it; to do so twice is harmless.
   */
  isolate(): () => void {
    return this.#machine.isolate();
  }

  /**
   * Opens it now, by hand, for a full delay; it recovers as usual.
   *
   * @param reason Why, for the event.
   */
  trip(reason = "tripped by hand"): void {
    this.#machine.open(this.#machine.settings.now(), reason);
  }

  /** Closes it now, with nothing remembered. */
  reset(): void {
    this.#machine.close("reset by hand");
  }

  /** All that it remembers but isolation, for the option `state` of a later circuit. */
  toJSON(): CircuitSnapshot {
    return this.#machine.toJSON();
  }
}

/** As `circuit.acquire()`, for the joint, which has more to say of a call's end. */
export function admit<T>(circuit: Circuit<T>): CallPermit | undefined {
  return circuit.acquire() as CallPermit | undefined;
}

/**
 * The way of most calls: no object is made for it, and the clock is read at most once. What an async
 * function keeps while it waits is all its variables: so it has few.
 */
async function counted<R>(
  machine: Machine,
  call: (signal: AbortSignal) => R | Promise<R>,
): Promise<R> {
  const { epoch } = machine;
  let value: R;
  try {
    value = await started(call);
  } catch (error) {
    machine.count("failure", epoch);
    throw error;
  }
  machine.count("success", epoch);
  return value;
}

/** Nobody can need a signal here but a function that asks for one. */
function started<R>(call: (signal: AbortSignal) => R | Promise<R>): R | Promise<R> {
  return call.length === 0 ? (call as () => R | Promise<R>)() : call(new AbortController().signal);
}
