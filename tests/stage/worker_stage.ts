import { type Breaker, breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { type Handler, route, send } from "../runtimes/workerd/host.ts";

/** How a Worker's request goes through a breaker. */
export type Way = "fetch" | "wrap" | "respond" | "hono";

export const WAYS: readonly Way[] = ["fetch", "wrap", "respond", "hono"];

/** A Worker before an upstream. It is made at module scope, as Workers make their breakers. */
export interface Stage {
  readonly api: Breaker;
  readonly events: readonly BreakerEvent[];
  /** The upstream. It runs in requests of its own, so that asking it is I/O. */
  readonly origin: { readonly url: string; readonly calls: number };
  /** What the upstream answers from now on. */
  answers(answer: () => Response | Promise<Response>): void;
  /** Moves the breaker's clock. */
  tick(ms: number): void;
  /** Sends the Worker a request of its own, and reads all that it answers. */
  ask(init?: RequestInit): Promise<Answer>;
  /** The state of the only circuit. */
  readonly state: string;
}

/** What a client sees. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Sets the stage at a path, whose upstream is below it. */
export function stage(path: string, way: Way, options: BreakerOptions = {}): Stage {
  const url = `http://worker${path}/origin`;
  const events: BreakerEvent[] = [];
  let now = Date.UTC(2026, 0, 1);
  let calls = 0;
  let answer: () => Response | Promise<Response> = () => new Response("good");
  const api = breaker({
    threshold: 2,
    delayMs: 1_000,
    now: () => now,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  route(path, through(way, api, url));
  route(`${path}/origin`, () => {
    calls++;
    return answer();
  });
  return {
    api,
    events,
    origin: {
      url,
      get calls() {
        return calls;
      },
    },
    answers: (next) => void (answer = next),
    tick: (ms) => void (now += ms),
    ask: (init) => ask(path, init),
    get state() {
      const circuits = [...api.circuits()];
      if (circuits.length !== 1) throw new Error(`There are ${circuits.length} circuits`);
      return circuits[0]![1].state;
    },
  };
}

/** Sends a request of its own, and reads all that is answered. */
export async function ask(path: string, init?: RequestInit): Promise<Answer> {
  const response = await send(path, init);
  const { status, headers } = response;
  return { status, headers, text: await response.text() };
}

/** What an upstream that is down answers. */
export function down(): Response {
  return new Response("down", { status: 500 });
}

function through(way: Way, api: Breaker, url: string): Handler {
  switch (way) {
    case "fetch":
      return () => api.fetch(url).catch((error) => error.getResponse?.() ?? Response.error());
    case "wrap":
      return api.wrap(() => fetch(url));
    case "respond":
      return (request, _env, ctx) =>
        api.respond(request, (_request, signal) => fetch(url, { signal }), {
          waitUntil: (work) => ctx.waitUntil(work),
        });
    case "hono": {
      const app = new Hono();
      app.use(middleware(api));
      app.get("*", () => fetch(url));
      return (request, env, ctx) => app.fetch(request, env, ctx as never);
    }
  }
}
