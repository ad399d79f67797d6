import { CircuitOpenError } from "../errors.ts";
import type { CircuitState } from "../observe/events.ts";
import { Call } from "./call.ts";
import { causeOfError, endRejected } from "./cause.ts";
import { countedCall, needsNoPermit } from "./counted_call.ts";
import { Machine } from "./machine.ts";
import type { CallPermit, Permit } from "./permit.ts";
import { Refusal } from "./refusal.ts";
import type { CircuitOptions, CircuitSettings } from "./settings.ts";
import { settingsOf } from "./shared_settings.ts";
import type { CircuitSnapshot } from "./snapshot.ts";
import { type Judge, verdictOf } from "./verdict.ts";

/** The machine of a circuit, which only the class can reach; for the registry. */
export let machineOf: <T>(circuit: Circuit<T>) => Machine;

/** The circuits that their registry has dropped: a flag in each would take memory in all. */
export const circuitsDropped: WeakSet<object> = new WeakSet();

/**
 * Stops calling something that keeps failing, and finds out by itself when it works again. Its
 * callers then fail at once instead of waiting, and what is failing gets time to recover instead of
 * more load.
 *
 * - **Closed**: calls pass. A trip policy counts how they end, and opens the circuit when too many
 *   fail.
 * - **Open**: calls are refused until the delay is over.
 * - **Half open**: up to `probes` calls pass as probes, all others are refused. When that many have
 *   succeeded, the circuit closes with nothing remembered; when one fails, it opens again for a full
 *   delay.
 *
 * A result counts only if the circuit has not changed its state since the call began: a call that
 * was slow to fail cannot open a circuit that has recovered in the meantime.
 *
 * A circuit has no timer. It compares times when it is asked, so it also works where code is stopped
 * between requests.
 *
 * @example Guarding an async function
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

  static {
    machineOf = (circuit) => circuit.#machine;
    // What `console.log` shows on Node, Deno and Bun: all members are private otherwise.
    Object.defineProperty(this.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value: inspected,
    });
  }

  /**
   * Makes a circuit: closed, or as it was saved in `options.state`. It reads no clock, so it may be
   * made at module scope.
   *
   * @throws {TypeError} If an option is of the wrong type, or excludes another one.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(options: CircuitOptions<T> = {}) {
    const settings = settingsOf(options);
    this.#machine = new Machine(options.name ?? settings.name, settings, options.state);
  }

  /** The name of the circuit, in events and errors. */
  get name(): string {
    return this.#machine.name;
  }

  /** The state as of now: an open circuit whose delay is over reads `"half_open"`. Reading moves nothing. */
  get state(): CircuitState {
    return this.#machine.state;
  }

  /** Time until a call may pass, in ms; 0 unless one would be refused now, Infinity while isolated. */
  get retryAfterMs(): number {
    return this.#machine.retryAfterMs;
  }

  /**
   * True once the breaker that made this circuit has dropped it, to make room for another one: what is
   * done to it then has no effect on calls.
   */
  get dropped(): boolean {
    return circuitsDropped.has(this);
  }

  /**
   * Calls a function, if the circuit lets it, and counts how the call ends.
   *
   * @param call The function. If it declares a parameter, it gets a signal that aborts on our timeout
   * and with the caller's own signal. A rest parameter is not a declared one, nor is one with a
   * default: `run((...args) => …)` gets no signal.
   * @param options `signal`: the caller's own signal. A call that it aborts counts neither way.
   * @returns The result of the function.
   * @throws {CircuitOpenError} If the circuit refuses the call.
   * @throws {DOMException} Named `TimeoutError`, if the call takes longer than `timeoutMs`.
   */
  run<R extends T>(
    call: (signal: AbortSignal) => R | Promise<R>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<R> {
    const machine = this.#machine;
    if (options === undefined && needsNoPermit(machine)) return countedCall(machine, call);
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const admitted = machine.admit();
    return admitted instanceof Refusal
      // Throwing it in an async function takes half as long again as making the error.
      ? Promise.reject(new CircuitOpenError(machine.name, admitted.retryAfterMs))
      : this.#watch(call, admitted, signal);
  }

  async #watch<R extends T>(
    call: (signal: AbortSignal) => R | Promise<R>,
    permit: CallPermit,
    signal: AbortSignal | undefined,
  ): Promise<R> {
    const underWay = new Call(call, {
      caller: signal && { signal },
      deadlines: this.#machine.settings.deadlines,
      takesSignal: call.length > 0,
    });
    const onJudgeError = (error: unknown) => this.#machine.reportError("judge", error);
    let value: R;
    try {
      value = await underWay.result;
    } catch (error) {
      underWay.stop();
      const cause = underWay.endedBy ?? causeOfError(error);
      endRejected(permit, cause, error, this.#judge, onJudgeError);
      throw error;
    }
    permit.end(verdictOf(this.#judge, { status: "fulfilled", value }, "success", onJudgeError));
    return value;
  }

  get #judge(): Judge<T> | undefined {
    return (this.#machine.settings as CircuitSettings<T>).judge;
  }

  /**
   * Guards a function. `this` and all arguments reach it as they are.
   *
   * @returns A function of the same signature that runs `call` through this circuit, see
   * {@link Circuit.run}.
   */
  wrap<A extends unknown[], R extends T>(
    call: (...args: A) => R | Promise<R>,
  ): (...args: A) => Promise<R> {
    const run = (guarded: () => R | Promise<R>) => this.run(guarded);
    return function (this: unknown, ...args: A): Promise<R> {
      // A method of a Worker's service has no `apply` of its own.
      return run(() => Reflect.apply(call, this, args));
    };
  }

  /**
   * Asks for permission to make a call, and leaves it to you to report how the call ends: for calls
   * that are not a single function, such as a stream or a job on a queue.
   *
   * @returns A permit, which must be settled; undefined if the circuit refuses the call.
   */
  acquire(): Permit | undefined {
    const admitted = this.#machine.admit();
    return admitted instanceof Refusal ? undefined : admitted;
  }

  /**
   * Holds the circuit open until this holder and all others have released it. Then it goes on in the
   * state from before; `reset` and `trip` act on that state. Isolation is not saved.
   *
   * @returns A function that releases it. Calling it twice is harmless.
   */
  isolate(): () => void {
    return this.#machine.isolate();
  }

  /**
   * Opens the circuit now, for a full delay, which starts again if it is open. It recovers as usual.
   *
   * @param reason Why, for the event.
   */
  trip(reason = "tripped by hand"): void {
    this.#machine.open(this.#machine.settings.now(), reason);
  }

  /** Closes the circuit now, with nothing remembered. */
  reset(): void {
    this.#machine.close("reset by hand");
  }

  /** Returns what the circuit remembers, except isolation: for the option `state` of a later circuit. */
  toJSON(): CircuitSnapshot {
    return this.#machine.toJSON();
  }
}

/** Sums a circuit up: where it stands, and what it has counted or since when it is open. */
function inspected(this: Circuit): unknown {
  const { name, state, retryAfterMs } = this;
  const { opening, windows = [] } = this.toJSON();
  const counts = Object.fromEntries(windows.map(({ policy, saved }) => [policy, saved]));
  return { circuit: name, state, retryAfterMs, ...(opening === undefined ? { counts } : opening) };
}

/** As `circuit.acquire()`, for the guard: a permit that can report more, or why there is none. */
export function admit<T>(circuit: Circuit<T>, readAt?: number): CallPermit | Refusal {
  return machineOf(circuit).admit(readAt);
}
