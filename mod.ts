/**
 * A circuit breaker for Web-standard requests and responses that remembers the last good answer:
 * while an upstream fails, it is not called, and its last good answer is served, marked with its age.
 *
 * @example Fetch through a breaker
 * ```ts
 * import { breaker } from "@lastgood/breaker";
 *
 * const api = breaker({ threshold: 5, delayMs: 60_000, timeoutMs: 10_000 });
 *
 * export const items = () => api.fetch("https://api.example.com/items");
 * ```
 *
 * @module
 */

export {
  type Breaker,
  breaker,
  type BreakerOptions,
  type ForgetOptions,
  type RespondContext,
} from "./src/breaker.ts";
export { Circuit } from "./src/circuit/circuit.ts";
export type { Permit } from "./src/circuit/permit.ts";
export type { CircuitOptions } from "./src/circuit/settings.ts";
export type { CircuitSnapshot, SavedOpening, SavedWindow } from "./src/circuit/snapshot.ts";
export type { Judge, Verdict } from "./src/circuit/verdict.ts";
export { backoff, type BackoffOptions, type DelayPolicy } from "./src/circuit/delay.ts";
export type { TripPolicy, TripWindow } from "./src/circuit/trip/policy.ts";
export { consecutive, total } from "./src/circuit/trip/counts.ts";
export {
  failureRate,
  type FailureRateOptions,
  slowRate,
  type SlowRateOptions,
} from "./src/circuit/trip/rates.ts";
export { CircuitOpenError, type CircuitOpenReason } from "./src/errors.ts";
export {
  type BreakerEvent,
  type Cause,
  type CircuitState,
  type ErrorEvent,
  type ErrorSource,
  type EventBase,
  type EvictedEvent,
  type FreshEvent,
  type IgnoredEvent,
  type IgnoredReason,
  type KeptEvent,
  type NotKeptEvent,
  type NotKeptReason,
  type OutcomeDetail,
  type OutcomeEvent,
  type ProbeEvent,
  type RefusedEvent,
  type RemovedEvent,
  type RemovedReason,
  type StaleEvent,
  type StaleReason,
  type StateEvent,
} from "./src/observe/events.ts";
export { signalOf } from "./src/guard/signal_of.ts";
export { logTo } from "./src/observe/log.ts";
export type { LastGoodOptions } from "./src/last_good/options.ts";
export type { Obstacle } from "./src/last_good/rules/exchange.ts";
