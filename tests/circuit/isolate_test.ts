import { CircuitOpenError } from "@lastgood/breaker";
import { assertEquals, assertRejects } from "@std/assert";
import { calls, due, permit, rig } from "../stage/circuit_stage.ts";
import { moves, only } from "../stage/events.ts";

const STATES = { closed: () => rig(), open: () => rig(), half_open: () => due({ probes: 2 }) };

function inState(state: keyof typeof STATES): ReturnType<typeof rig> {
  const made = STATES[state]();
  if (state === "open") made.circuit.trip();
  if (state === "half_open") calls(made.circuit, "success");
  made.events.length = 0;
  return made;
}

for (const state of ["closed", "open", "half_open"] as const) {
  Deno.test(`14: isolation keeps a circuit that was ${state} open as time passes`, async () => {
    const { circuit, clock } = inState(state);
    circuit.isolate();

    for (const step of [0, 1_000, 1_000_000]) {
      clock.ms += step;
      assertEquals([circuit.state, circuit.retryAfterMs], ["open", Infinity]);
      const error = await assertRejects(() => circuit.run(() => 1), CircuitOpenError, "held open");
      assertEquals(error.retryAfterMs, Infinity);
    }
  });

  Deno.test(`14: after the last release the circuit is ${state} as before`, () => {
    const { circuit, events } = inState(state);
    const before = JSON.stringify(circuit);

    const releases = [circuit.isolate(), circuit.isolate(), circuit.isolate()];
    releases[1]?.();
    releases[1]?.();
    releases[1]?.();
    releases[0]?.();
    assertEquals(circuit.retryAfterMs, Infinity);
    releases[2]?.();

    assertEquals([circuit.state, JSON.stringify(circuit)], [state, before]);
    const reported = state === "open" ? [] : [`${state} > open`, `open > ${state}`];
    assertEquals(moves(events), reported);
  });

  Deno.test(`14: isolation is not saved (${state})`, () => {
    const { circuit } = inState(state);
    const before = JSON.stringify(circuit);
    circuit.isolate();

    assertEquals(JSON.stringify(circuit), before);
    assertEquals(rig({ probes: 2, state: circuit.toJSON() }).circuit.state, state);
  });
}

Deno.test("14: isolation outlasts late results", () => {
  const { circuit } = rig({ threshold: 1 });
  const late = [permit(circuit), permit(circuit)];
  const release = circuit.isolate();

  late[0]?.settle("success");
  late[1]?.settle("failure");
  assertEquals(circuit.state, "open");
  release();

  assertEquals(circuit.state, "closed");
});

Deno.test("14: a delay keeps running during isolation", () => {
  const { circuit, clock } = rig();
  circuit.trip();
  const release = circuit.isolate();
  clock.ms += 1_000;
  release();

  assertEquals(circuit.state, "half_open");
});

Deno.test("14: reset and trip act during isolation, and show after the release", () => {
  for (const [act, state] of [["reset", "closed"], ["trip", "open"]] as const) {
    for (const from of ["closed", "open"] as const) {
      const { circuit, events } = inState(from);
      const release = circuit.isolate();
      events.length = 0;

      circuit[act]();
      assertEquals([circuit.state, circuit.retryAfterMs], ["open", Infinity]);
      assertEquals(moves(events), []);
      release();

      assertEquals(circuit.state, state);
      assertEquals(moves(events), state === "closed" ? ["open > closed"] : []);
    }
  }
});

Deno.test("14: probes that started before isolation leave their slots free after it", () => {
  const { circuit } = due({ probes: 2 });
  const late = permit(circuit);
  circuit.isolate()();

  const probes = [permit(circuit), permit(circuit)];
  assertEquals(circuit.acquire(), undefined);
  late.settle("failure");
  for (const probe of probes) probe.settle("success");

  assertEquals(circuit.state, "closed");
});

Deno.test("14: isolation reports its refusals without a time", () => {
  const { circuit, events } = rig();
  circuit.isolate();

  circuit.acquire();

  assertEquals(only(events, "state").map(({ retryAfterMs }) => retryAfterMs), [Infinity]);
  assertEquals(only(events, "refused").map(({ retryAfterMs }) => retryAfterMs), [Infinity]);
});

Deno.test("trip opens manually for a full delay from any state, and the circuit recovers as usual", () => {
  for (const state of ["closed", "open", "half_open"] as const) {
    const { circuit, clock, events } = inState(state);
    clock.ms += 400;

    circuit.trip("for a test");

    assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
    const heard = only(events, "state").map(({ from, to, reason }) => [from, to, reason]);
    assertEquals(heard, [[state, "open", "for a test"]]);
    clock.ms += 1_000;
    assertEquals(circuit.state, "half_open");
  }
});

Deno.test("reset closes manually from any state and clears all memory", () => {
  for (const state of ["closed", "open", "half_open"] as const) {
    const { circuit, events } = inState(state);
    if (state === "closed") calls(circuit, "failure");

    circuit.reset();

    assertEquals([circuit.state, circuit.retryAfterMs], ["closed", 0]);
    assertEquals(moves(events), state === "closed" ? [] : [`${state} > closed`]);
    calls(circuit, "failure");
    assertEquals(circuit.state, "closed");
    calls(circuit, "failure");
    assertEquals(circuit.state, "open");
  }
});
