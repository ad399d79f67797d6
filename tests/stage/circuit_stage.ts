import {
  type BreakerEvent,
  Circuit,
  type CircuitOptions,
  type Permit,
  type Verdict,
} from "@lastgood/breaker";
import { assert } from "@std/assert";

/** A circuit on a clock that only its test moves, and all that it says. */
export interface Rig<T> {
  readonly circuit: Circuit<T>;
  readonly clock: { ms: number };
  readonly events: BreakerEvent[];
}

/** When the clock of a rig starts, in ms. */
export const START = 1_000_000;

/** Makes a rig: two failures in a row open its circuit for a second if nothing else is said. */
export function rig<T = unknown>(options: CircuitOptions<T> = {}): Rig<T> {
  const clock = { ms: START };
  const events: BreakerEvent[] = [];
  const usual = options.trip === undefined ? { threshold: 2 } : {};
  const circuit = new Circuit<T>({
    ...usual,
    delayMs: 1_000,
    probeTimeoutMs: 500,
    now: () => clock.ms,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { circuit, clock, events };
}

/** A rig whose circuit is open, with its delay just over. */
export function due<T = unknown>(options: CircuitOptions<T> = {}): Rig<T> {
  const made = rig(options);
  made.circuit.trip();
  made.clock.ms += Math.ceil(made.circuit.retryAfterMs);
  made.events.length = 0;
  return made;
}

/** Leave for a call; fails the test if it is refused. */
export function permit(circuit: Pick<Circuit, "acquire">): Permit {
  const given = circuit.acquire();
  assert(given, "The circuit refuses");
  return given;
}

/** Calls that end like this, one after the other. */
export function calls(circuit: Pick<Circuit, "acquire">, ...verdicts: Verdict[]): void {
  for (const verdict of verdicts) permit(circuit).settle(verdict);
}

/** The state changes among the events, as "from > to". */
export function moves(events: readonly BreakerEvent[]): string[] {
  return events.flatMap((event) => event.type === "state" ? [`${event.from} > ${event.to}`] : []);
}

/** The types of the events. */
export function types(events: readonly BreakerEvent[]): string[] {
  return events.map((event) => event.type);
}

/** The event that has this type, perhaps among others. */
type Of<E, K> = E extends { type: infer T } ? K extends T ? E : never : never;

/** The events of one type. */
export function only<K extends BreakerEvent["type"]>(
  events: readonly BreakerEvent[],
  type: K,
): Of<BreakerEvent, K>[] {
  return events.filter((event) => event.type === type) as Of<BreakerEvent, K>[];
}

/** A promise with its ends in hand. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Makes one; `Promise.withResolvers` is not there on every runtime. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
