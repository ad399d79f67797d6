import { assertEquals } from "@std/assert";
import { type Breaker, breaker as makeBreaker } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { Hono, type MiddlewareHandler } from "hono";
import { Clock } from "../stage/clock.ts";
import { calm } from "../stage/hono_stage.ts";

const BASE = "http://edge.test";

/** An app that says its name on each page, until it is down. */
function named(name: string, ...guards: readonly MiddlewareHandler[]): Hono {
  const app = new Hono();
  for (const guard of guards) app.use(guard);
  app.get("/page", (c) => isDown ? c.text("down", 500) : c.text(name));
  return app;
}

let isDown = false;

/** Reads each page while all is well. */
async function keepAll(app: Hono, paths: readonly string[]): Promise<void> {
  isDown = false;
  for (const path of paths) await (await app.request(BASE + path)).text();
}

/** Reads each page while all apps are down. */
async function inOutage(app: Hono, paths: readonly string[]): Promise<string[]> {
  isDown = true;
  const texts: string[] = [];
  for (const path of paths) texts.push(await (await app.request(BASE + path)).text());
  return texts;
}

function shared(): Breaker {
  return makeBreaker(calm(new Clock(), []));
}

/** A guard for each of two apps. */
const GUARDS: Readonly<Record<string, () => readonly MiddlewareHandler[]>> = {
  "one middleware": () => {
    const guard = breaker(shared());
    return [guard, guard];
  },
  "two middlewares of one breaker": () => {
    const api = shared();
    return [breaker(api), breaker(api)];
  },
};

for (const [guards, make] of Object.entries(GUARDS)) {
  Deno.test(`K5: two mounted apps with ${guards} keep their own pages`, async () => {
    const [one, other] = make();
    const app = new Hono();
    app.mount("/a", named("a", one!).fetch);
    app.mount("/b", named("b", other!).fetch);
    const paths = ["/a/page", "/b/page"];
    await keepAll(app, paths);

    assertEquals(await inOutage(app, paths), ["a", "b"]);
  });

  Deno.test(`K5: a mounted app gets nothing that the other one has kept, with ${guards}`, async () => {
    const [one, other] = make();
    const app = new Hono();
    app.mount("/a", named("a", one!).fetch);
    app.mount("/b", named("b", other!).fetch);
    await keepAll(app, ["/a/page"]);

    assertEquals(await inOutage(app, ["/b/page", "/a/page"]), ["down", "a"]);
  });

  Deno.test(`K5: an app and one mounted in it keep their own pages, with ${guards}`, async () => {
    const [one, other] = make();
    const app = named("outer", one!);
    app.mount("/a", named("inner", other!).fetch);
    const paths = ["/page", "/a/page"];
    await keepAll(app, paths);

    assertEquals(await inOutage(app, paths), ["outer", "inner"]);
  });

  Deno.test(`K5: two apps of one process keep their own pages, with ${guards}`, async () => {
    const [one, other] = make();
    const apps = [named("a", one!), named("b", other!)];
    for (const app of apps) await keepAll(app, ["/page"]);

    const texts = [];
    for (const app of apps) texts.push(...await inOutage(app, ["/page"]));
    assertEquals(texts, ["a", "b"]);
  });

  Deno.test(`K5: two sub-apps with ${guards} keep their own pages`, async () => {
    const [one, other] = make();
    const app = new Hono();
    app.route("/a", named("a", one!));
    app.route("/b", named("b", other!));
    const paths = ["/a/page", "/b/page"];
    await keepAll(app, paths);

    assertEquals(await inOutage(app, paths), ["a", "b"]);
  });
}

Deno.test("K5: one sub-app in two places keeps a page for each", async () => {
  const sub = new Hono().use(breaker(shared()));
  sub.get("/page", (c) => isDown ? c.text("down", 500) : c.text(c.req.path));
  const app = new Hono().route("/a", sub).route("/b", sub);
  const paths = ["/a/page", "/b/page"];
  await keepAll(app, paths);

  assertEquals(await inOutage(app, paths), paths);
});

Deno.test("K5: mounted handlers of one breaker keep their own pages", async () => {
  const api = shared();
  const handler = (name: string) =>
    api.wrap(() => isDown ? new Response("down", { status: 500 }) : new Response(name));
  const app = new Hono();
  app.mount("/a", handler("a"));
  app.mount("/b", handler("b"));
  app.mount("/c", api.wrap(named("c", breaker(api)).fetch));
  const paths = ["/a/page", "/b/page", "/c/page"];
  await keepAll(app, paths);

  assertEquals(await inOutage(app, paths), ["a", "b", "c"]);
});

Deno.test("K5: a middleware that stands twice in a chain keeps both answers", async () => {
  const guard = breaker(shared());
  const app = new Hono();
  app.use(guard);
  app.use(async (c, next) => {
    await next();
    c.res = new Response(`<${await c.res.text()}>`, c.res);
  });
  app.use(guard);
  app.get("/page", (c) => isDown ? c.text("down", 500) : c.text("good"));
  await keepAll(app, ["/page"]);

  assertEquals(await inOutage(app, ["/page"]), ["<good>"]);
  guard.breaker.circuit("hono-1").trip();
  assertEquals(await inOutage(app, ["/page"]), ["<good>"]);
});

for (
  const [how, build] of Object.entries<(app: Hono, guard: MiddlewareHandler) => Hono>({
    "app.basePath": (app, guard) => app.basePath("/base").use(guard) as Hono,
    "app.all": (app, guard) => app.all("*", guard),
    "app.on": (app, guard) => app.on(["GET", "POST"], ["/base/*", "/other/*"], guard),
    "a path with a parameter": (app, guard) => app.use("/:base/*", guard),
  })
) {
  Deno.test(`K5: a page is found again through ${how}`, async () => {
    const app = new Hono();
    build(app, breaker(shared()));
    app.get("/base/page", (c) => isDown ? c.text("down", 500) : c.text("good"));
    await keepAll(app, ["/base/page"]);

    assertEquals(await inOutage(app, ["/base/page"]), ["good"]);
  });
}

Deno.test("K5: HEAD is answered from the page that GET has left", async () => {
  const app = named("good", breaker(shared()));
  await keepAll(app, ["/page"]);
  isDown = true;

  const response = await app.request(`${BASE}/page`, { method: "HEAD" });

  assertEquals([response.status, response.headers.has("age")], [200, true]);
});

Deno.test("K5: forget reaches the pages of all apps", async () => {
  const guard = breaker(shared());
  const apps = [named("a", guard), named("b", guard)];
  for (const app of apps) await keepAll(app, ["/page"]);

  guard.breaker.forget(`${BASE}/page`);

  for (const app of apps) assertEquals(await inOutage(app, ["/page"]), ["down"]);
});
