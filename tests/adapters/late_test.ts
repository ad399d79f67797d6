import { assertEquals, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { signalOf } from "@lastgood/breaker";
import { Edge, PAGE } from "../stage/hono_stage.ts";
import { settled } from "../stage/settle.ts";

Deno.test("23: our timeout is a 504 if nothing is kept, and no error of the app", async () => {
  using time = new FakeTime();
  const edge = new Edge({}, { timeoutMs: 100 });
  edge.app.onError((error, c) => c.text(error.name, 500));
  edge.fail(() => new Promise(() => {}));

  const pending = edge.get();
  await time.tickAsync(100);
  const response = await pending;

  assertEquals([response.status, (await response.json()).title], [504, "Gateway Timeout"]);
  assertEquals(edge.types, ["failure"]);
});

Deno.test("H6: a handler that answers after our timeout does not change the stale answer", async () => {
  using time = new FakeTime();
  let leave = () => {};
  const edge = new Edge({
    outer: [async (_, next) => {
      await next();
      await new Promise<void>((resolve) => leave = resolve);
    }],
  }, { timeoutMs: 100 });
  const first = edge.read();
  await time.tickAsync(0);
  leave();
  await first;
  const arrivals = edge.hold();

  const pending = edge.get();
  await time.tickAsync(100);
  await settled();
  arrivals[0]!(new Response("late", { headers: { "x-late": "1" } }));
  await settled();
  leave();
  const response = await pending;
  await time.tickAsync(0);

  assertEquals([response.status, await response.text()], [200, "good"]);
  assertEquals(response.headers.get("x-late"), null);
});

for (const kept of [true, false]) {
  Deno.test(`H6: a handler that our timeout ends a few microtasks later does not change the ${kept ? "stale answer" : "504"}`, async () => {
    for (let turns = 0; turns < 12; turns++) {
      for (const inner of [0, 1, 3]) {
        using time = new FakeTime();
        const edge = new Edge({
          inner: Array(inner).fill(async (_: unknown, next: () => Promise<void>) => await next()),
        }, { timeoutMs: 100 });
        if (kept) await edge.read();
        edge.fail(async (c) => {
          const signal = signalOf(c.req.raw);
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          for (let turn = 0; turn < turns; turn++) await undefined;
          throw signal.reason;
        });

        const pending = edge.get();
        await time.tickAsync(100);
        const response = await pending;
        await response.text();

        assertEquals([turns, inner, response.status], [turns, inner, kept ? 200 : 504]);
      }
    }
  });
}

Deno.test("8: a client's abort is not counted, and ends with its own error", async () => {
  const edge = new Edge({}, { threshold: 1 });
  const reason = new Error("gone");
  const request = new Request(PAGE);
  Object.defineProperty(request, "signal", { value: AbortSignal.abort(reason) });
  edge.app.onError((error, c) => {
    assertStrictEquals(error, reason);
    return c.text("aborted", 499 as 400);
  });

  const response = await edge.app.request(request);

  assertEquals(response.status, 499);
  assertEquals(edge.calls, 0);
  assertEquals(edge.types, []);
});
