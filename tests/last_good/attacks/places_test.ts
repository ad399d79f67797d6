/** Attacks on what one URL means to different parts of an app (K5). */

import { type Breaker, breaker, type BreakerOptions } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { assertEquals } from "@std/assert";
import { type Context, Hono } from "hono";
import { PAGE } from "../../stage/site.ts";
import { down } from "../../stage/upstream.ts";
import { handlerBy } from "../../stage/ways.ts";

type Answers = (request: Request) => Response | Promise<Response>;

/** A handler of one part of an app, whose upstream can be taken away. */
class Part {
  isDown = false;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  readonly answer: Answers = () => this.isDown ? down()() : new Response(this.#text);
}

const CALM: BreakerOptions = { threshold: 1_000, timeoutMs: Infinity };

/** Two parts of an app that share a breaker and a URL. */
const PAIRS: Readonly<
  Record<string, (api: Breaker, a: Answers, b: Answers) => [Answers, Answers]>
> = {
  "two wrapped handlers": (api, a, b) => [api.wrap(a), api.wrap(b)],
  "one handler wrapped twice": (api, a, b) => {
    const isA = { now: true };
    const handler: Answers = (request) => (isA.now ? a : b)(request);
    const [first, second] = [api.wrap(handler), api.wrap(handler)];
    const as = (ask: Answers, now: boolean): Answers => (request) => {
      isA.now = now;
      return ask(request);
    };
    return [as(first, true), as(second, false)];
  },
  "two keys of respond": (api, a, b) => [
    (request) => api.respond(request, a, { key: "a" }),
    (request) => api.respond(request, b, { key: "b" }),
  ],
  "respond with a key and without": (api, a, b) => [
    (request) => api.respond(request, a),
    (request) => api.respond(request, b, { key: "circuit" }),
  ],
  "keys of respond that look like places": (api, a, b) => [
    api.wrap(a),
    (request) => api.respond(request, b, { key: "wrap 1" }),
  ],
  "respond and wrap": (api, a, b) => [(request) => api.respond(request, a), api.wrap(b)],
  "two apps with a middleware each": (api, a, b) => [honoBy(api, a), honoBy(api, b)],
  "two middlewares in one app": (api, a, b) => {
    const app = new Hono();
    app.use("/page", (c, next) => c.req.header("x-part") === "b" ? next() : guardA(c, next));
    app.use("/page", (c, next) => c.req.header("x-part") === "b" ? guardB(c, next) : next());
    const [guardA, guardB] = [middleware(api), middleware(api)];
    app.all("*", (c) => (c.req.header("x-part") === "b" ? b : a)(c.req.raw));
    const as = (part: string): Answers => async (request) => {
      const own = new Request(request.url, { headers: { "x-part": part } });
      return await app.fetch(own);
    };
    return [as("a"), as("b")];
  },
  "a middleware and a wrapped handler": (api, a, b) => [honoBy(api, a), api.wrap(b)],
};

function honoBy(api: Breaker, answer: Answers): Answers {
  return handlerBy("hono", api, answer);
}

for (const [what, pair] of Object.entries(PAIRS)) {
  Deno.test(`K5: ${what}: neither gets what the other has made of the same URL`, async () => {
    const [a, b] = [new Part("a's"), new Part("b's")];
    const [askA, askB] = pair(breaker(CALM), a.answer, b.answer);
    const request = () => new Request(PAGE);
    await (await askA(request())).text();
    b.isDown = true;

    const withoutOwn = await askB(request());
    assertEquals([withoutOwn.status, await withoutOwn.text()], [503, "down"]);
    b.isDown = false;
    await (await askB(request())).text();
    a.isDown = b.isDown = true;
    const texts = [await (await askA(request())).text(), await (await askB(request())).text()];

    assertEquals(texts, ["a's", "b's"]);
  });

  Deno.test(`K5: ${what}: forgetting a URL forgets it for both`, async () => {
    const [a, b] = [new Part("a's"), new Part("b's")];
    const api = breaker(CALM);
    const [askA, askB] = pair(api, a.answer, b.answer);
    for (const ask of [askA, askB]) await (await ask(new Request(PAGE))).text();
    a.isDown = b.isDown = true;

    api.forget(PAGE);

    for (const ask of [askA, askB]) {
      assertEquals(await (await ask(new Request(PAGE))).text(), "down");
    }
  });
}

Deno.test("K5: the option key joins circuits, never memories", async () => {
  const [a, b] = [new Part("a's"), new Part("b's")];
  const api = breaker({ ...CALM, key: () => "one" });
  const [askA, askB] = [api.wrap(a.answer), api.wrap(b.answer)];
  await (await askA(new Request(PAGE))).text();
  b.isDown = true;

  assertEquals(await (await askB(new Request(PAGE))).text(), "down");
  assertEquals([...api.circuits()].map(([key]) => key), ["one"]);
});

/** A handler around `api.fetch` of the same URL: the page, made of the upstream's raw data. */
const AROUND: Readonly<Record<string, (api: Breaker, handler: Answers) => Answers>> = {
  "wrap": (api, handler) => api.wrap(handler),
  "respond": (api, handler) => (request) => api.respond(request, handler),
  "hono": honoBy,
};
for (const [way, around] of Object.entries(AROUND)) {
  Deno.test(`K5: ${way} around a fetch of the same URL: nobody gets the raw data for the page`, async () => {
    let isDown = false;
    let isBroken = false;
    const raw = () => Promise.resolve(isDown ? down()() : Response.json({ cost: 7 }));
    const api = breaker({ ...CALM, fetch: raw });
    const ask = around(api, async (request) => {
      if (isBroken) return down()();
      const data = await (await api.fetch(request.url)).json();
      return new Response(`price ${data.cost * 2}`);
    });

    const good = await (await ask(new Request(PAGE))).text();
    isDown = true;
    const fromRaw = await (await ask(new Request(PAGE))).text();
    isBroken = true;
    const fromPage = await (await ask(new Request(PAGE))).text();
    const data = await (await api.fetch(PAGE)).json();

    assertEquals([good, fromRaw, fromPage], ["price 14", "price 14", "price 14"]);
    assertEquals(data.cost, 7);
  });

  Deno.test(`K5, S17: ${way} around a fetch that may not be kept: the page is kept all the same`, async () => {
    let isDown = false;
    const raw = () =>
      Promise.resolve(new Response("7", { headers: { "cache-control": "private, no-store" } }));
    const api = breaker({ ...CALM, fetch: raw });
    const ask = around(api, async (request) => {
      if (isDown) return down()();
      return new Response(`price ${await (await api.fetch(request.url)).text()}`);
    });

    for (let n = 0; n < 2; n++) await (await ask(new Request(PAGE))).text();
    isDown = true;

    assertEquals(await (await ask(new Request(PAGE))).text(), "price 7");
  });
}

Deno.test("K5: mounted apps with one breaker: each page is its own app's", async () => {
  const api = breaker(CALM);
  let isDown = false;
  const appOf = (name: string) =>
    new Hono().use(middleware(api)).get(
      "/page",
      (c: Context) =>
        isDown ? c.text("down", 503) : c.text(`${name} ${new URL(c.req.url).pathname}`),
    );
  const app = new Hono();
  app.mount("/a", appOf("a").fetch);
  app.mount("/b", appOf("b").fetch);
  app.route("/c", appOf("c"));
  const read = async (path: string) => await (await app.request(path)).text();
  const live = [await read("/a/page"), await read("/b/page"), await read("/c/page")];
  isDown = true;

  const stale = [await read("/a/page"), await read("/b/page"), await read("/c/page")];

  assertEquals(live, ["a /page", "b /page", "c /c/page"]);
  assertEquals(stale, live);
});

Deno.test("K5: mounted apps in one another keep the page of the inner and the outer apart", async () => {
  const api = breaker(CALM);
  let isDown = false;
  const inner = new Hono().use(middleware(api)).get(
    "*",
    (c: Context) => isDown ? c.text("down", 503) : c.text("inner"),
  );
  const app = new Hono();
  app.use(middleware(api), async (c: Context, next) => {
    await next();
    if (c.res.status === 200) c.res = new Response(`outer ${await c.res.text()}`);
  });
  app.mount("/", inner.fetch, { replaceRequest: (request: Request) => request });
  const read = async () => await (await app.request(PAGE)).text();
  const live = await read();
  isDown = true;

  assertEquals([live, await read(), await read()], ["outer inner", "outer inner", "outer inner"]);
});
