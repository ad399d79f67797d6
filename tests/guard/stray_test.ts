import { assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import type { ScriptedAnswer } from "@lastgood/breaker/testing";
import { faucet } from "../stage/bodies.ts";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { settled } from "../stage/settle.ts";
import { listening } from "../stage/stray.ts";

/** An answer that fails after `ms`. */
function failing(ms: number): ScriptedAnswer {
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    throw new Error("late");
  };
}

for (const way of WAYS) {
  Deno.test(`a call that fails after our timeout rejects nowhere else on ${way}`, async () => {
    using stray = listening();
    using time = new FakeTime();
    const act = stage([failing(2_000)], { timeoutMs: 1_000 }, way);
    const asked = act.ask();
    asked.catch(() => {});
    await time.tickAsync(1_000);
    await assertRejects(() => asked);
    await time.tickAsync(1_000);
    await stray.noticed();

    assertEquals(stray.reasons, []);
  });

  Deno.test(`a call that fails after its caller's abort rejects nowhere else on ${way}`, async () => {
    using stray = listening();
    using time = new FakeTime();
    const caller = new AbortController();
    const act = stage([failing(2_000)], {}, way);
    const asked = act.ask({ signal: caller.signal });
    asked.catch(() => {});
    await time.tickAsync(1);
    caller.abort("gone");
    await asked.catch(() => {});
    await time.tickAsync(2_000);
    await stray.noticed();

    assertEquals(stray.reasons, []);
  });

  Deno.test(`failures behind an answer of ${way} reject nowhere`, async () => {
    using stray = listening();
    using time = new FakeTime();
    const options = {
      threshold: 1,
      lastGood: { patienceMs: 100 },
      waitUntil: () => {},
      now: () => Date.now(),
    };
    const act = stage([{ body: "old" }, failing(500), failing(500)], options, way);
    await act.text();
    const slow = act.text();
    await time.tickAsync(100);
    await slow;
    await time.tickAsync(400);
    await settled();
    assertEquals(act.circuit.state, "open");
    await time.tickAsync(1_000);
    await act.text();
    await time.tickAsync(500);
    await act.api.idle();
    await stray.noticed();

    assertEquals([stray.reasons, act.origin.calls], [[], 3]);
  });
}

Deno.test("a body that breaks while nobody reads it rejects nowhere", async () => {
  using stray = listening();
  const flow = faucet();
  const act = stage([() => new Response(flow.body)]);
  await act.ask();
  flow.fail(new Error("cut"));
  await settled();
  await stray.noticed();

  assertEquals([stray.reasons, act.types], [[], ["failure", "not_kept"]]);
});

Deno.test("late nonsense of a handler rejects nowhere", async () => {
  using stray = listening();
  using time = new FakeTime();
  const act = stage([200], { timeoutMs: 1_000 });
  for (const answer of [undefined, null, 5, {}, { body: "text" }, { body: {} }]) {
    const handler = act.api.wrap(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return answer as unknown as Response;
    });
    const asked = handler(new Request("http://origin.test/"));
    asked.catch(() => {});
    await time.tickAsync(1_000);
    await assertRejects(() => asked);
    await time.tickAsync(1_000);
  }
  await stray.noticed();

  assertEquals(stray.reasons, []);
});
