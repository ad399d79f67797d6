/** Promise 33: a call that was frozen with its host says nothing about the upstream. */

import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import type { BreakerOptions } from "@lastgood/breaker";
import { due, stage, WAYS } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";
import { settled } from "../stage/settle.ts";
import { outlivesAnswer } from "../../src/runtime.ts";

const TIMED: BreakerOptions = { timeoutMs: 1_000, background: true };
const SCRIPT = [{ body: "old" }, 500, "hang", { body: "new" }] as const;

for (const way of WAYS) {
  Deno.test(`33: a probe of ${way} that was frozen with its host is neutral`, async () => {
    using time = new FakeTime();
    const act = await due(way, SCRIPT, TIMED);
    assertEquals(await act.text(), "old");
    // By the clock 20 s pass, in which no timer fires.
    act.tick(20_000);
    await time.tickAsync(1_000);
    await settled();

    assertEquals(only(act.events, "ignored").map(({ why, cause }) => [why, cause]), [
      ["frozen", "timeout"],
    ]);
    assertEquals(act.circuit.state, "half_open");
    assertEquals(await act.text(), "old");
    await act.api.idle();
    assertEquals(await act.text(), "new");
  });

  Deno.test(`33: a probe of ${way} that times out nearly in time counts`, async () => {
    using time = new FakeTime();
    const act = await due(way, SCRIPT, TIMED);
    assertEquals(await act.text(), "old");
    act.tick(1_250);
    await time.tickAsync(1_000);
    await settled();

    assertEquals(only(act.events, "ignored"), []);
    assertEquals(act.circuit.state, "open");
  });

  Deno.test(`33: a caller of ${way} who waits for a late timeout counts it`, async () => {
    using time = new FakeTime();
    const act = stage(["hang"], { ...TIMED, threshold: 1 }, way);
    const asked = act.ask().catch(() => {});
    act.tick(60_000);
    await time.tickAsync(1_000);
    await settled();
    await asked;

    assertEquals(act.circuit.state, "open");
  });
}

Deno.test("33: a probe that was frozen beyond its lease is neutral, and so is what it learnt too late", async () => {
  using time = new FakeTime();
  const act = await due("fetch", SCRIPT, TIMED);
  await act.text();
  act.tick(60_000);
  await time.tickAsync(1_000);
  await settled();

  assertEquals(only(act.events, "ignored").map(({ why }) => why), ["probe-timeout"]);
  assertEquals([act.circuit.state, only(act.events, "failure").length], ["half_open", 1]);
});

Deno.test("33: a slow call that was frozen with its host is neutral", async () => {
  using time = new FakeTime();
  const act = stage([{ body: "old" }, "hang"], {
    ...TIMED,
    threshold: 1,
    lastGood: { patienceMs: 100, refreshMs: 0 },
  });
  await act.text();
  const asked = act.text();
  await time.tickAsync(100);
  assertEquals(await asked, "old");
  act.tick(60_000);
  await time.tickAsync(900);
  await settled();

  assertEquals(only(act.events, "ignored").map(({ why }) => why), ["frozen"]);
  assertEquals(act.circuit.state, "closed");
});

Deno.test("33: while a host has frozen work lately, the caller is the probe", async () => {
  if (!outlivesAnswer()) return;
  using time = new FakeTime();
  const act = await due("fetch", [...SCRIPT, 500, { body: "newer" }, { body: "newest" }], {
    timeoutMs: 1_000,
  });
  await act.text();
  act.tick(60_000);
  await time.tickAsync(1_000);
  await settled();

  assertEquals(await act.text(), "new");
  await act.text();
  act.tick(600_000);
  assertEquals(await act.text(), "new");
  await act.api.idle();
  assertEquals(await act.text(), "newest");
});
