import type { Breaker } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import type { Handler } from "./host.ts";

/** The ways of putting a breaker around a handler. */
export const WAYS: Readonly<Record<string, (api: Breaker, handler: Handler) => Handler>> = {
  "a wrapped handler": (api, handler) => api.wrap(handler),
  "respond": (api, handler) => (request) => api.respond(request, handler),
  "Hono": (api, handler) =>
    new Hono().use(middleware(api)).all("*", (c) => handler(c.req.raw)).fetch,
};
