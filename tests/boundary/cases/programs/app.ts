/** An app in a process of its own, for `WAY` of guarding it. `/state` answers what its circuit saw. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { breaker, type BreakerEvent } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";

const { ORIGIN = "", WAY = "", PATIENCE_MS = "", GLOBAL_OBJECTS = "own" } = process.env;
const events: BreakerEvent[] = [];
const api = breaker({
  threshold: 1,
  delayMs: 100,
  timeoutMs: 500,
  lastGood: { refreshMs: 0, ...PATIENCE_MS && { patienceMs: Number(PATIENCE_MS) } },
  onEvent: (event) => events.push(event),
});

const HANDLERS: Record<string, (request: Request) => Response | Promise<Response>> = {
  fetch: () => api.fetch(ORIGIN),
  wrap: api.wrap(() => fetch(ORIGIN)),
  respond: (request) => api.respond(request, () => fetch(ORIGIN)),
  hono: new Hono().use(middleware(api)).get("/", () => fetch(ORIGIN)).fetch,
};

const answer = (request: Request) =>
  new URL(request.url).pathname === "/state" ? state() : HANDLERS[WAY]!(request);
const overrideGlobalObjects = GLOBAL_OBJECTS === "own";
const listener = getRequestListener(answer, { overrideGlobalObjects });
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
