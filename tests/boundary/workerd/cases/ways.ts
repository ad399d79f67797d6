import { type Breaker, breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { type Border, type Context, type Env, type Handler, route } from "../border.ts";

/** Makes the answer to a request, with a `fetch` that a breaker may guard. */
export type Source = (
  request: Request,
  env: Env,
  call: (input: string, init?: RequestInit) => Promise<Response>,
) => Response | Promise<Response>;

/** The ways through a breaker. The last answers come from a handler, those before it from `fetch`. */
export type Way = "fetch" | "fetch, kept alive" | "wrap" | "respond" | "hono";
export const HANDLER_WAYS = ["wrap", "respond", "hono"] as const satisfies readonly Way[];
export const WAYS = [
  "fetch",
  "fetch, kept alive",
  ...HANDLER_WAYS,
] as const satisfies readonly Way[];

/** The context of the latest request: the cases ask one after another. */
let latest: Context | undefined;

const MAKE: Readonly<Record<Way, (source: Source, options: BreakerOptions) => [Handler, Breaker]>> =
  {
    "fetch": byFetch,
    "fetch, kept alive": (source, options) =>
      byFetch(source, { ...options, waitUntil: (work) => latest?.waitUntil(work) }),
    "wrap": (source, options) => {
      const api = breaker(options);
      return [
        api.wrap((request: Request, env: Env, _: Context) => source(request, env, plain)),
        api,
      ];
    },
    "respond": (source, options) => {
      const api = breaker(options);
      return [(request, env) => api.respond(request, () => source(request, env, plain)), api];
    },
    "hono": (source, options) => {
      const api = breaker(options);
      const app = new Hono<{ Bindings: Env }>().use(middleware(api))
        .all("*", (c) => source(c.req.raw, c.env, plain));
      return [(request, env, ctx) => app.fetch(request, env, ctx as never), api];
    },
  };

function byFetch(source: Source, options: BreakerOptions): [Handler, Breaker] {
  const api = breaker(options);
  return [(request, env) => source(request, env, api.fetch), api];
}

function plain(input: string, init?: RequestInit): Promise<Response> {
  return fetch(input, init);
}

/** What a breaker has told so far. */
interface Heard {
  readonly api: Breaker;
  readonly events: BreakerEvent[];
}

const heard = new Map<string, Heard>();

/** Answers a path by a source, guarded in one of the ways; `/bare` instead of the way is unguarded. */
export function guarded(
  subject: string,
  way: Way,
  source: Source,
  options: BreakerOptions = {},
): string {
  const path = `/${subject}/${way.replaceAll(/\W+/g, "-")}`;
  const events: BreakerEvent[] = [];
  const [handler, api] = MAKE[way](source, {
    threshold: 2,
    lastGood: { refreshMs: 0 },
    onEvent: (event) => void events.push(event),
    ...options,
  });
  heard.set(path, { api, events });
  route(path, (request, env, ctx) => {
    latest = ctx;
    return handler(request, env, ctx);
  });
  return path;
}

/** Makes a guard for a handler in the way of `wrap`, heard under a path that somebody else answers. */
export function heardBy(path: string, options: BreakerOptions): Breaker["wrap"] {
  const events: BreakerEvent[] = [];
  const api = breaker({
    lastGood: { refreshMs: 0 },
    onEvent: (event) => void events.push(event),
    ...options,
  });
  heard.set(path, { api, events });
  return api.wrap;
}

/** Answers `/subject/bare` by a source as it is. */
export function unguarded(subject: string, source: Source): string {
  route(`/${subject}/bare`, (request, env) => source(request, env, plain));
  return `/${subject}/bare`;
}

/** What the breaker behind a path has told so far. */
export interface Told {
  /** Types, with the reason where there is one. */
  readonly events: readonly string[];
  readonly states: readonly string[];
  readonly keys: readonly string[];
}

route("/told/by", ({ url }) => {
  const { api, events } = heard.get(new URL(url).pathname.slice("/told/by".length))!;
  return Response.json({
    events: events.map((event) => "why" in event ? `${event.type}: ${event.why}` : event.type),
    states: [...api.circuits()].map(([, { state }]) => state),
    keys: [...api.circuits()].map(([key]) => key),
  });
});

/** Asks the Worker what the breaker behind a path has told. */
export async function told({ ask }: Border, path: string): Promise<Told> {
  return JSON.parse((await ask(`/told/by${path}`)).text);
}
