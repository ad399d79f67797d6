import type { Deadlines } from "../circuit/deadlines.ts";
import { type CircuitOptions, type CircuitSettings, SHARED_OPTIONS } from "../circuit/settings.ts";
import type { Verdict } from "../circuit/verdict.ts";
import type { LastGoodOptions } from "../last_good/options.ts";
import type { BreakerEvent } from "../observe/events.ts";
import { callback, check, duration, flag, oneOf, optional, type Rule } from "../validation.ts";

/** The part of the global `fetch` that the types of all runtimes agree on. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Options of a breaker. They are read once and never written: one object may serve many breakers. */
export interface BreakerOptions extends Omit<CircuitOptions<Response>, "state" | "judge"> {
  /**
   * Decides how a call counts, as for a circuit. It gets the request, too, without its body, unless it
   * declares one parameter only: then none is made.
   */
  readonly judge?:
    | ((outcome: PromiseSettledResult<Response>, request?: Request) => Verdict | undefined)
    | undefined;
  /**
   * Calls the upstream in `breaker.fetch`: a function, or an object with such a method, like a
   * service binding of Workers. Gets further arguments of `breaker.fetch`, too.
   * @default {(input, init) => fetch(input, init)}
   */
  readonly fetch?:
    | ((input: string | URL | Request, init?: RequestInit) => Promise<Response>)
    | { fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> }
    | undefined;
  /**
   * Names the circuit for a request, which it gets without its body. By default, `fetch` has one
   * circuit per origin, and each wrapped handler and each middleware has a circuit of its own.
   */
  readonly key?: ((request: Request) => string) | undefined;
  /**
   * The most circuits at a time. To make room for a new one, the least recently used closed circuit
   * goes; one that is not closed goes only if none is closed, and an isolated one never. A circuit
   * whose delay was over a whole delay ago without a call since counts as closed.
   * @default {1_000}
   */
  readonly maxCircuits?: number | undefined;
  /**
   * What a `Retry-After` does (RFC 9110 §10.2.3). With "stretch" it may lengthen the delay; with
   * "open", a 429 or 503 that carries one opens the circuit at once.
   * @default {"stretch"}
   */
  readonly onRetryAfter?: "stretch" | "open" | undefined;
  /**
   * The longest delay that an upstream can ask for, in ms.
   * @default {600_000}
   */
  readonly maxDelayMs?: number | undefined;
  /** What is kept as the last good response; `false` keeps nothing. */
  readonly lastGood?: LastGoodOptions | false | undefined;
  /**
   * Answers a request that was refused or has failed while nothing is kept for it. `cause` is the
   * error or the failed response.
   */
  readonly fallback?:
    | ((request: Request, cause: unknown) => Response | Promise<Response>)
    | undefined;
  /**
   * Keeps work alive after the answer, on hosts that would stop it. Wrapped handlers and the Hono
   * middleware find it by themselves, in what the host hands over with each request.
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  /**
   * Whether a call may go on in the background of an answer from memory. By default it may where the
   * host lives on after an answer, or `waitUntil` keeps it alive: not on AWS Lambda, for example.
   */
  readonly background?: boolean | undefined;
}

export const BREAKER_OPTIONS: ReadonlySet<string> = /* @__PURE__ */ new Set(
  /* @__PURE__ */ (SHARED_OPTIONS as readonly (keyof BreakerOptions)[]).concat(
    "fetch",
    "key",
    "maxCircuits",
    "onRetryAfter",
    "maxDelayMs",
    "lastGood",
    "fallback",
    "waitUntil",
    "background",
  ),
);

/** What can be called in place of the global `fetch`. */
export const FETCH: Rule<Fetch | { readonly fetch: Fetch }> = {
  mustBe: "a function, or an object with a method of this name",
  accepts: (value): value is Fetch | { readonly fetch: Fetch } =>
    typeof value === "function" ||
    typeof (Object(value) as { fetch?: unknown }).fetch === "function",
};

/** The options that a guard needs, checked and complete. */
export interface GuardSettings {
  /** The name in events that belong to no circuit yet. */
  readonly name: string;
  readonly deadlines: Deadlines | undefined;
  readonly probeTimeoutMs: number;
  readonly mode: "enforce" | "observe" | "off";
  readonly judge: BreakerOptions["judge"];
  readonly onEvent: ((event: BreakerEvent) => void) | undefined;
  readonly now: () => number;
  readonly onRetryAfter: "stretch" | "open";
  readonly maxDelayMs: number;
  readonly fallback:
    | ((request: Request, cause: unknown) => Response | Promise<Response>)
    | undefined;
  /** Keeps work alive after every answer; undefined if each request brings its own. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
  /** Whether calls may go on in the background; undefined: where the host lives on. */
  readonly background: boolean | undefined;
}

/** Checks the options that concern requests and fills in their defaults. */
export function guardSettings(
  purpose: string,
  options: BreakerOptions,
  circuit: CircuitSettings<Response>,
): GuardSettings {
  const { onRetryAfter = "stretch", maxDelayMs = 600_000, fallback, waitUntil, background } =
    options;
  const { name, deadlines, probeTimeoutMs, mode, judge, onEvent, now } = circuit;
  return {
    name,
    deadlines,
    probeTimeoutMs,
    mode,
    judge,
    onEvent,
    now,
    onRetryAfter: check(purpose, "onRetryAfter", onRetryAfter, oneOf("stretch", "open")),
    maxDelayMs: check(purpose, "maxDelayMs", maxDelayMs, duration),
    fallback: check(purpose, "fallback", fallback, optional(callback)),
    waitUntil: check(purpose, "waitUntil", waitUntil, optional(callback)),
    background: check(purpose, "background", background, optional(flag)),
  };
}
