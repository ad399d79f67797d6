import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { faucet } from "../stage/bodies.ts";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { settled } from "../stage/settle.ts";
import { listening } from "../stage/stray.ts";

for (const way of WAYS) {
  Deno.test(`a call that fails after our timeout leaves no unhandled rejection on ${way}`, async () => {
    using stray = listening();
    using time = new FakeTime();
    const late = deferred<Response>();
    const act = stage([() => late.promise], { timeoutMs: 1_000 }, way);
    const asked = act.ask();
    asked.catch(() => {});
    await time.tickAsync(1_000);
    await asked.catch(() => {});
    late.reject(new Error("late"));
    await stray.noticed();

    assertEquals(stray.reasons, []);
  });

  Deno.test(`a call that fails after its caller's abort leaves no unhandled rejection on ${way}`, async () => {
    using stray = listening();
    const late = deferred<Response>();
    const caller = new AbortController();
    const act = stage([() => late.promise], {}, way);
    const asked = act.ask({ signal: caller.signal });
    asked.catch(() => {});
    await settled();
    caller.abort("gone");
    await asked.catch(() => {});
    late.reject(new Error("late"));
    await stray.noticed();

    assertEquals(stray.reasons, []);
  });

  Deno.test(`failures in the background leave no unhandled rejection on ${way}`, async () => {
    using stray = listening();
    using time = new FakeTime();
    const options = {
      threshold: 1,
      lastGood: { patienceMs: 100 },
      waitUntil: () => {},
      now: () => Date.now(),
    };
    const [slow, probe] = [deferred<Response>(), deferred<Response>()];
    const script = [{ body: "old" }, () => slow.promise, () => probe.promise];
    const act = stage(script, options, way);
    await act.text();
    const served = act.text();
    await time.tickAsync(100);
    await served;
    slow.reject(new Error("late"));
    await settled();
    assertEquals(act.circuit.state, "open");
    await time.tickAsync(1_000);
    await act.text();
    probe.reject(new Error("late"));
    await act.api.idle();
    await stray.noticed();

    assertEquals([stray.reasons, act.origin.calls], [[], 3]);
  });
}

Deno.test("a body that breaks without a reader leaves no unhandled rejection", async () => {
  using stray = listening();
  const flow = faucet();
  const act = stage([() => new Response(flow.body)]);
  await act.ask();
  flow.fail(new Error("cut"));
  await settled();
  await stray.noticed();

  assertEquals([stray.reasons, act.types], [[], ["failure", "not_kept"]]);
});

Deno.test("late nonsense from a handler leaves no unhandled rejection", async () => {
  using stray = listening();
  using time = new FakeTime();
  const act = stage([200], { timeoutMs: 1_000 });
  for (const answer of [undefined, null, 5, {}, { body: "text" }, { body: {} }]) {
    const late = deferred<Response>();
    const handler = act.api.wrap(() => late.promise);
    const asked = handler(new Request("http://origin.test/"));
    await time.tickAsync(1_000);
    assertEquals((await asked).status, 504);
    late.resolve(answer as unknown as Response);
  }
  await stray.noticed();

  assertEquals(stray.reasons, []);
});
