/**
 * A Cloudflare Worker: Hono in front of an upstream, guarded by the middleware. The breaker can be
 * created at module scope: it keeps no timers, and shares no I/O between requests.
 *
 *     npx wrangler dev examples/cloudflare_worker.ts --var UPSTREAM:https://api.example.com
 *
 * You will see the upstream's answers and, once it fails, the last good ones with `Age` and
 * `Cache-Status`; where nothing is kept, a 503 with `Retry-After`. `deno run` only loads it;
 * `deno serve` serves it on Deno, with `UPSTREAM` from the environment.
 *
 * In your own project: `npm install @lastgood/breaker hono`.
 */

import { Hono } from "hono";
import { env } from "hono/adapter";
import { proxy } from "hono/proxy";
import { breaker } from "@lastgood/breaker/hono";

const app = new Hono();

app.use(
  "/api/*",
  breaker({ name: "api", threshold: 5, delayMs: 30_000, lastGood: { maxBytes: 16 * 1_048_576 } }),
);

app.get("/api/*", (c) => {
  const { UPSTREAM } = env<{ UPSTREAM: string }>(c);
  const { pathname, search } = new URL(c.req.url);
  // Not bare fetch: the runtime has decoded the body, but kept its Content-Encoding.
  return proxy(new URL(pathname + search, UPSTREAM));
});

export default { fetch: app.fetch };
