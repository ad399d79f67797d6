/**
 * A Hono app, guarded: one middleware for all routes below a path, none for the others.
 *
 *     deno run -A examples/hono_app.ts
 *
 * You will see the app's answers as it is asked without a server: good ones, then, with the database
 * down, the last good ones for what was asked before, and 500s, then a 503, for what was not.
 *
 * Elsewhere, import from "jsr:@lastgood/breaker/hono" and "npm:hono@4".
 */

import { Hono } from "hono";
import { cors } from "hono/cors";
import { logTo } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";

let isDown = false;

function query(name: string): string {
  if (isDown) throw new Error("The database is down");
  return `all that is known of ${name}\n`;
}

const app = new Hono();
// What changes answers for one client stands further out than the breaker.
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
