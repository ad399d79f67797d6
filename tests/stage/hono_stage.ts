import {
  type Breaker,
  breaker as makeBreaker,
  type BreakerEvent,
  type BreakerOptions,
  CircuitOpenError,
} from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { Clock } from "./clock.ts";
import { notKept, types } from "./events.ts";
import { type Answer as AnswerTo, Upstream } from "./upstream.ts";

/** The page that most tests ask for. */
export const PAGE = "http://edge.test/page";

/** How a handler answers. */
export type Answer = AnswerTo<Context>;

/** Other middlewares in the chain. */
export interface Chain {
  /** Before the breaker, outermost first. */
  readonly outer?: readonly MiddlewareHandler[];
  /** Between the breaker and the handler. */
  readonly inner?: readonly MiddlewareHandler[];
}

/** Options without timers, with which a circuit hardly ever opens. */
export function calm(clock: Clock, events: BreakerEvent[]): BreakerOptions {
  return {
    threshold: 1_000,
    delayMs: 1_000,
    timeoutMs: Infinity,
    now: clock.now,
    onEvent: (event) => void events.push(event),
    lastGood: { maxBodyMs: Infinity },
  };
}

/** A Hono app with a breaker before its only handler, which the test can replace at any time. */
export class Edge extends Upstream<Context> {
  readonly clock = new Clock();
  readonly events: BreakerEvent[] = [];
  readonly app: Hono = new Hono();
  readonly #api: Breaker;

  constructor(chain: Chain = {}, options: BreakerOptions = {}) {
    super((c) => c.text("good"));
    const { outer = [], inner = [] } = chain;
    this.#api = makeBreaker({ ...calm(this.clock, this.events), ...options });
    this.app.onError(quiet);
    for (const middleware of [...outer, breaker(this.#api), ...inner]) this.app.use(middleware);
    this.app.all("*", this.reply);
  }

  /** Requests a page once everything before it has been kept; leaves the body to the caller. */
  async get(init: RequestInit = {}, url = PAGE): Promise<Response> {
    await this.#api.idle();
    return await this.app.request(url, init);
  }

  /** Requests a page and reads it. */
  async read(init: RequestInit = {}, url = PAGE): Promise<string> {
    return await (await this.get(init, url)).text();
  }

  /** Makes the handler fail from now on. */
  override fail(answer: Answer = down): void {
    super.fail(answer);
  }

  /** The types of the events so far, except those about keeping. */
  get types(): string[] {
    return typesButKept(this.events);
  }

  /** The reasons why answers were not kept, in order. */
  get notKept(): string[] {
    return notKept(this.events);
  }
}

/** The types of the events, except those about keeping. */
export function typesButKept(events: readonly BreakerEvent[]): string[] {
  return types(events).filter((type) => !type.includes("kept") && type !== "removed");
}

/** Fails by status; goes through the context, as most handlers do. */
export function down(c: Context): Response {
  return c.text("down", 503, { "x-failed": "yes", "retry-after": "9" });
}

/** Hono's own error handler, without the logging. */
export function quiet(error: Error, c: Context): Response {
  return error instanceof HTTPException || error instanceof CircuitOpenError
    ? error.getResponse()
    : c.text("Internal Server Error", 500);
}

/** Fails by throwing. */
export function thrown(): never {
  throw new Error("thrown");
}

/** Makes a middleware that sets fields for each request, in either of Hono's ways. */
export function sets(
  how: "c.header" | "c.res",
  fields: (c: Context) => Record<string, string>,
): MiddlewareHandler {
  return async (c, next) => {
    for (const [name, value] of Object.entries(fields(c))) {
      if (how === "c.header") c.header(name, value, { append: true });
      else c.res.headers.append(name, value);
    }
    await next();
  };
}

/** The ways a handler can make a response: Hono treats their fields differently. */
export const MAKERS: readonly (readonly [
  name: string,
  make: (c: Context, body: string, headers?: Record<string, string>) => Response,
])[] = [
  ["c.text", (c, body, headers) => c.text(body, 200, headers)],
  ["Response", (_, body, headers = {}) => new Response(body, { headers })],
];

/** Places a middleware on either side of the breaker. */
export function orders(middleware: () => MiddlewareHandler): [order: string, chain: Chain][] {
  return [
    ["outside", { outer: [middleware()] }],
    ["inside", { inner: [middleware()] }],
  ];
}
