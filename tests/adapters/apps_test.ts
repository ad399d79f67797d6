import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { breaker as makeBreaker, type BreakerEvent } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { upstream } from "@lastgood/breaker/testing";
import { Clock } from "../stage/clock.ts";
import { only, types } from "../stage/events.ts";
import { calm, down, Edge, PAGE, thrown, typesButKept } from "../stage/hono_stage.ts";
import { Upstream } from "../stage/upstream.ts";

const BASE = "http://edge.test";

async function text(app: Hono, path: string): Promise<string> {
  return await (await app.request(BASE + path)).text();
}

/** Options for a breaker whose clock stands still, and the events it emits. */
function quietly() {
  const events: BreakerEvent[] = [];
  return { events, options: calm(new Clock(), events) };
}

for (const [failure, answer] of Object.entries({ "returned 503": down, "thrown error": thrown })) {
  Deno.test(`30: app.route: a breaker in the app guards the routes of a sub-app, ${failure}`, async () => {
    const inner = new Upstream<Context>((c) => c.text("good"));
    const { options, events } = quietly();
    const app = new Hono();
    app.use("/api/*", breaker(options));
    app.route("/api", new Hono().get("/items", inner.reply));
    app.onError((_, c) => c.text("app", 500));
    const good = await text(app, "/api/items");
    inner.answer = answer;

    assertEquals([good, await text(app, "/api/items")], ["good", "good"]);
    assertEquals(events.at(-1)?.type, "stale");
  });

  Deno.test(`30: app.route: a breaker in a sub-app with its own onError, ${failure}`, async () => {
    const inner = new Upstream<Context>((c) => c.text("good"));
    const { options } = quietly();
    const sub = new Hono();
    sub.use(breaker(options));
    sub.get("/items", inner.reply);
    sub.get("/other", inner.reply);
    sub.onError((error, c) => c.text(`sub: ${error.message}`, 500));
    const app = new Hono();
    app.onError((error, c) => c.text(`app: ${error.message}`, 500));
    app.route("/api", sub);
    const good = await text(app, "/api/items");
    inner.answer = answer;

    assertEquals([good, await text(app, "/api/items")], ["good", "good"]);
    const other = answer === thrown ? "sub: thrown" : "down";
    assertEquals(await text(app, "/api/other"), other);
  });

  Deno.test(`30: app.mount: a breaker guards a foreign app, ${failure}`, async () => {
    const { options } = quietly();
    let answer: () => Response = () => new Response("good");
    const app = new Hono();
    app.use("/legacy/*", breaker(options));
    app.mount("/legacy", () => answer());
    app.onError((_, c) => c.text("app", 500));
    const good = await text(app, "/legacy/items");
    answer = failure === "thrown error" ? thrown : () => new Response("down", { status: 503 });

    assertEquals([good, await text(app, "/legacy/items")], ["good", "good"]);
  });

  Deno.test(`30: nested breakers: an answer that the inner one replaced is a success to the outer one, ${failure}`, async () => {
    const outer = quietly();
    const edge = new Edge({ outer: [breaker(outer.options)] });
    await edge.read();
    edge.fail(answer);

    assertEquals(await edge.read(), "good");
    assertEquals(edge.types, ["success", "failure", "stale"]);
    assertEquals(typesButKept(outer.events), ["success", "success"]);
  });

  Deno.test(`30: nested breakers: an answer that the inner one cannot replace is a failure to both, ${failure}`, async () => {
    const outer = quietly();
    const edge = new Edge({ outer: [breaker(outer.options)] });
    edge.fail(answer);

    const response = await edge.get();

    assertEquals(response.status, answer === thrown ? 500 : 503);
    await response.text();
    assertEquals(edge.types, ["failure"]);
    assertEquals(types(outer.events), ["failure"]);
  });

  Deno.test(`H3: nested breakers: the outer one answers when the inner one keeps nothing, ${failure}`, async () => {
    const outer = quietly();
    const edge = new Edge({ outer: [breaker(outer.options)] }, { lastGood: false });
    await edge.read();
    edge.fail(answer);

    const response = await edge.get();

    assertEquals(await response.text(), "good");
    assertEquals(
      response.headers.get("cache-status"),
      answer === thrown
        ? "lastgood; fwd=stale; detail=origin-error"
        : "lastgood; fwd=stale; fwd-status=503; detail=origin-error",
    );
  });
}

Deno.test("30: nested breakers: a second error in the same request is another failure", async () => {
  const outer = quietly();
  const edge = new Edge({
    outer: [breaker(outer.options), async (_, next) => {
      await next();
      if (edge.calls > 1) throw new Error("second");
    }],
  });
  await edge.read();
  edge.fail(thrown);

  assertEquals(await edge.read(), "good");
  assertEquals(only(outer.events, "failure").length, 1);
});

Deno.test("27: middleware and fetch can share one breaker", async () => {
  const { options, events } = quietly();
  const origin = upstream([{ body: "from upstream" }, 500]);
  const api = makeBreaker({ ...options, fetch: origin });
  const app = new Hono();
  app.use(breaker(api));
  app.get("*", async () => {
    const { body, status } = await api.fetch("https://origin.test/items");
    return new Response(body, { status });
  });

  assertEquals([await text(app, "/items"), await text(app, "/items")], [
    "from upstream",
    "from upstream",
  ]);

  const keys = [...api.circuits()].map(([key]) => key).sort();
  assertEquals(keys, ["hono-1", "https://origin.test"]);
  assertEquals(only(events, "stale").map(({ circuit }) => circuit), [
    "https://origin.test",
  ]);
  await api.idle();
});

Deno.test("27: each middleware made from one breaker has its own circuit", async () => {
  const { options } = quietly();
  const api = makeBreaker({ ...options, threshold: 1, lastGood: false });
  const app = new Hono();
  app.use("/a/*", breaker(api));
  app.use("/b/*", breaker(api));
  app.get("/a/*", (c) => c.text("down", 500));
  app.get("/b/*", (c) => c.text("good"));

  assertEquals([await text(app, "/a/"), await text(app, "/b/")], ["down", "good"]);
  assertEquals((await app.request(`${BASE}/a/`)).status, 503);
  assertEquals([...api.circuits()].map(([key, { state }]) => [key, state]).sort(), [
    ["hono-1", "open"],
    ["hono-2", "closed"],
  ]);
});

Deno.test("16: one options object makes independent middlewares", async () => {
  const { options } = quietly();
  const shared = Object.freeze({ ...options, threshold: 1 });
  const app = new Hono();
  app.use("/a/*", breaker(shared));
  app.use("/b/*", breaker(shared));
  app.get("/a/*", (c) => c.text("down", 500));
  app.get("/b/*", (c) => c.text("good"));
  await text(app, "/a/");

  assertEquals((await app.request(`${BASE}/a/`)).status, 503);
  assertEquals(await text(app, "/b/"), "good");
});

Deno.test("27: the key option chooses the circuit for each request", async () => {
  const { options } = quietly();
  const api = makeBreaker({ ...options, key: (request) => new URL(request.url).pathname });
  const app = new Hono();
  app.use(breaker(api));
  app.get("*", (c) => c.text("good"));

  await text(app, "/a");
  await text(app, "/b");

  assertEquals([...api.circuits()].map(([key]) => key).sort(), ["/a", "/b"]);
});

Deno.test("29: the request body reaches the handler unread", async () => {
  const edge = new Edge();
  let raw: Request | undefined;
  edge.answer = async (c) => {
    raw = c.req.raw;
    return c.text(await c.req.text());
  };
  const request = new Request(PAGE, { method: "POST", body: "sent" });

  const response = await edge.app.request(request);

  assertEquals(await response.text(), "sent");
  assertStrictEquals(raw, request);
});

Deno.test("F2: a POST is never answered from memory, but refused", async () => {
  const edge = new Edge({}, { threshold: 1 });
  await edge.read();
  edge.fail(() => {
    throw new HTTPException(502);
  });

  const failed = await edge.get({ method: "POST", body: "x" });
  const refused = await edge.get({ method: "POST", body: "x" });

  assertEquals([failed.status, refused.status], [502, 503]);
  assertEquals(refused.headers.get("retry-after"), "1");
  await failed.text();
  await refused.text();
});
