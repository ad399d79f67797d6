import type { Circuit } from "./circuit/circuit.ts";
import { CircuitRegistry } from "./circuit/registry.ts";
import { CircuitSettings } from "./circuit/settings.ts";
import { BackgroundWork } from "./guard/background.ts";
import {
  type HandlerInput,
  type Produce,
  type RespondContext,
  RespondInput,
  WrapInput,
} from "./guard/caller.ts";
import { ownInit } from "./guard/fetch_arguments.ts";
import { FetchContext } from "./guard/fetch_context.ts";
import { headFor, markAsOurs, type Upstream, upstreamOf } from "./guard/global_fetch.ts";
import { Guard } from "./guard/guard.ts";
import { HandlerContext } from "./guard/handler_context.ts";
import {
  BREAKER_OPTIONS,
  type BreakerOptions,
  FETCH,
  type GuardSettings,
  guardSettings,
} from "./guard/options.ts";
import { requestHead } from "./last_good/incoming_head.ts";
import { LastGood } from "./last_good/last_good.ts";
import { lastGoodSettings } from "./last_good/options.ts";
import { fetchHead, isRequest, type RequestHead } from "./last_good/request_head.ts";
import { type RemovalListener, reportError, reportRemoved } from "./observe/events.ts";
import {
  callback,
  check,
  checkOptions,
  count,
  flag,
  invalidOption,
  optional,
  refuseFunction,
  text,
} from "./validation.ts";

export type { HandlerInput, RespondContext } from "./guard/caller.ts";
export type { BreakerOptions } from "./guard/options.ts";
export { asFetched } from "./last_good/fetched.ts";

/** How {@link Breaker.forget} forgets. */
export interface ForgetOptions {
  /**
   * True keeps the responses for an outage: only `freshMs` no longer serves them.
   * @default {false}
   */
  readonly soft?: boolean | undefined;
}

/** A circuit breaker for requests and responses, see {@link breaker}. */
export interface Breaker {
  /**
   * What is held in memory now: how many responses are kept, and how many bytes of `maxBytes` they
   * take together with what is being copied or waits for slow readers.
   */
  readonly kept: { readonly entries: number; readonly bytes: number };
  /**
   * Fetches like the global `fetch`, through the circuit of the URL's origin.
   *
   * @throws {CircuitOpenError} If the circuit refuses and nothing can be served instead.
   * @throws {DOMException} Named `TimeoutError`, if the head takes longer than `timeoutMs`.
   * @throws {TypeError} If the URL is invalid or the upstream cannot be reached.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * Guards a handler, with a circuit of its own. If that refuses and nothing can be served instead,
   * the answer is a 503.
   *
   * @returns A handler with the same parameters. It answers at once where nothing has to be waited
   * for, and it never throws: what fails rejects.
   */
  wrap<Q extends Request, R extends unknown[]>(
    handler: (request: Q, ...rest: R) => Response | Promise<Response>,
  ): (request: Q, ...rest: R) => Response | Promise<Response>;
  /**
   * Answers a request by `produce`, which may be anything that makes a response.
   *
   * @param produce Gets the request as it is and the signal of the call.
   * @param context The key of the circuit, and how work may go on in the background.
   */
  respond(
    request: Request,
    produce: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
    context?: RespondContext,
  ): Promise<Response>;
  /**
   * Returns the circuit with this key and makes it if there is none. To make room for it, no open
   * circuit is dropped.
   */
  circuit(key: string): Circuit<Response>;
  /** Lists the circuits that there are now, the least recently used first. */
  circuits(): Iterable<[key: string, circuit: Circuit<Response>]>;
  /**
   * Forgets every variant kept for a URL, in all partitions and whoever made it, or everything.
   *
   * @param request A request, or its absolute URL; undefined for everything.
   * @throws {TypeError} If the URL is not valid.
   */
  forget(request?: Request | string | URL, options?: ForgetOptions): void;
  /**
   * Resolves when the work in the background has ended: probes, slow calls, copies. It does not
   * wait for bodies that are not read.
   */
  idle(): Promise<void>;
}

/**
 * Makes a circuit breaker that remembers the last good response: while an upstream fails, it is not
 * called, and its last good answer is served, marked with its age.
 *
 * Making one starts no timer and reads no clock, so it works at module scope on every runtime.
 *
 * @throws {TypeError} If an option has the wrong type or excludes another one.
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
  const parts = partsFrom(options);
  const { circuits, lastGood, background } = parts;
  const keyOfRespond = () => `${parts.settings.name}-respond`;
  const answer: AnswerHandler = (request, produce, defaultKey, input) =>
    answerHandler(parts, request, produce, defaultKey, input);
  const made: AdaptableBreaker = {
    get kept() {
      return lastGood?.kept ?? { entries: 0, bytes: 0 };
    },
    fetch: (input: string | URL | Request, init?: RequestInit, ...rest: unknown[]) =>
      answerFetch(parts, input, init, rest),
    wrap: (handler) => wrapHandler(parts, handler),
    // The handler gets a signal because its input does not say that it takes none.
    respond: async (request, produce, context = {}) =>
      await answer(request, produce as Produce, keyOfRespond, new RespondInput(context)),
    circuit: (key) => circuits.getByHand(checkKey(key)),
    circuits: () => [...circuits],
    forget: (request, { soft = false } = {}) => {
      const head = request === undefined ? undefined : fetchHead(request, undefined);
      if (head?.url === "") throw invalidOption("forget", "request", "an absolute URL", request);
      lastGood?.forget(head, check("forget", "soft", soft, flag), parts);
    },
    idle: () => background.idle(),
    [FOR_ADAPTERS]: { answer, keeps: lastGood !== undefined, middlewares: 0 },
  };
  markAsOurs(made.fetch);
  return made;
}

// ---- Options in ----

/** The parts of a breaker. They report errors that belong to no circuit yet. */
interface Parts extends RemovalListener {
  readonly settings: GuardSettings;
  readonly upstream: Upstream;
  readonly keyOf: ((request: Request) => string) | undefined;
  readonly circuits: CircuitRegistry<Response>;
  readonly lastGood: LastGood | undefined;
  readonly background: BackgroundWork;
  readonly guard: Guard;
  /** Counts the wrapped handlers: each has a circuit and a place of its own. */
  handlers: number;
}

function partsFrom(options: BreakerOptions): Parts {
  const purpose = "make a breaker";
  refuseFunction(purpose, options);
  checkOptions(purpose, options, BREAKER_OPTIONS, () => lastGoodSettings(purpose, {}));
  const { maxCircuits = 1_000 } = options;
  const { lastGood: lastGoodOptions = {} } = options;
  const circuitSettings = new CircuitSettings<Response>(options, purpose, 10_000);
  const { name } = circuitSettings;
  const settings = guardSettings(purpose, options, circuitSettings);
  const lastGood = lastGoodOptions === false
    ? undefined
    : new LastGood(lastGoodSettings(purpose, lastGoodOptions));
  const background = new BackgroundWork();
  return {
    settings,
    upstream: upstreamOf(check(purpose, "fetch", options.fetch, optional(FETCH))),
    keyOf: check(purpose, "key", options.key, optional(callback)),
    circuits: new CircuitRegistry(
      circuitSettings,
      check(purpose, "maxCircuits", maxCircuits, count),
    ),
    lastGood,
    background,
    guard: new Guard(settings, lastGood, background),
    handlers: 0,
    reportError: (source, error) => reportError(settings, name, source, error),
    reportRemoved: (url, why) => reportRemoved(settings, name, url, why),
  };
}

function checkKey(key: unknown): string {
  return check("choose a circuit", "key", key, text);
}

// ---- Three ways of asking out ----

/** Not an async function, which would take 0.1 µs more: only a body has to be seen to afterwards. */
function answerFetch(
  parts: Parts,
  given: string | URL | Request,
  givenInit: RequestInit | undefined,
  rest: readonly unknown[],
): Promise<Response> {
  try {
    const { upstream, settings, lastGood, guard } = parts;
    const input = isRequest(given) ? given : String(given);
    const init = ownInit(givenInit, lastGood?.settings.partition && input);
    const head = upstream.isCalling ? undefined : headFor(upstream, input, init, rest);
    // What the global `fetch` refuses, or asks for itself, is no call of ours.
    if (head === undefined) return Promise.resolve(upstream.fetch(input, init));
    const circuit = circuitFor(parts, head, head.origin || settings.name);
    const context = new FetchContext(settings, head, circuit, upstream.fetch, input, init, rest);
    return head.hasBody ? answerWithBody(guard, context) : Promise.resolve(guard.answer(context));
  } catch (error) {
    return Promise.reject(error);
  }
}

async function answerWithBody(guard: Guard, context: FetchContext): Promise<Response> {
  try {
    const response = await guard.answer(context);
    context.discardUnsent(undefined);
    return response;
  } catch (error) {
    context.discardUnsent(error);
    throw error;
  }
}

/**
 * Not an async function: an answer from memory is there at once, and waiting for it takes Node and
 * Bun a tenth of the time that serving it takes. Even so, nothing is thrown (promise 10).
 */
function answerHandler(
  parts: Parts,
  request: Request,
  produce: Produce,
  defaultKey: () => string,
  input: HandlerInput,
): Response | Promise<Response> {
  try {
    const { key } = input;
    const head = requestHead(request, input.justArrived ?? false, parts.lastGood !== undefined);
    const circuit = key === undefined
      ? circuitFor(parts, head, defaultKey())
      : parts.circuits.get(checkKey(key));
    return parts.guard.answer(
      new HandlerContext(parts.settings, head, circuit, request, produce, input),
    );
  } catch (error) {
    return Promise.reject(error);
  }
}

function wrapHandler<Q extends Request, R extends unknown[]>(
  parts: Parts,
  handler: (request: Q, ...rest: R) => Response | Promise<Response>,
): (request: Q, ...rest: R) => Response | Promise<Response> {
  const { settings: { name } } = parts;
  const ordinal = ++parts.handlers;
  const ownKey = ordinal === 1 ? name : `${name}-${ordinal}`;
  const defaultKey = () => ownKey;
  const place = `wrap ${ordinal}`;
  return function (this: unknown, request, ...rest) {
    const produce: Produce = (request) => handler.call(this, request as Q, ...rest);
    return answerHandler(parts, request, produce, defaultKey, new WrapInput(place, this, rest));
  };
}

function circuitFor(
  { circuits, keyOf, reportError }: Parts,
  head: RequestHead,
  defaultKey: string,
): Circuit<Response> {
  if (keyOf === undefined || head.url === "") return circuits.get(defaultKey);
  try {
    const key: unknown = keyOf(head.toRequest());
    if (typeof key === "string") return circuits.get(key);
    throw invalidOption("choose a circuit", "key", "a function that gives a string", key);
  } catch (error) {
    reportError("key", error);
  }
  return circuits.get(defaultKey);
}

// ---- For adapters ----

/**
 * Answers a request for an adapter, which can say more about it than `respond` asks of users. At once
 * if nothing has to be waited for; it never throws.
 */
export type AnswerHandler = (
  request: Request,
  produce: Produce,
  defaultKey: () => string,
  input: HandlerInput,
) => Response | Promise<Response>;

/** What an adapter needs of a breaker besides its methods. */
export interface AdapterSide {
  readonly answer: AnswerHandler;
  /** False if nothing is ever kept. */
  readonly keeps: boolean;
  /** How many middlewares were made of it. */
  middlewares: number;
}

/** The same in all copies of the package, as an app may have the adapter from another one. */
const FOR_ADAPTERS: unique symbol = Symbol.for("@lastgood/breaker/adapters") as never;

interface AdaptableBreaker extends Breaker {
  readonly [FOR_ADAPTERS]: AdapterSide;
}

/** The way into a breaker for adapters. One that is not ours, a test double say, has `respond`. */
export function adapterSideOf(breaker: Breaker): AdapterSide {
  return (breaker as Partial<AdaptableBreaker>)[FOR_ADAPTERS] ?? {
    answer: (request, produce, _defaultKey, input) => breaker.respond(request, produce, input),
    keeps: true,
    middlewares: 0,
  };
}
