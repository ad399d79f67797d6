import { CircuitOpenError } from "@lastgood/breaker";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { calls, due, permit, rig } from "../stage/circuit_stage.ts";
import { START } from "../stage/clock.ts";
import { deferred } from "../stage/deferred.ts";
import { moves, types } from "../stage/events.ts";

Deno.test("3: half open begins when the delay is over, not a millisecond earlier", () => {
  const { circuit, clock } = rig({ delayMs: 1_000 });
  calls(circuit, "failure", "failure");

  clock.ms = START + 999;
  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1]);
  assertEquals(circuit.acquire(), undefined);
  clock.ms = START + 1_000;
  assertEquals([circuit.state, circuit.retryAfterMs], ["half_open", 0]);
  assert(circuit.acquire());
});

Deno.test("3: reading state and retryAfterMs changes nothing and emits nothing", () => {
  const { circuit, clock, events } = due();
  const before = JSON.stringify(circuit);

  for (const step of [0, 1, 1_000_000]) {
    clock.ms += step;
    assertEquals([circuit.state, circuit.retryAfterMs], ["half_open", 0]);
  }

  assertEquals(events, []);
  assertEquals(JSON.stringify(circuit), before);
});

Deno.test("3: half open is reported when the first probe passes", () => {
  const { circuit, events } = due();

  circuit.acquire();

  assertEquals(types(events), ["state", "probe"]);
  assertEquals(moves(events), ["open > half_open"]);
});

Deno.test("4: a failed probe reopens for a full new delay", () => {
  const { circuit, clock } = due();
  const probe = permit(circuit);
  clock.ms += 300;

  probe.settle("failure");

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
});

Deno.test("4: the last required success closes the circuit", () => {
  const { circuit, events } = due({ probes: 3 });

  calls(circuit, "success", "success");
  assertEquals(circuit.state, "half_open");
  calls(circuit, "success");

  assertEquals(circuit.state, "closed");
  assertEquals(moves(events), ["open > half_open", "half_open > closed"]);
});

Deno.test("4: one failed probe reopens the circuit, and earlier successes are forgotten", () => {
  const { circuit, clock } = due({ probes: 3 });

  calls(circuit, "success", "success", "failure");
  clock.ms += 1_000;
  calls(circuit, "success", "success");
  assertEquals(circuit.state, "half_open");
  calls(circuit, "success");

  assertEquals(circuit.state, "closed");
});

Deno.test("4: one failure after recovery does not trip the circuit", () => {
  const { circuit, clock } = rig({ threshold: 2 });
  calls(circuit, "failure", "failure");
  clock.ms += 1_000;

  calls(circuit, "success", "failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("5: caller n+1 in half_open is refused at once", async () => {
  for (const probes of [1, 2, 5]) {
    const { circuit } = due({ probes });
    const answer = deferred<string>();
    const running = Array.from({ length: probes }, () => circuit.run(() => answer.promise));
    let called = 0;

    const error = await assertRejects(() => circuit.run(() => ++called), CircuitOpenError);

    assertEquals([called, error.retryAfterMs, circuit.retryAfterMs], [0, 500, 500]);
    answer.resolve("fine");
    assertEquals(await Promise.all(running), Array(probes).fill("fine"));
    assertEquals(circuit.state, "closed");
  }
});

Deno.test("5: running and successful probes together never exceed the configured number", () => {
  const { circuit } = due({ probes: 3 });
  const first = permit(circuit);
  const second = permit(circuit);
  const third = permit(circuit);

  first.settle("success");
  assertEquals(circuit.acquire(), undefined);
  second.settle("success");
  assertEquals(circuit.acquire(), undefined);
  third.settle("ignored");

  calls(circuit, "success");
  assertEquals(circuit.state, "closed");
});

Deno.test("5: of 1,000 callers when a probe is due, only the probes reach the upstream", async () => {
  for (const probes of [1, 3]) {
    const { circuit } = due({ probes });
    const answer = deferred<number>();
    let reached = 0;

    const all = Array.from({ length: 1_000 }, () =>
      circuit.run(() => {
        reached++;
        return answer.promise;
      }));
    answer.resolve(1);
    const settled = await Promise.allSettled(all);

    assertEquals(reached, probes);
    const refused = settled.filter((one) =>
      one.status === "rejected" && one.reason instanceof CircuitOpenError
    );
    assertEquals(refused.length, 1_000 - probes);
    assertEquals(circuit.state, "closed");
  }
});

Deno.test("5: of 1,000 callers at different moments, one at a time reaches a failing upstream", async () => {
  const { circuit, clock } = due({ probes: 1, delayMs: 10 });
  let reached = 0;

  for (let wave = 0; wave < 20; wave++) {
    const all = Array.from({ length: 50 }, () =>
      circuit.run(async () => {
        reached++;
        await Promise.resolve();
        throw new Error("still down");
      }));
    await Promise.allSettled(all);
    assertEquals(reached, wave + 1);
    clock.ms += 10;
  }
});
