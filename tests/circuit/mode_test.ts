import { assertEquals, assertRejects } from "@std/assert";
import { calls, permit, rig } from "../stage/circuit_stage.ts";
import { moves, only, types } from "../stage/events.ts";

Deno.test("14: mode off lets every call through and counts nothing", async () => {
  const { circuit, clock, events } = rig({ mode: "off", threshold: 1 });

  for (let call = 0; call < 20; call++) {
    await assertRejects(() => circuit.run(() => Promise.reject(new Error("own"))), Error, "own");
    clock.ms += 1;
  }
  calls(circuit, "failure", "failure");

  assertEquals([circuit.state, circuit.retryAfterMs, events], ["closed", 0, []]);
});

Deno.test("14: mode off overrides time, trip, isolation and a restored opening", async () => {
  const { circuit: open } = rig();
  open.trip();
  const { circuit, clock } = rig({ mode: "off", state: open.toJSON() });
  circuit.trip();
  circuit.isolate();

  for (const step of [0, 999, 1, 1e9]) {
    clock.ms += step;
    assertEquals([circuit.state, circuit.retryAfterMs], ["closed", 0]);
    assertEquals(await circuit.run(() => 1), 1);
  }
});

Deno.test("14: mode observe refuses nothing, and reports once per opening what it would have done", async () => {
  const { circuit, clock, events } = rig({ mode: "observe" });
  calls(circuit, "failure", "failure");
  assertEquals(circuit.state, "open");
  events.length = 0;

  for (let call = 0; call < 10; call++) assertEquals(await circuit.run(() => call), call);
  assertEquals(types(events).filter((type) => type !== "success"), ["would_refuse"]);
  assertEquals(only(events, "would_refuse").map(({ retryAfterMs }) => retryAfterMs), [1_000]);
  assertEquals(circuit.retryAfterMs, 0);
  clock.ms += 1_000;
  calls(circuit, "failure");
  calls(circuit, "success", "success");

  assertEquals(only(events, "would_refuse").length, 2);
});

Deno.test("14: mode observe runs the state machine in full", () => {
  const { circuit, clock, events } = rig({ mode: "observe", probes: 2 });
  calls(circuit, "failure", "failure");
  calls(circuit, "success", "failure");
  assertEquals(circuit.state, "open");

  clock.ms += 1_000;
  calls(circuit, "failure");
  clock.ms += 1_000;
  const probes = [permit(circuit), permit(circuit)];
  calls(circuit, "failure");
  assertEquals(circuit.state, "half_open");
  for (const probe of probes) probe.settle("success");

  assertEquals(moves(events), [
    "closed > open",
    "open > half_open",
    "half_open > open",
    "open > half_open",
    "half_open > closed",
  ]);
});

Deno.test("14: mode observe makes the same moves as enforce if all calls are the same", () => {
  const story = (mode: "observe" | "enforce") => {
    const { circuit, clock, events } = rig({ mode });
    for (let step = 0; step < 300; step++) {
      clock.ms += (step * 37) % 400;
      circuit.acquire()?.settle(step % 7 < 3 ? "failure" : "success");
    }
    return only(events, "state").map(({ at, from, to, reason }) => ({ at, from, to, reason }));
  };

  assertEquals(story("observe"), story("enforce"));
});

Deno.test("14: mode observe refuses nothing while isolated, either", () => {
  const { circuit, events } = rig({ mode: "observe" });
  const release = circuit.isolate();

  calls(circuit, "failure", "failure", "failure");

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 0]);
  assertEquals(only(events, "would_refuse").length, 1);
  release();
  assertEquals(circuit.state, "closed");
});
