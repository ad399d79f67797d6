/** The edge app: Hono, with the breaker between the visitor and the upstream. */

import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { breaker, type BreakerEvent, type Circuit } from "@lastgood/breaker";
import { breaker as guard } from "@lastgood/breaker/hono";
import { Live } from "./live.ts";
import type { Health, Upstream } from "./upstream.ts";

/** Settings of the app. */
export interface AppOptions {
  readonly delayMs: number;
  readonly timeoutMs: number;
  readonly onEvent: (event: BreakerEvent) => void;
}

/** The app, with its circuit and its live view. */
export interface App {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly circuit: Circuit<Response>;
  readonly live: Live;
}

const NAME = "upstream";
const HEALTHS: readonly string[] = ["well", "slow", "broken"] satisfies Health[];

const PAGE: readonly (readonly [path: string, file: string, type: string])[] = [
  ["/", "page.html", "text/html; charset=utf-8"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
];

export function makeApp(upstream: Upstream, options: AppOptions): App {
  const { delayMs, timeoutMs } = options;
  const api = breaker({
    threshold: 5,
    delayMs,
    timeoutMs,
    key: () => NAME,
    onEvent(event) {
      options.onEvent(event);
      live.hear(event);
    },
  });
  const circuit = api.circuit(NAME);
  const live = new Live(() => ({
    state: circuit.state,
    retryAfterMs: circuit.retryAfterMs,
    delayMs,
    timeoutMs,
    health: upstream.health,
    calls: upstream.calls,
  }));

  const app = new Hono();
  app.use("/api/*", live.watch, guard(api));
  app.get("/api/:path", (c) => proxy(`${upstream.url}/${c.req.param("path")}`));
  app.onError((error, c) =>
    c.json({ message: error.message }, error.name === "TimeoutError" ? 504 : 502)
  );

  app.post("/upstream/:health", (c) => {
    const health = c.req.param("health");
    if (!HEALTHS.includes(health)) return c.notFound();
    upstream.health = health as Health;
    live.push();
    return c.body(null, 204);
  });
  app.get("/live", (c) => live.stream(c));
  for (const [path, file, type] of PAGE) {
    app.get(path, async (c) => {
      const text = await Deno.readTextFile(new URL(file, import.meta.url));
      return c.body(text, 200, { "content-type": type, "cache-control": "no-store" });
    });
  }
  return { fetch: app.fetch, circuit, live };
}
