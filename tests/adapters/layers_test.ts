/** Attacks between the layers of a Hono app: whose word counts, and for which copy (H6, S17, K2). */

import { breaker as makeBreaker } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { assertEquals } from "@std/assert";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { etag } from "hono/etag";
import { Edge, quiet, sets } from "../stage/hono_stage.ts";

const CALM = { threshold: 1_000, timeoutMs: Infinity };

/** A middleware that speaks after the handler. */
function after(speak: (c: Context) => unknown): MiddlewareHandler {
  return async (c, next) => {
    await next();
    await speak(c);
  };
}

Deno.test("H6, S17: an outer no-store or private ends what was kept before it was said", async () => {
  for (const value of ["no-store", "private", "private, max-age=9"]) {
    let isSaid = false;
    const outer = after((c) => isSaid && c.res.headers.set("cache-control", value));
    const edge = new Edge({ outer: [outer] }, { lastGood: { refreshMs: 0, maxBodyMs: Infinity } });
    await edge.read();
    isSaid = true;
    await edge.read();
    edge.fail();

    assertEquals([value, await edge.read()], [value, "down"]);
  }
});

Deno.test("H6, S4: a handler's own private holds, whatever outer middleware makes of it", async () => {
  const layers: readonly MiddlewareHandler[] = [
    sets("c.header", () => ({ "cache-control": "public, max-age=60" })),
    sets("c.res", () => ({ "cache-control": "public, max-age=60" })),
    after((c) => c.res.headers.delete("cache-control")),
    after((c) => c.res.headers.set("cache-control", "public, max-age=60")),
    after((c) => c.header("cache-control", "public")),
    after((c) => c.res = new Response("replaced", { headers: { "cache-control": "public" } })),
  ];
  for (const [n, outer] of layers.entries()) {
    const edge = new Edge({ outer: [outer] });
    edge.answer = (c) => c.text("ann's", 200, { "cache-control": "private" });
    await edge.read();
    edge.fail((c) => c.text("down", 503));

    const found = await edge.read();
    assertEquals([n, found.includes("ann")], [n, false]);
  }
});

Deno.test("H6, S7: a handler's own cookie is heard, whatever outer middleware takes away", async () => {
  const edge = new Edge({ outer: [after((c) => c.res.headers.delete("set-cookie"))] });
  edge.answer = (c) => c.text("ann's", 200, { "set-cookie": "sid=ann" });
  await edge.read();
  edge.fail();

  assertEquals(await edge.read(), "down");
});

Deno.test("H6, S8: an outer public does not let an answer to credentials be kept for all", async () => {
  for (
    const outer of [
      sets("c.header", () => ({ "cache-control": "public" })),
      after((c) => c.header("cache-control", "public")),
    ]
  ) {
    const edge = new Edge({ outer: [outer] });
    edge.answer = (c) => c.text(c.req.header("x-api-key") ?? "nobody's");
    await edge.read({ headers: { "x-api-key": "ann" } });
    edge.fail();

    const found = await edge.read();
    // Said before next(), it may count as the answer's own; never may it be said afterwards.
    assertEquals(["down", "ann"].includes(found), true);
  }
});

for (const when of ["before", "after"] as const) {
  Deno.test(`K2, S10: a Vary that outer middleware sets ${when} next() keeps variants apart`, async () => {
    for (const name of ["Origin", "X-Theme", "Accept-Language"]) {
      const layer = when === "before"
        ? sets("c.header", () => ({ vary: name }))
        : after((c) => c.res.headers.append("vary", name));
      const edge = new Edge({ outer: [layer] });
      edge.answer = (c) => c.text(`for ${c.req.header(name) ?? "nobody"}`);
      const asking = (value: string) => ({ headers: { [name]: value } });
      await edge.read(asking("a"));
      edge.fail();

      const found = [await edge.read(asking("b")), await edge.read(asking("a"))];

      assertEquals([name, ...found], [name, "down", "for a"]);
    }
  });
}

Deno.test("S10: a star that outer middleware adds to Vary after next() keeps nothing", async () => {
  const edge = new Edge({ outer: [after((c) => c.res.headers.append("vary", "*"))] });
  await edge.read();
  edge.fail();

  assertEquals(await edge.read(), "down");
});

Deno.test("H6: two breakers in a chain: what is said outside of both is heard by both", async () => {
  const api = makeBreaker(CALM);
  let isDown = false;
  for (const first of [breaker(api), breaker(CALM)]) {
    isDown = false;
    const app = new Hono();
    app.onError(quiet);
    app.use(after((c) => c.res.headers.set("cache-control", "private")));
    app.use(first);
    app.use(breaker(api));
    app.get("*", (c) => isDown ? c.text("down", 503) : c.text("ann's"));
    const read = async () => await (await app.request("http://edge.test/page")).text();
    await read();
    await api.idle();
    isDown = true;

    assertEquals(await read(), "down");
  }
});

Deno.test("H6: two breakers in a chain: what stands between them is heard by the inner one", async () => {
  const api = makeBreaker(CALM);
  let isDown = false;
  const app = new Hono();
  app.onError(quiet);
  app.use(breaker(api));
  app.use(after((c) => c.res.headers.set("cache-control", "no-store")));
  app.use(breaker(api));
  app.get("*", (c) => isDown ? c.text("down", 503) : c.text("ann's"));
  const read = async () => await (await app.request("http://edge.test/page")).text();
  await read();
  isDown = true;

  assertEquals(await read(), "down");
});

Deno.test("H6: an outer middleware that fails after next() shows no page to anybody, later neither", async () => {
  const edge = new Edge({
    outer: [after((c) => {
      if (c.req.header("x-name") === "ann") throw new Error("no");
    })],
  });
  edge.answer = (c) => c.text(`for ${c.req.header("x-name")}`, 200, { vary: "x-name" });
  const ann = { headers: { "x-name": "ann" } };
  const bob = { headers: { "x-name": "bob" } };
  await edge.read(ann);
  await edge.read(bob);
  edge.fail();

  assertEquals([await edge.read(bob), await edge.read(ann)], ["for bob", "Internal Server Error"]);
});

Deno.test("H6: a middleware that takes its time after next() loses no page, and no word", async () => {
  let release!: () => void;
  const gate = new Promise<void>((resolve) => release = resolve);
  const edge = new Edge({
    outer: [after(async (c) => {
      if (c.req.header("x-slow") === null || c.req.header("x-slow") === undefined) return;
      await gate;
      c.res.headers.set("cache-control", "private");
    })],
  });
  edge.answer = (c) => c.text(`for ${c.req.header("x-slow") ?? "all"}`);
  const slow = edge.app.request("http://edge.test/page", { headers: { "x-slow": "ann" } });
  await edge.read({}, "http://edge.test/other");
  const { answer } = edge;
  edge.fail();
  const during = await edge.app.request("http://edge.test/page");
  edge.answer = answer;
  release();
  await (await slow).text();
  edge.fail();
  const then = await edge.app.request("http://edge.test/page");

  assertEquals([await during.text(), await then.text()], ["down", "down"]);
});

Deno.test("S21, F5: etag outside: a client's own 304 is not the handler's, and harms nothing", async () => {
  const edge = new Edge({ outer: [etag()] });
  const { headers } = await edge.get();
  const tag = headers.get("etag")!;
  for (let n = 0; n < 3; n++) {
    const same = await edge.get({ headers: { "if-none-match": tag } });
    assertEquals([same.status, await same.text()], [304, ""]);
  }
  edge.fail();

  assertEquals(await edge.read(), "good");
});

Deno.test("S17: a stranger whom outer middleware refuses takes no page away", async () => {
  const outer: MiddlewareHandler = async (c, next) => {
    if (c.req.header("x-bad")) return c.text("gone", 410, { "cache-control": "no-store" });
    await next();
    if (c.req.header("x-late")) c.res = new Response("gone", { status: 410 });
    return undefined;
  };
  const edge = new Edge({ outer: [outer] });
  await edge.read();
  for (let n = 0; n < 3; n++) await edge.read({ headers: { "x-bad": "1" } });
  for (let n = 0; n < 3; n++) await edge.read({ headers: { "x-late": "1" } });
  edge.fail();

  assertEquals(await edge.read(), "good");
});
