/** Promise 30: the types of an app survive the middleware. What is wrong here does not compile. */

import { assertEquals } from "@std/assert";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { hc } from "hono/client";
import { createFactory, createMiddleware } from "hono/factory";
import type { Breaker, Circuit } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";

/** Compiles only if both types are the same. */
type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends (<T>() => T extends Other ? 1 : 2)
  ? true
  : false;

interface Env {
  Bindings: { NAME: string };
  Variables: { user: string };
}

const options = { timeoutMs: Infinity, lastGood: { maxBodyMs: Infinity } };
const BASE = "http://edge.test";

Deno.test("30: hc knows the answers of routes behind a middleware in app.use", async () => {
  const app = new Hono().use(breaker(options)).get("/item", (c) => c.json({ id: 1 }));
  const client = hc<typeof app>(BASE, { fetch: app.request as typeof fetch });

  const response = await client.item.$get();
  const item = await response.json();

  const isSame: Same<typeof item, { id: number }> = true;
  assertEquals([item.id, isSame], [1, true]);
});

Deno.test("30: hc knows the answers of a route with a middleware of its own", async () => {
  const app = new Hono().get(
    "/item/:id",
    breaker(options),
    (c) => c.json({ id: c.req.param("id") }),
  );
  const client = hc<typeof app>(BASE, { fetch: app.request as typeof fetch });

  const response = await client.item[":id"].$get({ param: { id: "7" } });
  const item = await response.json();

  const isSame: Same<typeof item, { id: string }> = true;
  const status: Same<typeof response.status, 200> extends true ? string : "as without us" =
    "as without us";
  assertEquals([item.id, isSame, status], ["7", true, "as without us"]);
});

Deno.test("30: createHandlers keeps the type of the answer and the environment", async () => {
  const factory = createFactory<Env>();
  const handlers = factory.createHandlers(breaker(options), (c) => {
    c.set("user", c.env.NAME);
    // @ts-expect-error Not a variable of this app.
    c.get("nothing");
    return c.json({ id: 1 }, 201);
  });
  const app = new Hono<Env>().get("/item", ...handlers);
  const client = hc<typeof app>(BASE, {
    fetch: (input: RequestInfo | URL, init?: RequestInit) =>
      app.request(input, init, { NAME: "ann" }),
  });

  const response = await client.item.$get();
  const item = await response.json();

  const isSame: Same<typeof item, { id: number }> = true;
  const status: 201 = response.status;
  assertEquals([item.id, isSame, status], [1, true, 201]);
});

Deno.test("30: createMiddleware takes the middleware, and what calls it", async () => {
  const guard = breaker(options);
  const direct: MiddlewareHandler<Env> = createMiddleware<Env>(guard);
  const around = createMiddleware<Env>(async (c, next) => {
    c.set("user", "ann");
    await guard(c, next);
  });
  const returning = createMiddleware<Env>((c, next) => guard(c, next));
  const app = new Hono<Env>().use(direct, around, returning)
    .get("/item", (c) => c.json({ user: c.var.user }));
  const client = hc<typeof app>(BASE, { fetch: app.request as typeof fetch });

  const { user } = await (await client.item.$get()).json();

  const isSame: Same<typeof user, string> = true;
  assertEquals([user, isSame], ["ann", true]);
});

Deno.test("30: the middleware shows the breaker that it uses", async () => {
  const middleware = breaker({ ...options, name: "shown" });
  const shared = breaker(middleware.breaker);
  const app = new Hono().use(middleware).get("/item", (c) => c.json({ id: 1 }));
  await (await app.request(`${BASE}/item`)).text();

  const api: Breaker = middleware.breaker;
  const circuits: [string, Circuit<Response>][] = [...api.circuits()];

  assertEquals(circuits.map(([key, { state }]) => [key, state]), [["shown", "closed"]]);
  assertEquals(shared.breaker === api, true);
});

export const handler = (c: Context): Promise<void> => breaker(options)(c, () => Promise.resolve());
