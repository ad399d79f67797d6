import type { Breaker } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";

/** The ways through a breaker. */
export type Way = "fetch" | "wrap" | "respond" | "hono";

export const EVERY_WAY: readonly Way[] = ["fetch", "wrap", "respond", "hono"];

/** The context that lets a Worker do work in the background. */
export interface WaitingContext {
  waitUntil(work: Promise<unknown>): void;
}

/** A server's handler. */
export type Handler = (
  request: Request,
  env?: unknown,
  ctx?: WaitingContext,
) => Promise<Response>;

/** How a handler calls its upstream; not every way provides a signal. */
export type UpstreamCall = (request: Request, signal?: AbortSignal) => Response | Promise<Response>;

/** Makes a handler that calls its upstream by one way through a breaker. */
export function handlerBy(
  way: Exclude<Way, "fetch">,
  api: Breaker,
  call: UpstreamCall,
): Handler {
  switch (way) {
    case "wrap": {
      const handler = api.wrap((request: Request, ..._rest: unknown[]) => call(request));
      return async (request, ...rest) => await handler(request, ...rest);
    }
    case "respond":
      return (request, _env, ctx) =>
        api.respond(request, call, ctx && { waitUntil: (work) => ctx.waitUntil(work) });
    case "hono": {
      const app = new Hono();
      app.use(middleware(api));
      app.all("*", (c) => call(c.req.raw));
      return async (request, env, ctx) => await app.fetch(request, env as object, ctx as never);
    }
  }
}

/** Makes a function that requests a URL by one way; for `fetch`, the upstream is its option. */
export function askerBy(
  way: Way,
  api: Breaker,
  call: UpstreamCall,
): (url: string, init: RequestInit) => Promise<Response> {
  if (way === "fetch") return (url, init) => api.fetch(url, init);
  const handler = handlerBy(way, api, call);
  return (url, { signal, ...init }) => handler(requestWith(url, init, signal ?? undefined));
}

/** Makes a request that has its signal on every runtime: Vercel Edge has no `Request.signal`. */
export function requestWith(url: string, init: RequestInit, signal?: AbortSignal): Request {
  const request = new Request(url, signal === undefined ? init : { ...init, signal });
  if (signal !== undefined && request.signal === undefined) {
    Object.defineProperty(request, "signal", { value: signal });
  }
  return request;
}
