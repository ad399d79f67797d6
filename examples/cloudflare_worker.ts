/**
 * A Cloudflare Worker: Hono in front of an upstream, guarded by the middleware. The breaker may be
 * made at module scope: it keeps no timer, and nothing of one request is used in another.
 *
 *     npx wrangler dev examples/cloudflare_worker.ts --var UPSTREAM:https://api.example.com
 *
 * You will see the upstream's answers and, once it fails, the last good ones with `Age` and
 * `Cache-Status`; where nothing is kept, a 503 with `Retry-After`. `deno run` only loads it;
 * `deno serve` serves it on Deno, where the upstream is the one in the environment.
 *
 * Elsewhere, `npx jsr add @lastgood/breaker` and import from "@lastgood/breaker/hono".
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
  // Unlike bare fetch, it drops the Content-Encoding of a body that was decoded on its way.
  return proxy(new URL(pathname + search, UPSTREAM));
});

export default { fetch: app.fetch };
