/**
 * The measured server, run on the measured runtime. Its first argument is the upstream's origin; it
 * prints its port. The first part of a path selects the subject that answers.
 */
import process from "node:process";
import { breaker } from "../../mod.ts";
import { breaker as middleware } from "../../src/adapters/hono.ts";
import { type Context, Hono } from "hono";
import { Hand } from "./hand.ts";
import * as peers from "./peers.ts";
import { collect } from "./rounds.ts";
import { unreadMb } from "./unread.ts";

/** Servers differ in what they pass besides the request. */
type Handler = (request: Request, info?: object) => Response | Promise<Response>;

declare const Bun: {
  serve(
    options: { port: number; hostname: string; fetch: (request: Request, info: object) => unknown },
  ): { readonly port: number };
} | undefined;

/** The server ends itself after this time, even if the run never stops it. */
const LIMIT_MS = 600_000;
const NEVER_MS = 3_600_000;

const upstream = process.argv[2] ?? "";

/** Maps a request to the upstream's URL: its path without the subject. */
function target({ url }: Request): string {
  return upstream + url.slice(url.indexOf("/", url.indexOf("/", 8) + 1));
}

// ---- A proxy ----

function proxied(api: { fetch(url: string): Promise<Response> }): Handler {
  return (request) => api.fetch(target(request));
}

/** The peers guard a function without arguments, so a variable passes the URL. */
function guarded(guard: peers.Guard): Handler {
  let url = "";
  const call = guard(() => fetch(url));
  return (request) => {
    url = target(request);
    return call();
  };
}

/** Ends the call after the same time as api.fetch. */
async function timed(request: Request): Promise<Response> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 10_000);
  try {
    return await fetch(target(request), { signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}

const bare = (request: Request) => fetch(target(request));

const proxies: Readonly<Record<string, Handler>> = {
  "bare": bare,
  "hand": new Hand().wrap(bare),
  "hand-timed": new Hand().wrap(timed),
  "keeping": proxied(breaker()),
  "keeps-nothing": proxied(breaker({ lastGood: false })),
  "counts-only": proxied(breaker({ lastGood: false, timeoutMs: Infinity })),
  "no-timeout": proxied(breaker({ timeoutMs: Infinity })),
  "opossum": guarded(peers.opossum),
  "opossum-lean": guarded(peers.opossumLean),
  "cockatiel": guarded(peers.cockatielSampling),
  "mollitia": guarded(peers.mollitiaCount),
};

// ---- A handler, and the last good answer ----

const bodies = new Map<string, Uint8Array<ArrayBuffer>>();

/** Makes as many bytes as the end of the path says. */
function bodyFor({ url }: Request): Uint8Array<ArrayBuffer> {
  const size = url.slice(url.lastIndexOf("/") + 1);
  let body = bodies.get(size);
  if (body === undefined) bodies.set(size, body = new Uint8Array(Number(size)).fill(120));
  return body;
}

const FIELDS = { "content-type": "text/plain; charset=UTF-8", "x-one": "1", "x-two": "2" };

const TAGGED = { ...FIELDS, etag: '"version-1"' };

function fixed(request: Request): Response {
  return new Response(bodyFor(request), { headers: FIELDS });
}

function tagged(request: Request): Response {
  return new Response(bodyFor(request), { headers: TAGGED });
}

const handlers: Readonly<Record<string, Handler>> = {
  "static": fixed,
  "static-tagged": tagged,
  "closed": breaker().wrap(fixed),
  "closed-tagged": breaker().wrap(tagged),
  "closed-hand": new Hand().wrap(fixed),
};

const wrapping = breaker({ delayMs: NEVER_MS });
const fetching = breaker({
  delayMs: NEVER_MS,
  fetch: (input) => Promise.resolve(fixed(new Request(input))),
});

const byHand = new Hand();

const stale: Readonly<Record<string, Handler>> = {
  "hand-stale": byHand.wrap(fixed),
  "wrap": wrapping.wrap(fixed),
  "fetch": (request) => fetching.fetch(request.url),
};

// ---- Hono ----

const text = "x".repeat(1_024);
const ofHono = breaker({ delayMs: NEVER_MS });
const byHandOfHono = new Hand();

function app(...before: Parameters<Hono["use"]>[1][]): Handler {
  const made = new Hono();
  for (const handler of before) made.use("*", handler);
  made.get("*", (c: Context) => c.text(text));
  return (request, info) => made.fetch(request, info);
}

const hono: Readonly<Record<string, Handler>> = {
  "hono-bare": app(),
  "hono-no-op": app(async (_c, next) => await next()),
  "hono-keeping": app(middleware()),
  "hono-keeps-nothing": app(middleware({ lastGood: false })),
  "hono-hand": app(new Hand().middleware()),
  "hono-stale": app(middleware(ofHono)),
  "hono-hand-stale": app(byHandOfHono.middleware()),
};

// ---- The server ----

const control: Readonly<Record<string, Handler>> = {
  "usage": ({ url }) => {
    if (url.endsWith("/collected")) collect();
    const { user, system } = process.cpuUsage();
    return Response.json({ cpuUs: user + system, rss: process.memoryUsage().rss });
  },
  "unread": async ({ url }) => Response.json(await unreadMb(upstream, url.endsWith("/keeping"))),
  "trip": () => {
    for (const api of [wrapping, fetching, ofHono]) {
      for (const [, circuit] of api.circuits()) circuit.trip();
    }
    for (const hand of [byHand, byHandOfHono]) hand.trip(NEVER_MS);
    return new Response("tripped");
  },
};

const subjects = new Map(
  Object.entries({ ...proxies, ...handlers, ...stale, ...hono, ...control }),
);
if (process.versions.node !== undefined && !("Deno" in globalThis) && typeof Bun === "undefined") {
  const { cachingFetch } = await import("./undici.ts");
  subjects.set("undici-cache", (request) => cachingFetch(target(request)));
}

function answer(request: Request, info: object): Response | Promise<Response> {
  const { url } = request;
  const start = url.indexOf("/", 8) + 1;
  const end = url.indexOf("/", start);
  const subject = subjects.get(url.slice(start, end === -1 ? undefined : end));
  return subject === undefined ? new Response(null, { status: 404 }) : subject(request, info);
}

async function listen(): Promise<number> {
  const hostname = "127.0.0.1";
  if (typeof Bun !== "undefined") return Bun.serve({ port: 0, hostname, fetch: answer }).port;
  if ("Deno" in globalThis) {
    return Deno.serve({ port: 0, hostname, onListen: () => {} }, answer).addr.port;
  }
  const { serve } = await import("npm:@hono/node-server@2.1.9");
  return await new Promise((resolve) => {
    serve({ port: 0, hostname, fetch: answer }, ({ port }) => resolve(port));
  });
}

console.log(await listen());
setTimeout(() => process.exit(1), LIMIT_MS);
