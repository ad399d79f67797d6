import {
  type BreakerEvent,
  Circuit,
  type CircuitOptions,
  type Permit,
  type Verdict,
} from "@lastgood/breaker";
import { assert } from "@std/assert";
import { Clock } from "./clock.ts";

/** A circuit, its clock and all its events. */
export interface Rig<T> {
  readonly circuit: Circuit<T>;
  readonly clock: Clock;
  readonly events: BreakerEvent[];
}

/** Makes a rig. By default, two failures in a row open its circuit for a second. */
export function rig<T = unknown>(options: CircuitOptions<T> = {}): Rig<T> {
  const clock = new Clock();
  const events: BreakerEvent[] = [];
  const usual = options.trip === undefined ? { threshold: 2 } : {};
  const circuit = new Circuit<T>({
    ...usual,
    delayMs: 1_000,
    probeTimeoutMs: 500,
    now: clock.now,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { circuit, clock, events };
}

/** Makes a rig whose circuit is open, with its delay just over. */
export function due<T = unknown>(options: CircuitOptions<T> = {}): Rig<T> {
  const made = rig(options);
  made.circuit.trip();
  made.clock.ms += Math.ceil(made.circuit.retryAfterMs);
  made.events.length = 0;
  return made;
}

/** Acquires a permit; fails the test if the circuit refuses. */
export function permit(circuit: Pick<Circuit, "acquire">): Permit {
  const given = circuit.acquire();
  assert(given, "The circuit refuses");
  return given;
}

/** Makes one call after another, ending with these verdicts. */
export function calls(circuit: Pick<Circuit, "acquire">, ...verdicts: Verdict[]): void {
  for (const verdict of verdicts) permit(circuit).settle(verdict);
}
