import {
  type Breaker,
  breaker,
  type BreakerEvent,
  type BreakerOptions,
  type Circuit,
} from "@lastgood/breaker";
import { type ScriptedAnswer, type ScriptedUpstream, upstream } from "@lastgood/breaker/testing";
import { Clock } from "./clock.ts";
import { types } from "./events.ts";
import { askerBy, type Way } from "./ways.ts";

/** The ways that keep all promises. Hono runs nothing in the background, so it is tested apart. */
export const WAYS = ["fetch", "wrap", "respond"] as const satisfies readonly Way[];

export const ORIGIN = "http://origin.test";

/** Describes a request. */
export interface Asking {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly signal?: AbortSignal;
}

/** A breaker in front of a scripted upstream, with a clock and all events so far. */
export interface Stage {
  readonly api: Breaker;
  readonly origin: ScriptedUpstream;
  readonly events: BreakerEvent[];
  /** The circuit in use; it must be the only one. */
  readonly circuit: Circuit<Response>;
  /** The types of the events so far. */
  readonly types: string[];
  /** Moves the clock. */
  tick(ms: number): void;
  ask(asking?: Asking): Promise<Response>;
  /** Does what {@link ask} does, and reads the body to its end. */
  text(asking?: Asking): Promise<string>;
}

/** Sets the stage for one way through the breaker. The clock stands still until ticked. */
export function stage(
  script: readonly ScriptedAnswer[] | ScriptedUpstream,
  options: BreakerOptions = {},
  way: Way = "fetch",
): Stage {
  const origin = typeof script === "function" ? script : upstream(script);
  const events: BreakerEvent[] = [];
  const { now, tick } = new Clock();
  const api = breaker({
    now,
    onEvent: (event) => void events.push(event),
    timeoutMs: Infinity,
    delayMs: 1_000,
    lastGood: { maxBodyMs: Infinity },
    fetch: origin,
    ...options,
  });
  const asker = askerBy(way, api, (request, signal = request.signal) => {
    const { url, method, headers } = request;
    return origin(url, { method, headers, ...(signal && { signal }) });
  });
  const ask = ({ path = "/", ...init }: Asking = {}) => asker(ORIGIN + path, init);
  return {
    api,
    origin,
    events,
    get circuit() {
      return circuitOf(api);
    },
    get types() {
      return types(events);
    },
    tick,
    ask,
    text: async (asking) => await (await ask(asking)).text(),
  };
}

/** The only circuit of a breaker. */
export function circuitOf(api: Breaker): Circuit<Response> {
  const circuits = [...api.circuits()];
  if (circuits.length !== 1) throw new Error(`There are ${circuits.length} circuits`);
  return circuits[0]![1];
}

/** Good, failed, good again. */
export const SCRIPT = [{ body: "old" }, 500, { body: "new" }];

/** Sets a stage where a response is kept and a probe is due. */
export async function due(
  way: Way,
  script: Parameters<typeof stage>[0],
  options: BreakerOptions = {},
): Promise<Stage> {
  const act = stage(script, { threshold: 1, ...options }, way);
  await act.text();
  await act.text();
  act.tick(1_000);
  return act;
}

/** Records the work that `waitUntil` is given. */
export function waiting() {
  const works: Promise<unknown>[] = [];
  return { works, waitUntil: (work: Promise<unknown>) => void works.push(work) };
}
