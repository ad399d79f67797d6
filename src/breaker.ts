import type { Circuit } from "./circuit/circuit.ts";
import { CircuitRegistry } from "./circuit/registry.ts";
import { type CircuitOptions, CircuitSettings } from "./circuit/settings.ts";
import type { ErrorSource } from "./observe/events.ts";
import { isFromServer } from "./runtime.ts";
import { Guard } from "./guard/guard.ts";
import {
  FetchContext,
  type GuardSettings,
  HandlerContext,
  type Produce,
  reportError,
  type RespondContext,
} from "./guard/request_context.ts";
import { fetchHead, type RequestHead, requestHead } from "./last_good/request_head.ts";
import { LastGood } from "./last_good/last_good.ts";
import { type LastGoodOptions, lastGoodSettings } from "./last_good/options.ts";
import {
  callback,
  check,
  checkOptions,
  count,
  duration,
  invalidOption,
  oneOf,
  optional,
  text,
} from "./validation.ts";
import { BackgroundWork } from "./guard/background.ts";

export type { RespondContext } from "./guard/request_context.ts";

/** Options of a breaker. They are read once, never written: one object may serve many breakers. */
export interface BreakerOptions extends Omit<CircuitOptions<Response>, "state"> {
  /**
   * What calls the upstream in `breaker.fetch`.
   * @default {(input, init) => fetch(input, init)}
   */
  readonly fetch?: typeof fetch;
  /**
   * Which circuit a request belongs to, by name. Default: for `fetch` the origin of the URL; each
   * wrapped handler and each middleware has one of its own. The request it gets has no body.
   */
  readonly key?: (request: Request) => string;
  /**
   * How many circuits there are at most. One that is not closed makes room for a new one only
   * where no closed one is left.
   * @default {1_000}
   */
  readonly maxCircuits?: number;
  /**
   * What a `Retry-After` (RFC 9110 §10.2.3) does: "stretch" lets it lengthen the delay, "open"
   * lets a 429 or 503 that carries it open the circuit at once.
   * @default {"stretch"}
   */
  readonly onRetryAfter?: "stretch" | "open";
  /**
   * The longest delay that an upstream can ask for, in ms.
   * @default {600_000}
   */
  readonly maxDelayMs?: number;
  /** What is kept as the last good response; false keeps nothing. */
  readonly lastGood?: LastGoodOptions | false;
  /**
   * Answers when a call was refused or failed and nothing is kept.
   * `cause` is the error, or the failed response.
   */
  readonly fallback?: (request: Request, cause: unknown) => Response | Promise<Response>;
  /**
   * Keeps work alive behind an answer, where the runtime wants to be told. Wrapped handlers find
   * it in their context by themselves, and so does the Hono middleware.
   */
  readonly waitUntil?: (work: Promise<unknown>) => void;
}

/** A circuit breaker for requests and responses, see {@link breaker}. */
export interface Breaker {
  /**
   * As the global `fetch`, through the circuit of the URL's origin.
   *
   * @throws {CircuitOpenError} If the circuit refuses, and nothing can be served instead.
   * @throws {DOMException} Named `TimeoutError`, if the head takes longer than `timeoutMs`.
   * @throws {TypeError} If the URL is not one, or the upstream cannot be reached.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /**
   * Guards a handler, with a circuit of its own. If it refuses and nothing can be served instead,
   * the answer is a 503.
   *
   * @returns A handler with the same signature.
   */
  wrap<R extends unknown[]>(
    handler: (request: Request, ...rest: R) => Response | Promise<Response>,
  ): (request: Request, ...rest: R) => Promise<Response>;
  /**
   * Answers a request by `produce`, which may be anything that makes a response.
   *
   * @param produce Gets the request as it is, and the signal of the call.
   */
  respond(
    request: Request,
    produce: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
    context?: RespondContext,
  ): Promise<Response>;
  /** The circuit with this key; made if there is none. */
  circuit(key: string): Circuit<Response>;
  /** All circuits, the least recently used first. */
  circuits(): Iterable<[key: string, circuit: Circuit<Response>]>;
  /** Forgets every variant kept for the URL of a request, or everything. */
  forget(request?: Request): void;
  /**
   * Ends when the work behind the answers is done: probes, slow calls, copies. It does not wait
   * for bodies that nobody reads.
   */
  idle(): Promise<void>;
}

/**
 * Makes a circuit breaker that remembers the last good response: while an upstream fails, it is
 * not called, and what it last said is served, marked with its age.
 *
 * It makes no timer and reads no clock, so it may be made at module scope on every runtime.
 *
 * @throws {TypeError} If an option is of the wrong type, or excludes another one.
 * @throws {RangeError} If a number is out of range.
 *
 * @example An upstream that fails
 * ```ts
 * import { breaker } from "@lastgood/breaker";
 * import { upstream } from "@lastgood/breaker/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const api = breaker({ threshold: 2, fetch: upstream([{ body: "fine" }, 500]) });
 *
 * for (let call = 1; call <= 3; call++) {
 *   const response = await api.fetch("https://api.example.com/items");
 *   assertEquals(await response.text(), "fine");
 * }
 * assertEquals(api.circuit("https://api.example.com").state, "open");
 * ```
 */
export function breaker(options: BreakerOptions = {}): Breaker {
  const purpose = "make a breaker";
  const { timeoutMs = 10_000, maxCircuits = 1_000, maxDelayMs = 600_000 } = checkOptions(
    purpose,
    options,
  );
  const { onRetryAfter = "stretch", lastGood: lastGoodOptions = {} } = options;
  const circuitSettings = new CircuitSettings<Response>({ ...options, timeoutMs }, purpose);
  const upstream = check(purpose, "fetch", options.fetch, optional(callback));
  const keyOf = check(purpose, "key", options.key, optional(callback));
  const { now, onEvent, judge } = circuitSettings;
  const settings: GuardSettings = {
    deadlines: circuitSettings.deadlines,
    mode: circuitSettings.mode,
    judge,
    onEvent,
    now,
    onRetryAfter: check(purpose, "onRetryAfter", onRetryAfter, oneOf("stretch", "open")),
    maxDelayMs: check(purpose, "maxDelayMs", maxDelayMs, duration),
    fallback: check(purpose, "fallback", options.fallback, optional(callback)),
    waitUntil: check(purpose, "waitUntil", options.waitUntil, optional(callback)),
  };
  const circuits = new CircuitRegistry(
    circuitSettings,
    check(purpose, "maxCircuits", maxCircuits, count),
  );
  const lastGood = lastGoodOptions === false
    ? undefined
    : new LastGood(lastGoodSettings(purpose, lastGoodOptions));
  const work = new BackgroundWork();
  const guard = new Guard(settings, lastGood, work);

  let handlers = 0;
  const ownKey = () =>
    ++handlers === 1 ? circuitSettings.name : `${circuitSettings.name}-${handlers}`;
  let respondKey: string | undefined;

  /** Errors that belong to no circuit yet. */
  const errors = {
    reportError: (source: ErrorSource, error: unknown) =>
      reportError(settings, circuitSettings.name, source, error),
  };

  function circuitFor(request: RequestHead, usual: string): Circuit<Response> {
    if (keyOf === undefined) return circuits.get(usual);
    try {
      const key: unknown = keyOf(request.toRequest());
      if (typeof key === "string") return circuits.get(key);
      throw invalidOption("choose a circuit", "key", "a function that gives a string", key);
    } catch (error) {
      errors.reportError("key", error);
    }
    return circuits.get(usual);
  }

  async function guardedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = fetchHead(input, init);
    const circuit = circuitFor(request, request.origin);
    const call = upstream ?? globalThis.fetch;
    const answer = guard.answer(new FetchContext(settings, request, circuit, call, input, init));
    // What is answered from memory is there: to wait for it would take longer than to make it.
    return answer instanceof Promise ? await answer : answer;
  }

  async function guarded(
    request: Request,
    produce: Produce,
    context: RespondContext,
  ): Promise<Response> {
    const { key, hasJustCome = false } = context;
    const head = requestHead(request, hasJustCome);
    const circuit = key === undefined
      ? circuitFor(head, context.defaultKey ?? (respondKey ??= ownKey()))
      : circuits.get(check("choose a circuit", "key", key, text));
    const answer = guard.answer(
      new HandlerContext(settings, head, circuit, request, produce, context),
    );
    return answer instanceof Promise ? await answer : answer;
  }

  return {
    fetch: guardedFetch,
    wrap(handler) {
      const defaultKey = ownKey();
      return function (this: unknown, request, ...rest) {
        // Behind an answer the call is no longer its caller's: Deno aborts the request's own signal
        // as soon as the answer is sent.
        const produce: Produce = (request, signal) =>
          handler.call(
            this,
            signal === undefined ? request : new Request(request, { signal }),
            ...rest,
          );
        const context = { defaultKey, takesSignal: false, ...contextIn(rest) };
        return guarded(request, produce, context);
      };
    },
    // Its signal is there because it is asked for.
    respond: (request, produce, context = {}) => guarded(request, produce as Produce, context),
    circuit: (key) => circuits.get(check("choose a circuit", "key", key, text)),
    circuits: () => circuits,
    forget(request) {
      lastGood?.forget(request && fetchHead(request, undefined), errors);
    },
    idle: () => work.idle(),
  };
}

/**
 * Workers hand over (request, env, ctx), Vercel Edge (request, ctx): whoever has `waitUntil`.
 * Servers themselves hand over (request, info).
 */
function contextIn(rest: readonly unknown[]): RespondContext {
  for (const value of rest) {
    const { waitUntil } = Object(value) as { waitUntil?: unknown };
    if (typeof waitUntil === "function") {
      return { waitUntil: (work) => waitUntil.call(value, work) };
    }
    if (isFromServer(value)) return { hasJustCome: true };
  }
  return {};
}
