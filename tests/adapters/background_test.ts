import { assertEquals, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { types } from "../stage/events.ts";
import { Edge, PAGE, thrown } from "../stage/hono_stage.ts";
import { settled } from "../stage/settle.ts";

/** An ExecutionContext that records the work it is given. */
function executionContext() {
  const work: Promise<unknown>[] = [];
  return {
    work,
    waitUntil: (promise: Promise<unknown>) => void work.push(promise),
    passThroughOnException: () => {},
    props: {},
  };
}

Deno.test("24: in Hono one caller becomes the probe, and all others get the kept response at once", async () => {
  const edge = new Edge({}, { threshold: 1 });
  await edge.read();
  edge.fail(thrown);
  await edge.read();
  edge.clock.tick(1_000);
  const waiting = edge.hold();

  const probe = edge.get();
  await settled();
  const others = await Promise.all(Array.from({ length: 20 }, () => edge.get()));

  assertEquals(waiting.length, 1);
  for (const other of others) {
    assertEquals(other.headers.get("cache-status"), "lastgood; hit; detail=probing");
    assertEquals(await other.text(), "good");
  }
  waiting[0]!(new Response("new"));
  const response = await probe;
  assertEquals([await response.text(), response.headers.get("age")], ["new", null]);
  assertEquals(edge.types.at(-1), "state");
});

Deno.test("24: in Hono the caller is the probe even where work can outlive the answer", async () => {
  const edge = new Edge({}, { threshold: 1 });
  await edge.read();
  edge.fail(thrown);
  await edge.read();
  edge.clock.tick(1_000);
  edge.answer = (c) => c.text("new");
  const context = executionContext();

  const response = await edge.app.request(PAGE, {}, {}, context);

  assertEquals(await response.text(), "new");
});

Deno.test("24: a probe that fails serves the kept response and reopens the circuit", async () => {
  const edge = new Edge({}, { threshold: 1 });
  await edge.read();
  edge.fail(thrown);
  await edge.read();
  edge.clock.tick(1_000);

  const response = await edge.get();

  assertEquals(await response.text(), "good");
  assertEquals(edge.types.slice(-4), ["probe", "failure", "state", "stale"]);
});

Deno.test("25: in Hono patienceMs has no effect: the caller waits for the handler", async () => {
  using time = new FakeTime();
  const edge = new Edge({}, { lastGood: { patienceMs: 10, maxBodyMs: Infinity } });
  const first = edge.read();
  await time.tickAsync(0);
  assertEquals(await first, "good");
  const waiting = edge.hold();

  const pending = edge.read();
  await time.tickAsync(60_000);
  waiting[0]!(new Response("slow"));
  await time.tickAsync(0);

  assertEquals(await pending, "slow");
});

Deno.test("33: keeping in the background is given to executionCtx.waitUntil", async () => {
  const edge = new Edge();
  const context = executionContext();

  const response = await edge.app.request(PAGE, {}, {}, context);
  const given = context.work.length;
  await response.text();
  await Promise.all(context.work);

  assertEquals(given, 1);
  assertEquals(types(edge.events), ["success", "kept"]);
});

Deno.test("33: everything works without executionCtx, too", async () => {
  const edge = new Edge();
  await edge.read();
  edge.fail();

  assertEquals(await edge.read(), "good");
  assertEquals(edge.types, ["success", "failure", "stale"]);
});

Deno.test("33: the waitUntil option takes precedence over executionCtx", async () => {
  const given: unknown[] = [];
  const edge = new Edge({}, { waitUntil: (work) => void given.push(work) });
  const context = executionContext();

  await (await edge.app.request(PAGE, {}, {}, context)).text();

  assertEquals([given.length, context.work.length], [1, 0]);
});

Deno.test("9: an executionCtx that throws does not affect the answer", async () => {
  const edge = new Edge();
  const context = {
    ...executionContext(),
    waitUntil: () => {
      throw new Error("too late");
    },
  };

  const response = await edge.app.request(PAGE, {}, {}, context);

  assertEquals(await response.text(), "good");
  assertEquals(edge.types.toSorted(), ["error", "success"]);
});

Deno.test("S1: HEAD is answered from a kept GET, without the body", async () => {
  const edge = new Edge();
  await edge.read();
  edge.fail();

  const response = await edge.get({ method: "HEAD" });

  assertEquals([response.status, await response.text()], [200, ""]);
  assertEquals(response.headers.get("content-length"), "4");
  assertEquals(response.headers.get("age"), "0");
});

Deno.test("S1: HEAD is not kept", async () => {
  const edge = new Edge();
  await (await edge.get({ method: "HEAD" })).text();
  edge.fail();

  assertEquals(await edge.read(), "down");
  assertEquals(edge.notKept[0], "method");
});

Deno.test("H8: an answer with an odd status passes through as the same object", async () => {
  const odd = Object.defineProperty(new Response(null), "status", { value: 101 });
  let seen: Response | undefined;
  const edge = new Edge({
    outer: [async (c, next) => {
      c.header("x-outer", "1");
      await next();
      seen = c.res;
    }],
  });
  edge.answer = () => odd;

  await edge.get();

  assertStrictEquals(seen, odd);
});
