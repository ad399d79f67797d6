import { assertEquals, assertObjectMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { abortable, type Faucet, faucet } from "../stage/bodies.ts";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { only } from "../stage/events.ts";
import { settled } from "../stage/settle.ts";

const TIMED = { timeoutMs: 1_000, threshold: 1 };

for (const way of WAYS) {
  Deno.test(`11, 23: our timeout of ${way} is a failure: an error for fetch, a 504 for a server`, async () => {
    using time = new FakeTime();
    const act = stage(["hang"], TIMED, way);
    const asked = act.ask();
    await time.tickAsync(999);
    assertEquals(act.types, []);
    await time.tickAsync(1);

    if (way === "fetch") {
      const error = await assertRejects(() => asked, DOMException);
      assertEquals(error.name, "TimeoutError");
    } else {
      const { status, headers } = await asked;
      assertEquals([status, headers.get("content-type")], [504, "application/problem+json"]);
    }
    assertObjectMatch(only(act.events, "failure")[0]!, { cause: "timeout" });
    assertEquals(act.circuit.state, "open");
  });

  Deno.test(`11: ${way} serves the kept answer after our timeout, and Cache-Status says so`, async () => {
    using time = new FakeTime();
    const act = stage([{ body: "old" }, "hang"], TIMED, way);
    await act.text();
    const asked = act.ask();
    await time.tickAsync(1_000);

    const answer = await asked;

    assertEquals(await answer.text(), "old");
    assertEquals(answer.headers.get("cache-status"), "lastgood; fwd=stale; detail=timeout");
  });

  Deno.test(`11: the timeout of ${way} never aborts after the head has arrived`, async () => {
    using time = new FakeTime();
    let flow: Faucet | undefined;
    const script = (request: Request) => {
      flow = abortable(request.signal);
      return new Response(flow.body);
    };
    const act = stage([script], TIMED, way);
    const answer = await act.ask();
    await time.tickAsync(60_000);
    flow!.drip("whole");
    flow!.close();

    assertEquals(await answer.text(), "whole");
    // It stood still (promise 20).
    assertEquals(act.circuit.state, "open");
  });
}

for (const way of ["fetch", "respond"] as const) {
  Deno.test(`11: our timeout aborts ${way}'s call with the error that counts`, async () => {
    using time = new FakeTime();
    const act = stage(["hang"], TIMED, way);
    const asked = act.ask();
    asked.catch(() => {});
    await time.tickAsync(1_000);
    await settled();

    const { signal } = act.origin.requests[0]!;
    if (signal === undefined) return; // Vercel Edge has no signal.
    assertEquals(signal.aborted, true);
    assertStrictEquals(signal.reason, only(act.events, "failure")[0]?.error);
  });
}

Deno.test("11: an upstream that ignores its signal cannot delay our timeout", async () => {
  using time = new FakeTime();
  const fetch = () => new Promise<Response>(() => {});
  const act = stage([200], { ...TIMED, fetch });
  const asked = act.ask();
  await time.tickAsync(1_000);

  await assertRejects(() => asked, DOMException, "longer than 1000 ms");
});

Deno.test("11: our timeout does not ask the judge", async () => {
  using time = new FakeTime();
  const act = stage(["hang"], { ...TIMED, judge: () => "ignored" });
  const asked = act.ask();
  asked.catch(() => {});
  await time.tickAsync(1_000);
  await assertRejects(() => asked);

  assertEquals(act.circuit.state, "open");
});

Deno.test("F7: the body of a response that arrives after our timeout is cancelled", async () => {
  using time = new FakeTime();
  const flow = faucet();
  const late = deferred<Response>();
  const act = stage([() => late.promise], TIMED);
  const asked = act.ask();
  asked.catch(() => {});
  await time.tickAsync(1_000);
  await assertRejects(() => asked);
  late.resolve(new Response(flow.body));
  await settled();

  assertEquals(flow.cancelled.length, 1);
  assertEquals(act.types.filter((type) => type === "success" || type === "failure"), ["failure"]);
});

Deno.test("11: a call leaves no timer once its head has arrived", async () => {
  using time = new FakeTime();
  const act = stage([200, "reset"], { ...TIMED, timeoutMs: 1_000 });
  await act.text();
  await act.text();

  assertEquals(time.next(), false);
});
