import { consecutive, failureRate, slowRate } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { calls, due, permit, rig } from "../stage/circuit_stage.ts";
import { only } from "../stage/events.ts";

const DAY = 86_400_000;

Deno.test("12: an open circuit whose clock steps back restarts its delay when it is next called", () => {
  for (const back of [1, 500, 1_000, DAY, 10_000 * DAY]) {
    const { circuit, clock } = rig({ delayMs: 1_000 });
    circuit.trip();
    clock.ms -= back;

    assertEquals([circuit.acquire(), circuit.retryAfterMs], [undefined, 1_000]);
    clock.ms += 999;
    assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1]);
    clock.ms += 1;

    calls(circuit, "success");
    assertEquals(circuit.state, "closed");
  }
});

Deno.test("12: an open circuit that is only read recovers after a clock step back, too", () => {
  const { circuit, clock } = rig({ delayMs: 1_000 });
  circuit.trip();
  clock.ms -= DAY;

  assertEquals(circuit.state, "open");
  clock.ms += 1_000;

  assertEquals(circuit.state, "half_open");
});

Deno.test("12: each time the clock steps back, the full delay starts again", () => {
  const { circuit, clock } = rig({ delayMs: 1_000 });
  circuit.trip();

  for (let step = 0; step < 5; step++) {
    clock.ms += 900;
    assertEquals(circuit.acquire(), undefined);
    clock.ms -= 2_000;
    assertEquals(circuit.acquire(), undefined);
    assertEquals(circuit.retryAfterMs, 1_000);
  }
  clock.ms += 1_000;

  permit(circuit);
});

Deno.test("12: a clock that jumps ahead makes an open circuit half open and nothing more", () => {
  const { circuit, clock } = rig();
  circuit.trip();

  clock.ms += 10_000 * DAY;

  assertEquals([circuit.state, circuit.retryAfterMs], ["half_open", 0]);
  calls(circuit, "failure");
  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
});

Deno.test("12: a lease whose clock steps back restarts at the next call", () => {
  for (const back of [1, 500, DAY]) {
    const { circuit, clock } = due({ probeTimeoutMs: 500 });
    permit(circuit);
    clock.ms -= back;

    assertEquals([circuit.acquire(), circuit.retryAfterMs], [undefined, 500]);
    clock.ms += 499;
    assertEquals(circuit.acquire(), undefined);
    clock.ms += 1;

    calls(circuit, "success");
    assertEquals(circuit.state, "closed");
  }
});

Deno.test("12: a probe counts even if the clock steps back while it runs", () => {
  for (const [verdict, state] of [["success", "closed"], ["failure", "open"]] as const) {
    const { circuit, clock, events } = due();
    const probe = permit(circuit);
    clock.ms -= DAY;

    probe.settle(verdict);

    assertEquals([circuit.state, circuit.retryAfterMs], [state, state === "open" ? 1_000 : 0]);
    assertEquals(only(events, verdict).map(({ durationMs }) => durationMs), [0]);
  }
});

Deno.test("12: a clock that jumps ahead while a probe runs only costs it its lease", () => {
  const { circuit, clock } = due();
  const probe = permit(circuit);
  clock.ms += DAY;

  probe.settle("failure");

  assertEquals(circuit.state, "half_open");
  calls(circuit, "success");
  assertEquals(circuit.state, "closed");
});

const POLICIES = {
  consecutive: consecutive(3),
  failureRate: failureRate({ minimumCalls: 3, threshold: 1, windowMs: 1_000 }),
  slowRate: slowRate({ slowMs: 100, minimumCalls: 3, threshold: 1, windowMs: 1_000 }),
  lastCalls: failureRate({ lastCalls: 3, threshold: 1 }),
};

for (const [name, trip] of Object.entries(POLICIES)) {
  Deno.test(`12: a clock that steps back neither trips a closed circuit nor blinds it (${name})`, () => {
    const { circuit, clock } = rig({ trip });
    calls(circuit, "failure", "failure");

    clock.ms -= DAY;
    assertEquals(circuit.state, "closed");
    calls(circuit, "success");
    assertEquals(circuit.state, "closed");
    clock.ms += 1_000;
    calls(circuit, "failure", "failure");
    assertEquals(circuit.state, "closed");
    calls(circuit, "failure");

    assertEquals(circuit.state, "open");
  });

  Deno.test(`12: a clock that jumps ahead does not trip a closed circuit (${name})`, () => {
    const { circuit, clock } = rig({ trip });

    for (let step = 0; step < 20; step++) {
      clock.ms += DAY;
      calls(circuit, "failure", "success");
    }

    assertEquals(circuit.state, "closed");
  });
}

Deno.test("12: a window keeps its counts when the clock steps back again and again", () => {
  for (const name of ["failureRate", "slowRate"] as const) {
    const { circuit, clock } = rig({ trip: POLICIES[name] });

    for (const step of [0, -70, -DAY]) {
      assertEquals(circuit.state, "closed");
      clock.ms += step;
      calls(circuit, "failure");
    }

    assertEquals(circuit.state, "open");
  }
});

Deno.test("12: a call during which the clock steps back lasts zero ms, not less", () => {
  const { circuit, clock, events } = rig({ trip: slowRate({ slowMs: 1, minimumCalls: 1 }) });
  const call = permit(circuit);
  clock.ms -= DAY;

  call.settle("success");

  assertEquals(circuit.state, "closed");
  assertEquals(only(events, "success").map(({ durationMs }) => durationMs), [0]);
});

Deno.test("12: isolation lasts whatever the clock does", () => {
  const { circuit, clock } = rig();
  circuit.trip();
  const release = circuit.isolate();

  for (const step of [DAY, -10 * DAY, 20 * DAY]) {
    clock.ms += step;
    assertEquals([circuit.state, circuit.acquire()], ["open", undefined]);
  }
  release();

  assertEquals(circuit.state, "half_open");
});

Deno.test("12: a circuit restored from a clock ahead of ours waits its full delay", () => {
  const { circuit: ahead, clock: theirs } = rig();
  theirs.ms += DAY;
  ahead.trip();

  const { circuit, clock } = rig({ state: ahead.toJSON() });

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
  clock.ms += 1_000;
  assertEquals(circuit.state, "half_open");
});
