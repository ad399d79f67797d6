import { assertEquals, assertInstanceOf, assertObjectMatch, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { CircuitOpenError } from "@lastgood/breaker";
import { ORIGIN, stage } from "../stage/breaker_stage.ts";

const EDGE = "http://edge.test/";

Deno.test("a handler may fetch through the breaker that wraps it", async () => {
  const act = stage([{ body: "old" }, 500], { threshold: 1, delayMs: 1_000 });
  const handler = act.api.wrap(() => act.api.fetch(`${ORIGIN}/`));
  const text = async () => await (await handler(new Request(EDGE))).text();

  assertEquals([await text(), await text(), await text()], ["old", "old", "old"]);

  const states = [...act.api.circuits()].map(([name, { state }]) => `${name} ${state}`);
  assertEquals(states, ["circuit closed", `${ORIGIN} open`]);
  assertEquals(act.origin.calls, 2);
});

Deno.test("31: an inner refusal is no failure of the outer handler, and passes with its own error", async () => {
  const act = stage([500], { threshold: 1, lastGood: false });
  const handler = act.api.wrap(() => act.api.fetch(`${ORIGIN}/`));
  act.api.circuit(ORIGIN).trip();

  const error = await Promise.resolve(handler(new Request(EDGE))).catch((it) => it);

  assertInstanceOf(error, CircuitOpenError);
  assertEquals([error.circuit, act.api.circuit("circuit").state], [ORIGIN, "closed"]);
  assertObjectMatch(act.events.at(-1)!, { type: "ignored", cause: "inner", why: "inner" });
});

Deno.test("31: the answer of an inner circuit that refuses is no failure of the outer one", async () => {
  const inner = stage([200], { threshold: 1, lastGood: false });
  const outer = stage([200], { threshold: 1 });
  let isInnerUsed = false;
  const guarded = inner.api.wrap(() => new Response("inner"));
  const handler = outer.api.wrap((request: Request) =>
    isInnerUsed ? guarded(request) : new Response("good")
  );
  await (await handler(new Request(EDGE))).text();
  isInnerUsed = true;
  inner.api.circuit("circuit").trip();

  const kept = await handler(new Request(EDGE));
  const refused = await handler(new Request(`${EDGE}other`));

  assertEquals([await kept.text(), refused.status], ["good", 503]);
  assertEquals(outer.circuit.state, "closed");
  assertObjectMatch(outer.events.at(-1)!, { type: "ignored", cause: "inner", why: "inner" });
});

Deno.test("the outer breaker serves what it kept when the inner one refuses", async () => {
  const inner = stage([{ body: "inner" }, 500], { threshold: 1, lastGood: false });
  const outer = stage([200], { threshold: 9 });
  const handler = outer.api.wrap(() => inner.api.fetch(`${ORIGIN}/`));
  const text = async () => await (await handler(new Request(EDGE))).text();

  assertEquals([await text(), await text(), await text()], ["inner", "inner", "inner"]);
  assertEquals([inner.origin.calls, inner.circuit.state, outer.circuit.state], [
    2,
    "open",
    "closed",
  ]);
});

Deno.test("a handler may be wrapped twice", async () => {
  const act = stage([{ body: "good" }, 500], { threshold: 1 });
  const handler = act.api.wrap(act.api.wrap((request) => act.origin(request.url)));
  const text = async () => await (await handler(new Request(EDGE))).text();

  assertEquals([await text(), await text(), await text()], ["good", "good", "good"]);
});

Deno.test("11: each of two nested breakers aborts its own call", async () => {
  using time = new FakeTime();
  const inner = stage(["hang"], { timeoutMs: 500, threshold: 1 });
  const outer = stage([200], { timeoutMs: 1_000, threshold: 1 });
  const asked = outer.api.respond(
    new Request(EDGE),
    (_, signal) => inner.api.fetch(`${ORIGIN}/`, { signal }),
  );
  asked.catch(() => {});
  await time.tickAsync(500);
  await assertRejects(() => asked, DOMException, "longer than 500 ms");

  assertEquals(inner.circuit.state, "open");
});

Deno.test("8: an outer timeout is a deadline to the inner call, and both count", async () => {
  using time = new FakeTime();
  const inner = stage(["hang"], { timeoutMs: 5_000, threshold: 1 });
  const outer = stage([200], { timeoutMs: 1_000, threshold: 1 });
  const asked = outer.api.respond(
    new Request(EDGE),
    (_, signal) => inner.api.fetch(`${ORIGIN}/`, { signal }),
  );
  await time.tickAsync(1_000);

  assertEquals((await asked).status, 504);
  assertEquals([inner.circuit.state, outer.circuit.state], ["open", "open"]);
});
