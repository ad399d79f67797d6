import { type BreakerEvent, Circuit, consecutive, failureRate, slowRate } from "@lastgood/breaker";
import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
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

const NONSENSE: [what: string, now: () => unknown][] = [
  ...[NaN, Infinity, -Infinity, 1e300, undefined, null, "5", 5n, {}, new Date(5)].map(
    (value): [string, () => unknown] => [`gives ${String(value)}`, () => value],
  ),
  ["throws", () => {
    throw new Error("no clock");
  }],
];

for (const [what, nonsense] of NONSENSE) {
  Deno.test(`9, 12: a now that ${what} once is reported, and its last good reading counts`, () => {
    let now: () => unknown;
    const { circuit, clock, events } = rig({ now: () => now() as number });
    now = clock.now;
    calls(circuit, "failure");
    now = nonsense;
    calls(circuit, "failure");

    assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
    now = clock.now;
    clock.ms += 1_000;
    calls(circuit, "success");

    assertEquals(circuit.state, "closed");
    const errors = only(events, "error");
    assertEquals(errors.map(({ source, circuit }) => [source, circuit]), [["now", "circuit"]]);
    for (const { at } of events) assert(at === clock.ms || at === clock.ms - 1_000);
  });
}

Deno.test("9, 12: a now that never gives a time is replaced by the wall clock", () => {
  using time = new FakeTime();
  const { circuit, events } = rig({ now: () => NaN });
  calls(circuit, "failure", "failure");

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
  time.tick(1_000);
  calls(circuit, "success");

  assertEquals(circuit.state, "closed");
  assertEquals(only(events, "error").length, 1);
});

Deno.test("9, 12: a listener that reads the circuit hears of a bad now once, not for ever", () => {
  let heard = 0;
  const { circuit } = rig({
    now: () => NaN,
    onEvent: ({ type }) => {
      if (type === "error") heard++;
      void circuit.state;
    },
  });
  circuit.trip();

  void circuit.state;

  assertEquals(heard, 1);
});

Deno.test("9, 12: each time that now goes bad is reported, under the name of its circuit", () => {
  let ms = 0;
  const events: BreakerEvent[] = [];
  const options = { now: () => ms, onEvent: (event: BreakerEvent) => void events.push(event) };
  const [a, b] = ["a", "b"].map((name) => new Circuit({ ...options, name }));

  for (const reading of [1, NaN, NaN, 2, NaN]) {
    ms = reading;
    b!.trip();
  }
  ms = NaN;
  a!.trip();

  const errors = only(events, "error").map(({ circuit, at }) => [circuit, at]);
  assertEquals(errors.slice(0, 2), [["b", 1], ["b", 2]]);
  assertEquals(errors.slice(2).map(([circuit]) => circuit), ["a"]);
});
