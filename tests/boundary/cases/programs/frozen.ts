/** An app that its host freezes after each answer. `/state` tells its circuit's state. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { breaker, type BreakerEvent } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";

const { ORIGIN = "", WAY = "", PATIENCE_MS = "" } = process.env;
const events: BreakerEvent[] = [];
const api = breaker({
  threshold: 1,
  delayMs: 100,
  timeoutMs: 200,
  lastGood: { refreshMs: 0, ...PATIENCE_MS && { patienceMs: Number(PATIENCE_MS) } },
  onEvent: (event) => events.push(event),
});

const HANDLERS: Record<string, (request: Request) => Response | Promise<Response>> = {
  fetch: () => api.fetch(ORIGIN),
  wrap: api.wrap(() => fetch(ORIGIN)),
  hono: new Hono().use(middleware(api)).get("/", () => fetch(ORIGIN)).fetch,
};

const listener = getRequestListener((request) =>
  new URL(request.url).pathname === "/state" ? state() : HANDLERS[WAY]!(request)
);
const server = createServer(listener);
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
setTimeout(() => process.exit(), 20_000);

function state(): Response {
  const states = [...api.circuits()].map(([, { state }]) => state).join(" ");
  const ends = events.filter(({ type }) => ["success", "failure", "ignored"].includes(type))
    .map((event) => `${event.type} ${"cause" in event ? event.cause : ""}`);
  return Response.json({ state: states, ends });
}
