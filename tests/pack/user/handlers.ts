/**
 * Code that must compile for users on any runtime, with or without lib.dom: handlers whose requests
 * are of a framework's class, and options set to undefined. None of it runs.
 */

import {
  type BackoffOptions,
  breaker,
  type BreakerOptions,
  type CircuitOptions,
  type FailureRateOptions,
  type LastGoodOptions,
  type RespondContext,
  signalOf,
  type SlowRateOptions,
  type TripPolicy,
} from "@lastgood/breaker";
import { type ScriptedResponse, upstream, type UpstreamOptions } from "@lastgood/breaker/testing";

// ---- Requests of a framework's class ----

class NextRequestLike extends Request {
  get nextUrl(): URL {
    return new URL(this.url);
  }
}

interface BunRequestLike<Names extends string> extends Request {
  readonly params: Readonly<Record<Names, string>>;
  clone(): BunRequestLike<Names>;
}

interface RouteContext {
  readonly params: Promise<{ readonly id: string }>;
}

type Answer = Response | Promise<Response>;

const api = breaker();

export const next: (request: NextRequestLike, context: RouteContext) => Answer = api.wrap(
  async (request: NextRequestLike, { params }: RouteContext) =>
    new Response(request.nextUrl.pathname + (await params).id),
);

export const nextWithRest = api.wrap((request: NextRequestLike, ...rest: [RouteContext]) =>
  new Response(request.nextUrl.pathname + rest.length)
);
const context: RouteContext = { params: Promise.resolve({ id: "1" }) };
export const nextAnswer: Answer = nextWithRest(new NextRequestLike("https://app.test/"), context);
// @ts-expect-error Not the framework's class.
nextWithRest(new Request("https://app.test/"), context);
// @ts-expect-error The context is missing.
nextWithRest(new NextRequestLike("https://app.test/"));

export const bun: (request: BunRequestLike<"id">) => Answer = api.wrap(
  (request: BunRequestLike<"id">) => new Response(request.clone().params.id),
);

export const worker: { fetch(request: Request, env: object, context: object): Answer } = {
  fetch: api.wrap((request, _env: object) => new Response(request.url)),
};

export const stopping = api.wrap((request: BunRequestLike<"id">) =>
  fetch(`https://origin.test/${request.params.id}`, { signal: signalOf(request) })
);

// ---- The context of a request ----

export function respond(
  request: NextRequestLike,
  waitUntil: ((work: Promise<unknown>) => void) | undefined,
): Promise<Response> {
  const context: RespondContext = { key: "app", waitUntil, background: false };
  return api.respond(request, ({ url }, signal) => fetch(url, { signal }), context);
}

// ---- A fetch ----

export const answers: readonly Promise<Response>[] = [
  api.fetch("https://origin.test/"),
  api.fetch(new URL("https://origin.test/"), { headers: [["accept", "text/plain"]] }),
  api.fetch(new NextRequestLike("https://origin.test/"), { method: "POST", body: "text" }),
];
export const fetching: readonly BreakerOptions[] = [
  { fetch },
  { fetch: api.fetch },
  { fetch: upstream([200]) },
  { fetch: (input, init) => fetch(input, init) },
  { fetch: (input) => Promise.resolve(new Response(String(input))) },
];

// ---- Options that are set to undefined ----

/** The names of optional members that do not accept undefined. */
type Exact<Options> = {
  [Name in keyof Options]-?: { [Key in Name]: undefined } extends Partial<Pick<Options, Name>>
    ? never
    : Record<never, never> extends Pick<Options, Name> ? Name
    : never;
}[keyof Options];

type None<Names extends never> = Names;

export type Unset = [
  None<Exact<BackoffOptions>>,
  None<Exact<BreakerOptions>>,
  None<Exact<CircuitOptions>>,
  None<Exact<FailureRateOptions>>,
  None<Exact<LastGoodOptions>>,
  None<Exact<RespondContext>>,
  None<Exact<ScriptedResponse>>,
  None<Exact<SlowRateOptions>>,
  None<Exact<TripPolicy>>,
  None<Exact<UpstreamOptions>>,
];

export const unset = breaker({ fetch: undefined, timeoutMs: undefined, lastGood: undefined });

// ---- Scripted responses ----

export const scripted: readonly ScriptedResponse[] = [
  { headers: { age: "1" }, body: "text" },
  { headers: [["age", "1"]], body: new Uint8Array(1) },
  { headers: new Headers(), body: new ReadableStream() },
  { headers: undefined, body: null },
  { body: new URLSearchParams("a=1") },
  { body: new Blob(["text"]) },
  { body: new FormData() },
  { body: new ArrayBuffer(1) },
  // @ts-expect-error Not a body.
  { body: 1 },
  // @ts-expect-error Not fields.
  { headers: "age: 1" },
];
