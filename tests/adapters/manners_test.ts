/** What is Hono's and the app's stays so. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Hono, type MiddlewareHandler } from "hono";
import type { Breaker } from "@lastgood/breaker";
import { breaker as makeBreaker } from "@lastgood/breaker";
import { breaker, type HonoContextLike } from "@lastgood/breaker/hono";
import { Clock } from "../stage/clock.ts";
import { only, types } from "../stage/events.ts";
import { calm, Edge, PAGE, sets, thrown } from "../stage/hono_stage.ts";
import { settled } from "../stage/settle.ts";

const KEEPING = { "lastGood": { maxBodyMs: Infinity }, "lastGood: false": false } as const;

/** The message of plain Hono for a chain that ends without an answer. */
async function plainMessage(): Promise<string> {
  const app = new Hono().use(sets("c.header", () => ({})), () => Promise.resolve());
  app.onError((error, c) => c.text(error.message, 500));
  return await (await app.request(PAGE)).text();
}

for (const [keeping, lastGood] of Object.entries(KEEPING)) {
  for (const how of ["nothing", "c.header", "c.res"] as const) {
    Deno.test(`30: Hono's own message about a chain without an answer stays, ${how} set outside, ${keeping}`, async () => {
      const outer = how === "nothing" ? [] : [sets(how, () => ({ "x-outer": "1" }))];
      const edge = new Edge({ outer, inner: [() => Promise.resolve()] }, {
        lastGood,
        threshold: 1,
      });
      edge.app.onError((error, c) => c.text(error.message, 500));

      const failed = await edge.get();
      const refused = await edge.get();

      assertEquals([failed.status, await failed.text()], [500, await plainMessage()]);
      assertEquals(failed.headers.get("x-outer"), how === "nothing" ? null : "1");
      assertEquals(refused.status, 503);
      await refused.text();
    });
  }

  Deno.test(`30: fields that an inner middleware sets by c.header without an answer stay, ${keeping}`, async () => {
    const setting: MiddlewareHandler = (c) => Promise.resolve(c.header("x-inner", "1"));
    const edge = new Edge({ inner: [setting] }, { lastGood });

    const response = await edge.get();

    assertEquals([response.status, response.headers.get("x-inner")], [500, "1"]);
    await response.text();
  });

  Deno.test(`34: an answer that was sent already passes as the same object, ${keeping}`, async () => {
    const sent = new Response(null, { headers: { "x-hono-already-sent": "true" } });
    let seen: Response | undefined;
    const edge = new Edge({
      outer: [async (c, next) => {
        c.res.headers.set("x-outer", "1");
        await next();
        seen = c.res;
      }],
    }, { lastGood });
    edge.answer = () => sent;

    await edge.get();

    assertEquals(seen!.headers.get("x-hono-already-sent"), "true");
    if (lastGood !== false) assertStrictEquals(seen, sent);
  });

  Deno.test(`36: a client who has left gets an empty 499, and onError hears nothing, ${keeping}`, async () => {
    const edge = new Edge({}, { lastGood });
    const heard: Error[] = [];
    edge.app.onError((error, c) => (heard.push(error), c.text("error", 500)));
    const controller = new AbortController();
    const arrivals = edge.hold();

    const before = await edge.app.request(leaving(AbortSignal.abort(new Error("gone"))));
    const pending = edge.app.request(leaving(controller.signal));
    await settled();
    controller.abort(new Error("gone"));
    const response = await pending;
    arrivals[0]!(new Response("late"));
    await settled();

    for (const answer of [before, response]) {
      assertEquals([answer.status, await answer.text()], [499, ""]);
    }
    assertEquals([heard, edge.types], [[], ["ignored"]]);
  });

  Deno.test(`36: what a handler has given to a client who left stands, ${keeping}`, async () => {
    const controller = new AbortController();
    let leave = () => {};
    const edge = new Edge({
      outer: [sets("c.header", () => ({ "x-outer": "1" }))],
      inner: [async (_, next) => {
        await next();
        await new Promise<void>((resolve) => leave = resolve);
      }],
    }, { lastGood });
    edge.answer = (c) => c.text("given", 201);

    const pending = edge.app.request(leaving(controller.signal));
    await settled();
    controller.abort(new Error("gone"));
    const response = await pending;
    leave();

    assertEquals([response.status, await response.text()], [201, "given"]);
    assertEquals(response.headers.get("x-outer"), "1");
  });

  Deno.test(`H6: a handler that throws after our timeout does not change the answer, ${keeping}`, async () => {
    using time = new FakeTime();
    let leave = () => {};
    const edge = new Edge({
      outer: [async (_, next) => {
        await next();
        await new Promise<void>((resolve) => leave = resolve);
      }],
    }, { timeoutMs: 100, lastGood });
    edge.app.onError((error, c) => c.text(error.message, 500));
    let fail = (_: Error) => {};
    edge.fail(() => new Promise((_, reject) => fail = reject));

    const pending = edge.get();
    await time.tickAsync(100);
    await settled();
    fail(new Error("late"));
    await settled();
    leave();
    const response = await pending;

    assertEquals([response.status, (await response.json()).title], [504, "Gateway Timeout"]);
  });
}

/** A request of a client who leaves; not every runtime hands a signal on to a Request. */
function leaving(signal: AbortSignal): Request {
  return Object.defineProperty(new Request(PAGE), "signal", { value: signal });
}

/** What middleware of another copy of the package leaves behind: only this is common to all copies. */
const REPLACED = Symbol.for("@lastgood/breaker/replaced");

Deno.test("30: an error that a breaker of another copy has replaced is no failure", async () => {
  const edge = new Edge({
    inner: [async (c, next) => {
      await next();
      (c as { [REPLACED]?: unknown })[REPLACED] = c.error;
      c.res = undefined;
      c.res = new Response("replaced");
    }],
  });
  edge.fail(thrown);

  assertEquals(await edge.read(), "replaced");
  assertEquals(edge.types, ["success"]);
});

Deno.test("30: breakers leave a mark for those of other copies", async () => {
  let mark: unknown;
  const edge = new Edge({
    outer: [async (c, next) => {
      await next();
      mark = (c as { [REPLACED]?: unknown })[REPLACED];
    }],
  });
  await edge.read();
  assertEquals(mark, undefined);
  edge.fail(thrown);
  await edge.read();

  assertEquals((mark as Error).message, "thrown");
});

Deno.test("31: a refusal of an inner breaker does not count, with fields set between them, either", async () => {
  const events: Parameters<typeof calm>[1] = [];
  const edge = new Edge({
    outer: [
      breaker({ ...calm(new Clock(), events), threshold: 2, lastGood: false }),
      sets("c.res", () => ({ "x-between": "1" })),
    ],
  }, { threshold: 1, lastGood: false });
  edge.fail();
  for (let call = 0; call < 4; call++) await edge.read();

  assertEquals(types(events), ["failure", "ignored", "ignored", "ignored"]);
  assertEquals(only(events, "ignored").map(({ why }) => why), ["inner", "inner", "inner"]);
});

Deno.test("30: a second middleware of one breaker has its own circuit", async () => {
  const api = makeBreaker({ ...calm(new Clock(), []), lastGood: false });
  const app = new Hono().use(breaker(api), breaker(api)).get("*", (c) => c.text("good"));

  await (await app.request(PAGE)).text();

  assertEquals([...api.circuits()].map(([key]) => key).sort(), ["hono-1", "hono-2"]);
});

Deno.test("30: a test double with respond is a breaker", async () => {
  const double = {
    respond: (request: Request, produce: (request: Request) => Promise<Response>) =>
      produce(request).then(async (it) => new Response(`double ${await it.text()}`)),
  } as unknown as Breaker;
  const middleware = breaker(double);
  const app = new Hono().use(middleware).get("*", (c) => c.text("good"));

  assertEquals(await (await app.request(PAGE)).text(), "double good");
  assertStrictEquals(middleware.breaker, double);
});

Deno.test("30: the middleware hands nothing to Hono but the context's answer", async () => {
  const c = {
    req: { raw: new Request(PAGE) },
    res: new Response("own"),
    error: undefined,
    finalized: true,
    executionCtx: { waitUntil() {} },
    newResponse: () => new Response(null),
  } satisfies HonoContextLike;

  const given: void = await breaker({ timeoutMs: Infinity })(c, () => Promise.resolve());

  assertEquals(given, undefined);
});

Deno.test("34: a reason that no constructor takes passes with the answer", async () => {
  const odd = new Response("good", { headers: { "x-own": "1" } });
  Object.defineProperty(odd, "statusText", { value: "成功" });
  const edge = new Edge({ outer: [sets("c.res", () => ({ "x-outer": "1" }))] }, {
    lastGood: { key: () => undefined },
  });
  edge.answer = () => odd;

  const response = await edge.get();

  assertEquals([response.status, await response.text()], [200, "good"]);
  assertEquals(edge.types, ["success"]);
});

Deno.test("34: a mock of a response passes as the same object", async () => {
  for (const outer of [[], [sets("c.header", () => ({ "x-outer": "1" }))]]) {
    const mock = { status: 200, json: () => Promise.resolve({ id: 1 }) };
    let seen: unknown;
    const edge = new Edge({
      outer: [...outer, async (c, next) => {
        await next();
        seen = c.res;
      }],
    });
    edge.answer = () => mock as never;

    await edge.get();

    assertEquals(seen === mock, true);
    assertEquals(edge.types, ["success"]);
  }
});
