/**
 * The first middleware of a context does not look for what others have set before: whoever is not the
 * first must not be taken for it.
 */

import { assertEquals } from "@std/assert";
import { breaker } from "@lastgood/breaker/hono";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { handleMiddleware } from "hono/cloudflare-pages";
import { every, except, some } from "hono/combine";
import { Clock } from "../stage/clock.ts";
import { calm, PAGE, sets } from "../stage/hono_stage.ts";

type Answer = () => Response;
type Ask = (init?: RequestInit) => Promise<Response>;

/** Asks an app for a page. */
function asking(app: Hono): Ask {
  return async (init) => await app.request(PAGE, init);
}

/** Calls a middleware as another one would that counts the routes for itself, as `every` of Hono 4.6 does. */
function recounted(guard: MiddlewareHandler): MiddlewareHandler {
  return (c, next) => {
    c.req.routeIndex = 0;
    return guard(c, next);
  };
}

/** The ways to put a middleware outside of a breaker which stands at the first place in some way. */
const CHAINS: readonly (readonly [
  name: string,
  build: (outer: MiddlewareHandler, guard: MiddlewareHandler, answer: Answer) => Ask,
])[] = [
  ["app.use", (outer, guard, answer) => asking(new Hono().use(outer, guard).get("*", answer))],
  [
    "every",
    (outer, guard, answer) => asking(new Hono().use(every(outer, guard)).get("*", answer)),
  ],
  [
    "some",
    (outer, guard, answer) => asking(new Hono().use(some(every(outer, guard))).get("*", answer)),
  ],
  [
    "except",
    (outer, guard, answer) =>
      asking(new Hono().use(except("/no/*", outer, guard)).get("*", answer)),
  ],
  [
    "a middleware that calls it",
    (outer, guard, answer) =>
      asking(
        new Hono().use((c, next) => outer(c, () => guard(c, next) as Promise<void>))
          .get("*", answer),
      ),
  ],
  ["app.route with an error handler", (outer, guard, answer) => {
    const sub = new Hono().use(guard).get("/page", answer);
    sub.onError((_, c) => c.text("sub", 500));
    return asking(new Hono().use(outer).route("/", sub));
  }],
  [
    "the same breaker and every",
    (outer, guard, answer) => asking(new Hono().use(guard, outer, every(guard)).get("*", answer)),
  ],
  [
    "the same breaker and a middleware that counts anew",
    (outer, guard, answer) =>
      asking(new Hono().use(guard, outer, recounted(guard)).get("*", answer)),
  ],
  ["Cloudflare Pages", (outer, guard, answer) => {
    const page = handleMiddleware((c, next) => outer(c, () => guard(c, next) as Promise<void>));
    return async (init) => {
      const request = new Request(PAGE, init);
      const next = () => Promise.resolve(answer());
      return await page({ request, env: {}, next } as never) as Response;
    };
  }],
];

for (const [chain, build] of CHAINS) {
  const nested = (outer: MiddlewareHandler) => {
    let isDown = false;
    const guard = breaker({
      ...calm(new Clock(), []),
      lastGood: { maxBodyMs: Infinity, refreshMs: 0 },
    }) as MiddlewareHandler;
    const ask = build(
      outer,
      guard,
      () => isDown ? new Response("down", { status: 500 }) : new Response("good"),
    );
    const read = async (init?: RequestInit) => await (await ask(init)).text();
    return { ask, read, fail: () => isDown = true };
  };

  for (const how of ["c.header", "c.res"] as const) {
    Deno.test(`H6: through ${chain}, each client gets its own field set outside by ${how}`, async () => {
      const name = (c: Context) => c.req.header("x-name") ?? "";
      const { ask, read, fail } = nested(sets(how, (c) => ({ "x-client": name(c) })));
      await read({ headers: { "x-name": "ann" } });
      fail();

      const stale = await ask({ headers: { "x-name": "bob" } });

      assertEquals([await stale.text(), stale.headers.get("x-client")], ["good", "bob"]);
    });
  }

  Deno.test(`H6: through ${chain}, private set outside after next() forbids keeping`, async () => {
    const { read, fail } = nested(async (c, next) => {
      await next();
      const { headers } = c.res;
      await undefined;
      headers.set("cache-control", "private");
    });
    await read();
    fail();

    assertEquals(await read(), "down");
  });
}

Deno.test("H6: the first middleware of a mounted app sees nothing of the outer one's fields", async () => {
  let isDown = false;
  const sub = new Hono().use(breaker(calm(new Clock(), [])));
  sub.get("*", (c) => isDown ? c.text("down", 500) : c.text("good"));
  const app = new Hono().use(sets("c.header", (c) => ({ "x-client": c.req.header("x-name")! })));
  app.mount("/sub", sub.fetch);
  const ask = (name: string) => app.request(`${PAGE}/../sub/page`, { headers: { "x-name": name } });
  await (await ask("ann")).text();
  isDown = true;

  const stale = await ask("bob");

  assertEquals([await stale.text(), stale.headers.get("x-client") === "ann"], ["good", false]);
});
