import { type Breaker, breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { type ScriptedAnswer, type ScriptedUpstream, upstream } from "@lastgood/breaker/testing";
import type { Circuit } from "@lastgood/breaker";

/** The ways through a breaker. */
export type Way = "fetch" | "wrap" | "respond";

export const WAYS: readonly Way[] = ["fetch", "wrap", "respond"];

/** What a request is asked with. */
export interface Asking {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly signal?: AbortSignal;
}

/** A breaker before a scripted upstream, with a clock of its own and all that it has said. */
export interface Stage {
  readonly api: Breaker;
  readonly origin: ScriptedUpstream;
  readonly events: BreakerEvent[];
  /** The circuit that has been used; it must be the only one. */
  readonly circuit: Circuit<Response>;
  /** The types of the events so far. */
  readonly types: string[];
  /** Moves the clock. */
  tick(ms: number): void;
  ask(asking?: Asking): Promise<Response>;
  /** As {@link ask}, with the answer's body read to its end. */
  text(asking?: Asking): Promise<string>;
}

export const ORIGIN = "http://origin.test";

/** Sets the stage for one way through the breaker. The clock stands still unless it is ticked. */
export function stage(
  script: readonly ScriptedAnswer[] | ScriptedUpstream,
  options: BreakerOptions = {},
  way: Way = "fetch",
): Stage {
  const origin = typeof script === "function" ? script : upstream(script);
  const events: BreakerEvent[] = [];
  let now = Date.UTC(2026, 0, 1);
  const api = breaker({
    now: () => now,
    onEvent: (event) => void events.push(event),
    timeoutMs: Infinity,
    delayMs: 1_000,
    lastGood: { maxBodyMs: Infinity },
    fetch: origin,
    ...options,
  });
  const ask = asker(api, origin, way);
  return {
    api,
    origin,
    events,
    get circuit() {
      return circuitOf(api);
    },
    get types() {
      return events.map(({ type }) => type);
    },
    tick: (ms) => void (now += ms),
    ask,
    text: async (asking) => await (await ask(asking)).text(),
  };
}

function asker(
  api: Breaker,
  origin: ScriptedUpstream,
  way: Way,
): (asking?: Asking) => Promise<Response> {
  const handler = way === "wrap"
    ? api.wrap((request) => origin(request.url, initOf(request)))
    : undefined;
  return ({ path = "/", signal, ...init } = {}) => {
    const url = ORIGIN + path;
    switch (way) {
      case "fetch":
        return api.fetch(url, { ...init, ...(signal && { signal }) });
      case "wrap":
        return handler!(requestWith(url, init, signal));
      case "respond":
        return api.respond(
          requestWith(url, init, signal),
          (request, signal) => origin(request.url, { ...initOf(request), signal }),
        );
    }
  };
}

function initOf({ method, headers, signal }: Request): RequestInit {
  return { method, headers, ...(signal && { signal }) };
}

/** A request that carries its signal on every runtime: Vercel Edge has no `Request.signal`. */
export function requestWith(url: string, init: RequestInit, signal?: AbortSignal): Request {
  const request = new Request(url, signal === undefined ? init : { ...init, signal });
  if (signal !== undefined && request.signal === undefined) {
    Object.defineProperty(request, "signal", { value: signal });
  }
  return request;
}

export function circuitOf(api: Breaker): Circuit<Response> {
  const circuits = [...api.circuits()];
  if (circuits.length !== 1) throw new Error(`There are ${circuits.length} circuits`);
  return circuits[0]![1];
}

/** Lets everything run that waits for nothing but its turn, without a timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** How a promise stands, without waiting for it. */
export async function standing(promise: Promise<unknown>): Promise<string> {
  let standing = "pending";
  promise.then(() => standing = "fulfilled", () => standing = "rejected");
  await settled();
  return standing;
}
