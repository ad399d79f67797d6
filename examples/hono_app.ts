/**
 * A Hono app, guarded: one middleware for all routes below a path, none for the others.
 *
 *     deno run -A examples/hono_app.ts
 *
 * You will see the app's answers, without a server: good ones first; then, with the database down,
 * the last good ones for what was requested before, and 500s, then a 503, for what was not.
 *
 * In your own project: `deno add jsr:@lastgood/breaker npm:hono`, or `npm install @lastgood/breaker hono`.
 */

import { Hono } from "hono";
import { cors } from "hono/cors";
import { logTo } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";

let isDown = false;

function query(name: string): string {
  if (isDown) throw new Error("The database is down");
  return `all there is to know about ${name}\n`;
}

const app = new Hono();
// Middleware that adapts answers to each client comes before the breaker.
app.use(cors({ origin: (origin) => origin }));
app.use("/items/*", breaker({ name: "items", threshold: 3, onEvent: logTo(console) }));
app.get("/items/:name", (c) => c.text(query(c.req.param("name"))));
app.get("/health", (c) => c.text("the app is up\n"));
app.onError((error, c) => c.text(`${error.message}\n`, 500));

async function ask(path: string): Promise<void> {
  const response = await app.request(path);
  const why = response.headers.get("Cache-Status") ?? response.headers.get("Retry-After") ?? "";
  console.log(path, response.status, why, (await response.text()).trim());
}

await ask("/items/tea");
isDown = true;
await ask("/items/tea");
await ask("/items/coffee");
await ask("/items/coffee");
await ask("/items/coffee");
await ask("/items/tea");
await ask("/health");
