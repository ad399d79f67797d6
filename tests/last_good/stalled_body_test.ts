import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import type { BreakerOptions } from "@lastgood/breaker";
import { StallTimer } from "../../src/last_good/stall_timer.ts";
import { type Faucet, faucet } from "../stage/bodies.ts";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { notKept, only } from "../stage/events.ts";
import type { Way } from "../stage/ways.ts";

/** Asks for a body that the test lets flow. */
async function flowing(way: Way, options: BreakerOptions = {}) {
  let flow!: Faucet;
  const act = stage(
    [() => {
      flow = faucet();
      return new Response(flow.body);
    }],
    { timeoutMs: 1_000, threshold: 1, ...options },
    way,
  );
  const answer = await act.ask();
  return { act, answer, flow };
}

for (const way of WAYS) {
  Deno.test(`20: a copied body of ${way} that stands still is a failure, and its reader goes on`, async () => {
    using time = new FakeTime();
    const { act, answer, flow } = await flowing(way);
    flow.drip("slow");
    await time.tickAsync(999);
    assertEquals(act.types, []);

    await time.tickAsync(1);

    const [failure] = only(act.events, "failure");
    assertEquals([failure?.cause, failure?.status, act.circuit.state], ["timeout", 200, "open"]);
    assertEquals(notKept(act.events), ["stalled"]);
    flow.drip(", but whole");
    flow.close();
    assertEquals(await answer.text(), "slow, but whole");
  });
}

Deno.test("20: the time counts from the last byte, whether or not anybody reads", async () => {
  using time = new FakeTime();
  const { act, flow } = await flowing("fetch");
  for (let n = 0; n < 5; n++) {
    await time.tickAsync(900);
    flow.drip("still here");
  }
  await time.tickAsync(999);
  assertEquals(act.types, []);

  await time.tickAsync(1);

  assertEquals(act.types, ["failure", "state", "not_kept"]);
  flow.close();
});

Deno.test("20: a body that ends in time stops the watch", async () => {
  using time = new FakeTime();
  const { act, answer, flow } = await flowing("fetch");
  flow.drip("good");
  flow.close();
  assertEquals(await answer.text(), "good");

  await time.tickAsync(10_000);

  assertEquals(act.types, ["success", "kept"]);
});

Deno.test("20: without a timeout a body may stand still for ever", async () => {
  using time = new FakeTime();
  const { act, flow } = await flowing("fetch", { timeoutMs: Infinity });

  await time.tickAsync(1_000_000);

  assertEquals(act.types, []);
  flow.close();
});

Deno.test("20: a body that is not copied may stand still", async () => {
  using time = new FakeTime();
  const { act, flow } = await flowing("fetch", { lastGood: false });

  await time.tickAsync(1_000_000);

  assertEquals(act.types, ["success"]);
  flow.close();
});

// ---- The timer ----

Deno.test("20: what has long been there counts before the time is over (promise 35)", async () => {
  using time = new FakeTime();
  let stalls = 0;
  // Set first, it comes before the timer's last turn, as a socket does that is read at last.
  setTimeout(() => setTimeout(() => timer.moved(), 0), 1_000);
  const timer = new StallTimer(1_000, Infinity, () => stalls++);
  const other = new StallTimer(1_000, Infinity, () => stalls++);

  await time.tickAsync(1_000);

  assertEquals(stalls, 1);
  timer.stop();
  other.stop();
});

Deno.test("20: the time in which the host was frozen does not count (promise 33)", async () => {
  using time = new FakeTime();
  const { now } = Date;
  let stalls = 0;
  const timer = new StallTimer(1_000, Infinity, () => stalls++);
  timer.moved();
  // The clock of the thawed host, whose timer fires late.
  const lateMs = 60_000;
  Date.now = () => now() + lateMs;
  await time.tickAsync(1_999);
  const early = stalls;

  await time.tickAsync(1);
  Date.now = now;

  assertEquals([early, stalls], [0, 1]);
  timer.stop();
});

Deno.test("20: a clock that stands still or jumps makes it late, never early (promise 12)", async () => {
  for (const jumpMs of [0, -60_000, 60_000]) {
    using time = new FakeTime();
    const { now } = Date;
    let stalls = 0;
    const at = Date.now();
    const timer = new StallTimer(1_000, Infinity, () => stalls++);
    await time.tickAsync(600);
    Date.now = () => at + jumpMs;
    timer.moved();
    await time.tickAsync(999);
    const early = stalls;
    await time.tickAsync(1_001);
    Date.now = now;

    assertEquals([early, stalls], [0, 1]);
    timer.stop();
  }
});

Deno.test("S13: the time for the whole goes on while its parts keep moving", async () => {
  using time = new FakeTime();
  const ends: [why: string, afterMs: number][] = [];
  const at = Date.now();
  const timer = new StallTimer(1_000, 2_500, (why) => ends.push([why, Date.now() - at]));

  for (let turn = 0; turn < 30; turn++) {
    timer.moved();
    await time.tickAsync(100);
  }

  assertEquals(ends, [["too-slow", 2_500]]);
});

Deno.test("S13: the time for the whole ends also where nothing counts as stalled", async () => {
  using time = new FakeTime();
  const ends: string[] = [];
  new StallTimer(Infinity, 2_500, (why) => ends.push(why));
  await time.tickAsync(2_499);
  const early = [...ends];

  await time.tickAsync(1);

  assertEquals([early, ends], [[], ["too-slow"]]);
});

Deno.test("20: a body without any limit sets no timer", async () => {
  using time = new FakeTime();
  const ends: string[] = [];
  new StallTimer(Infinity, Infinity, (why) => ends.push(why));

  await time.tickAsync(1e9);

  assertEquals(ends, []);
});
