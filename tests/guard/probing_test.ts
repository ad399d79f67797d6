import { assert, assertEquals, assertRejects } from "@std/assert";
import { CircuitOpenError } from "@lastgood/breaker";
import { faucet } from "../stage/bodies.ts";
import { due, SCRIPT, stage, waiting, WAYS } from "../stage/breaker_stage.ts";
import { stopping } from "../stage/hosting.ts";
import { settled, standing } from "../stage/settle.ts";

const PROBING = "lastgood; hit; detail=probing";

for (const way of WAYS) {
  Deno.test(`24: ${way} serves the kept answer while the probe runs in the background`, async () => {
    const { works, waitUntil } = waiting();
    const act = await due(way, SCRIPT, { waitUntil });
    const before = works.length;

    const answer = await act.ask();

    assertEquals(await answer.text(), "old");
    assertEquals(answer.headers.get("cache-status"), PROBING);
    assertEquals([works.length - before, act.origin.calls], [1, 3]);
    await Promise.all(works);
    assertEquals([await act.text(), act.circuit.state], ["new", "closed"]);
  });

  Deno.test(`24: no caller of ${way} waits for a probe that hangs`, async () => {
    const { waitUntil } = waiting();
    const act = await due(way, [{ body: "old" }, 500, "hang"], { waitUntil });

    for (let call = 0; call < 5; call++) {
      const answer = await act.ask();
      assertEquals([await answer.text(), answer.headers.get("cache-status")], ["old", PROBING]);
    }
    assertEquals(act.origin.calls, 3);
  });

  Deno.test(`24: on ${way} a background probe that fails reopens the circuit`, async () => {
    const { works, waitUntil } = waiting();
    const act = await due(way, [{ body: "old" }, 500, "reset"], { waitUntil });

    assertEquals(await act.text(), "old");
    await Promise.all(works);

    assertEquals([act.circuit.state, act.circuit.retryAfterMs], ["open", 1_000]);
  });

  Deno.test(`24: if nothing is kept, the caller of ${way} is the probe`, async () => {
    const { waitUntil } = waiting();
    const act = stage([500, { body: "new" }], { threshold: 1, waitUntil }, way);
    await act.ask();
    act.tick(1_000);

    assertEquals(await act.text(), "new");
    assertEquals(act.circuit.state, "closed");
  });

  Deno.test(`24: of 1,000 callers of ${way} when a probe is due, one reaches the upstream`, async () => {
    const { works, waitUntil } = waiting();
    const act = await due(way, SCRIPT, { waitUntil });

    const answers = await Promise.all(Array.from({ length: 1_000 }, () => act.text()));

    assert(answers.every((text) => text === "old"));
    assertEquals(act.origin.calls, 3);
    await Promise.all(works);
    assertEquals([act.origin.calls, act.circuit.state], [3, "closed"]);
  });

  Deno.test(`5: of 1,000 callers of ${way} with nothing kept, only the probes reach the upstream`, async () => {
    const options = { threshold: 1, probes: 3, lastGood: false } as const;
    const act = stage([500, "hang"], options, way);
    await act.ask();
    act.tick(1_000);

    const outcomes: unknown[] = [];
    for (let call = 0; call < 1_000; call++) {
      act.ask().then(({ status }) => outcomes.push(status), (error) => outcomes.push(error));
    }
    await settled();

    assertEquals([act.origin.calls, outcomes.length], [4, 997]);
    assert(outcomes.every((it) => way === "fetch" ? it instanceof CircuitOpenError : it === 503));
  });
}

Deno.test("24: a caller who is the probe does not delay callers who can be served", async () => {
  using _ = stopping();
  const act = await due("fetch", [{ body: "old" }, 500, "hang"]);
  const probe = act.ask();
  await settled();

  assertEquals(await act.text(), "old");
  assertEquals(await standing(probe), "pending");
});

Deno.test("7: a background probe that never ends frees its slot when its lease is over", async () => {
  const { works, waitUntil } = waiting();
  const act = await due("fetch", [{ body: "old" }, 500, "hang", { body: "new" }], {
    waitUntil,
    probeTimeoutMs: 3_000,
  });
  await act.text();
  act.tick(2_999);
  await act.text();
  assertEquals(act.origin.calls, 3);
  act.tick(1);

  await act.text();

  assertEquals(act.origin.calls, 4);
  await works.at(-1);
  assertEquals(act.circuit.state, "closed");
});

Deno.test("24: a caller's abort does not end a background probe", async () => {
  for (const way of WAYS) {
    const { works, waitUntil } = waiting();
    const flow = faucet();
    const caller = new AbortController();
    const script = [{ body: "old" }, 500, { delayMs: 1, body: flow.body }, { body: "newer" }];
    const act = await due(way, script, { waitUntil });

    assertEquals(await act.text({ signal: caller.signal }), "old");
    caller.abort(new Error("gone"));
    while (act.origin.requests.length < 3) await settled();
    flow.drip("new");
    flow.close();
    await Promise.all(works);

    assertEquals(act.circuit.state, "closed", way);
    const aborted = act.origin.requests[2]!.signal?.aborted ?? false;
    assertEquals(aborted, false, way);
  }
});

Deno.test("24: a conditional background probe confirms the kept answer", async () => {
  const { works, waitUntil } = waiting();
  const etag = { etag: '"1"' };
  const script = [{ body: "old", headers: etag }, 500, { status: 304, headers: etag }, 500];
  const act = await due("fetch", script, { waitUntil });
  await act.text();
  await Promise.all(works);

  assertEquals(act.origin.requests[2]!.headers.get("if-none-match"), '"1"');
  assertEquals(act.circuit.state, "closed");
  const stale = await act.ask();
  assertEquals([await stale.text(), stale.headers.get("age")], ["old", "0"]);
});

Deno.test("24: our condition is not mixed with a caller's own", async () => {
  const { waitUntil } = waiting();
  const etag = { etag: '"1"' };
  const script = [{ body: "old", headers: etag }, 500, { body: "new" }];
  const act = await due("fetch", script, { waitUntil });

  await act.ask({ headers: { "if-none-match": '"2"' } });

  assertEquals(act.origin.requests[2]!.headers.get("if-none-match"), '"2"');
});

Deno.test("24: an open circuit serves without a probe until its delay is over", async () => {
  const { waitUntil } = waiting();
  const act = stage(SCRIPT, { threshold: 1, waitUntil });
  await act.text();
  await act.text();
  act.tick(999);

  assertEquals((await act.ask()).headers.get("cache-status"), "lastgood; hit; detail=circuit-open");
  assertEquals(act.origin.calls, 2);
  await assertRejects(() => act.ask({ path: "/other" }), CircuitOpenError);
});
