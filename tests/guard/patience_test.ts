import { assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import type { BreakerOptions } from "@lastgood/breaker";
import type { ScriptedAnswer } from "@lastgood/breaker/testing";
import { abortable, type Faucet } from "../stage/bodies.ts";
import { ORIGIN, stage, waiting, WAYS } from "../stage/breaker_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { only } from "../stage/events.ts";
import { stopping } from "../stage/hosting.ts";
import { settled, standing } from "../stage/settle.ts";
import { requestWith, type Way } from "../stage/ways.ts";

const SLOW = "lastgood; fwd=stale; detail=slow";

/** Sets a stage in fake time that has kept "old" and waits 100 ms at most. */
async function impatient(
  script: readonly ScriptedAnswer[],
  options: BreakerOptions = {},
  way: Way = "fetch",
) {
  const { works, waitUntil } = waiting();
  const act = stage([{ body: "old" }, ...script], {
    now: () => Date.now(),
    lastGood: { patienceMs: 100, refreshMs: 0 },
    waitUntil,
    threshold: 1,
    ...options,
  }, way);
  await act.text();
  return Object.assign(act, { works });
}

for (const way of WAYS) {
  Deno.test(`25: ${way} serves the kept answer if the upstream takes longer`, async () => {
    using time = new FakeTime();
    const act = await impatient([{ body: "new", delayMs: 300 }, 500], {}, way);
    const asked = act.ask();
    await time.tickAsync(99);
    assertEquals(await standing(asked), "pending");
    await time.tickAsync(1);

    const answer = await asked;

    assertEquals([await answer.text(), answer.headers.get("cache-status")], ["old", SLOW]);
    await time.tickAsync(200);
    await Promise.all(act.works);
    assertEquals(only(act.events, "success").length, 2);
    assertEquals(await act.text(), "new");
  });

  Deno.test(`25: while a slow call of ${way} goes on, further callers get the kept answer at once`, async () => {
    using time = new FakeTime();
    const act = await impatient([{ body: "new", delayMs: 300 }, { body: "newer" }], {}, way);
    const asked = act.text();
    await time.tickAsync(100);
    await asked;

    const next = await act.ask();

    assertEquals([await next.text(), next.headers.get("cache-status")], ["old", SLOW]);
    assertEquals(act.origin.calls, 2);
    await time.tickAsync(200);
    await Promise.all(act.works);
    assertEquals([await act.text(), act.origin.calls], ["newer", 3]);
  });

  Deno.test(`25: with no patience at all, ${way} serves the kept answer and calls in the background`, async () => {
    using time = new FakeTime();
    const lastGood = { patienceMs: 0, refreshMs: 0 };
    const act = await impatient([{ body: "new", delayMs: 5 }], { lastGood }, way);

    const texts = [await act.text(), await act.text(), await act.text()];

    assertEquals([texts, act.origin.calls], [["old", "old", "old"], 2]);
    await time.tickAsync(5);
    await Promise.all(act.works);
    assertEquals(await act.text(), "new");
    await time.runAllAsync();
  });

  Deno.test(`25: a slow call of ${way} that died with its host holds no copy for longer than a lease`, async () => {
    using time = new FakeTime();
    const act = await impatient(["hang", { body: "new" }], { probeTimeoutMs: 1_000 }, way);
    const asked = act.text();
    await time.tickAsync(100);
    await asked;
    await time.tickAsync(999);
    assertEquals([await act.text(), act.origin.calls], ["old", 2]);
    await time.tickAsync(1);

    assertEquals([await act.text(), act.origin.calls], ["new", 3]);
  });

  Deno.test(`25: a slow call of ${way} that has failed is waited for no longer`, async () => {
    using time = new FakeTime();
    const lastGood = { patienceMs: 100, refreshMs: 0, freshMs: 1 };
    const script = [{ status: 500, delayMs: 300 }, { body: "new" }];
    const act = await impatient(script, { lastGood, threshold: 2 }, way);
    await time.tickAsync(1);
    const asked = act.text();
    await time.tickAsync(300);
    await Promise.all([asked, ...act.works]);

    assertEquals([await act.text(), act.origin.calls], ["new", 3]);
  });

  Deno.test(`25, H3: once the circuit of ${way} is open, a slow call that goes on is no reason any more`, async () => {
    using time = new FakeTime();
    const act = await impatient([{ body: "new", delayMs: 300 }], {}, way);
    const asked = act.text();
    await time.tickAsync(100);
    await asked;
    act.circuit.trip();

    const refused = await act.ask();

    const status = refused.headers.get("cache-status");
    assertEquals([await refused.text(), status], ["old", "lastgood; hit; detail=circuit-open"]);
    await time.tickAsync(200);
    await Promise.all(act.works);
  });

  Deno.test(`25: on ${way} a slow call that fails in the background counts`, async () => {
    using time = new FakeTime();
    const act = await impatient([{ status: 500, delayMs: 300 }], {}, way);
    const asked = act.text();
    await time.tickAsync(100);
    assertEquals([await asked, act.circuit.state], ["old", "closed"]);
    await time.tickAsync(200);
    await Promise.all(act.works);

    assertEquals(act.circuit.state, "open");
  });

  Deno.test(`11: a caller of ${way} cannot abort the call after an answer from memory`, async () => {
    using time = new FakeTime();
    const caller = new AbortController();
    const head = deferred();
    let flow: Faucet | undefined;
    const slow = async (request: Request) => {
      await head.promise;
      flow = abortable(request.signal);
      return new Response(flow.body);
    };
    const act = await impatient([slow, 500], {}, way);
    const asked = act.text({ signal: caller.signal });
    await time.tickAsync(100);
    assertEquals(await asked, "old");

    caller.abort(new Error("gone"));
    head.resolve();
    await settled();
    flow!.drip("new");
    flow!.close();
    await Promise.all(act.works);

    assertEquals(act.circuit.state, "closed");
    assertEquals(only(act.events, "ignored"), []);
    assertEquals(await act.text(), "new");
  });

  Deno.test(`11, 36: a caller of ${way} who is still waiting can abort, and gets nothing that is kept`, async () => {
    using time = new FakeTime();
    const caller = new AbortController();
    const act = await impatient([{ body: "new", delayMs: 300 }], {}, way);
    const asked = act.ask({ signal: caller.signal });
    const reason = new Error("gone");
    await time.tickAsync(50);
    caller.abort(reason);

    const got = await asked.then(({ status }) => status, (error) => error);

    assertEquals(got, way === "fetch" ? reason : 499);
    assertEquals(act.types.includes("stale"), false);
    await time.runAllAsync();
  });
}

Deno.test("11: a caller who got the live answer can still abort its body", async () => {
  using time = new FakeTime();
  const caller = new AbortController();
  let signal: AbortSignal | undefined;
  const act = await impatient([() => new Response(abortable(signal).body)], {}, "respond");
  const request = requestWith(`${ORIGIN}/`, {}, caller.signal);
  const answer = await act.api.respond(request, (request, given) => {
    signal = given;
    return act.origin(request.url);
  });
  await time.tickAsync(500);
  const reason = new Error("gone");
  caller.abort(reason);

  assertEquals(await assertRejects(() => answer.text()), reason);
});

Deno.test("25: our timeout applies to the background call, and counts", async () => {
  using time = new FakeTime();
  const act = await impatient(["hang"], { timeoutMs: 1_000 });
  const asked = act.text();
  await time.tickAsync(100);
  assertEquals(await asked, "old");
  await time.tickAsync(900);
  await Promise.all(act.works);

  assertEquals(act.circuit.state, "open");
});

Deno.test("25: a call that fails within patienceMs is answered like any failed call", async () => {
  using time = new FakeTime();
  const act = await impatient([{ status: 503, delayMs: 50 }]);
  const asked = act.ask();
  await time.tickAsync(50);

  const cacheStatus = (await asked).headers.get("cache-status");

  assertEquals(cacheStatus, "lastgood; fwd=stale; fwd-status=503; detail=origin-error");
});

Deno.test("25: if nothing is kept, the caller waits for a slow call", async () => {
  using time = new FakeTime();
  const act = await impatient([{ body: "new", delayMs: 300 }]);
  const asked = act.text({ path: "/other" });
  await time.tickAsync(300);

  assertEquals(await asked, "new");
});

Deno.test("25: if work cannot outlive the answer, the caller waits for a slow call", async () => {
  using time = new FakeTime();
  using _ = stopping();
  const act = stage([{ body: "old" }, { body: "new", delayMs: 300 }], {
    lastGood: { patienceMs: 100 },
  });
  await act.text();
  const asked = act.text();
  await time.tickAsync(300);

  assertEquals(await asked, "new");
});

Deno.test("25: the caller does not wait for a probe that takes longer than patienceMs", async () => {
  using time = new FakeTime();
  const act = await impatient([500, { body: "new", delayMs: 300 }]);
  await act.text();
  await time.tickAsync(1_000);

  assertEquals(await act.text(), "old");

  await time.tickAsync(300);
  await Promise.all(act.works);
  await settled();
  assertEquals(act.circuit.state, "closed");
});

Deno.test("25: an answer in time leaves no timer", async () => {
  using time = new FakeTime();
  const act = await impatient([{ body: "new", delayMs: 10 }]);
  const asked = act.text();

  await time.tickAsync(10);

  assertEquals(await asked, "new");
  assertEquals(time.next(), false);
});

Deno.test("25: with nothing to serve, patienceMs makes no timer", async () => {
  using time = new FakeTime();
  const held = deferred<Response>();
  const act = await impatient([() => held.promise]);

  const asked = act.text({ path: "/not-kept" });

  await settled();
  assertEquals(time.next(), false);
  held.resolve(new Response("new"));
  assertEquals(await asked, "new");
});
