import {
  type Circuit,
  type CircuitSnapshot,
  consecutive,
  failureRate,
  total,
  type TripPolicy,
} from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { isCount, isTime } from "../../src/circuit/saved_numbers.ts";
import { calls, due, permit, type Rig, rig } from "../stage/circuit_stage.ts";
import { START } from "../stage/clock.ts";
import { moves, only } from "../stage/events.ts";

function throughJson(circuit: Circuit): CircuitSnapshot {
  return JSON.parse(JSON.stringify(circuit));
}

const STORIES: Record<string, () => Rig<unknown>> = {
  "closed": () => rig(),
  "closed, a failure counted": () => {
    const made = rig();
    calls(made.circuit, "failure");
    return made;
  },
  "open": () => {
    const made = rig();
    made.circuit.trip();
    made.clock.ms += 400;
    return made;
  },
  "half open, a probe succeeded": () => {
    const made = due({ probes: 2 });
    calls(made.circuit, "success");
    return made;
  },
  "open again": () => {
    const made = due();
    calls(made.circuit, "failure");
    return made;
  },
};

for (const [story, play] of Object.entries(STORIES)) {
  Deno.test(`15: a circuit's memory survives JSON (${story})`, () => {
    const { circuit, clock } = play();
    const { ms } = clock;
    const { delayMs, probes } = { delayMs: 1_000, probes: 2 };

    const { circuit: again, events } = rig({
      delayMs,
      probes,
      state: throughJson(circuit),
      now: () => ms,
    });

    assertEquals(again.toJSON().opening, circuit.toJSON().opening);
    assertEquals([again.state, again.retryAfterMs], [circuit.state, circuit.retryAfterMs]);
    assertEquals(events, []);
  });
}

Deno.test("15: a circuit restored long afterwards reads half open", () => {
  const { circuit } = STORIES["open"]!();

  const { circuit: again } = rig({ state: throughJson(circuit), now: () => 1e15 });

  assertEquals(again.state, "half_open");
  calls(again, "success");
  assertEquals(again.state, "closed");
});

Deno.test("15: a restored half open circuit continues with the probes that succeeded", () => {
  const { circuit } = STORIES["half open, a probe succeeded"]!();

  const { circuit: again } = rig({ probes: 2, state: throughJson(circuit) });
  const probe = permit(again);

  assertEquals(again.acquire(), undefined);
  probe.settle("success");
  assertEquals(again.state, "closed");
});

Deno.test("15: a circuit restored with fewer probes than before still needs one", () => {
  const { circuit } = due({ probes: 3 });
  calls(circuit, "success", "success");

  const { circuit: again } = rig({ probes: 1, state: throughJson(circuit) });

  assertEquals([again.state, again.retryAfterMs], ["half_open", 0]);
  calls(again, "success");
  assertEquals(again.state, "closed");
});

Deno.test("15: backoff continues where it was", () => {
  const delayMs = (reopenings: number) => 100 * (reopenings + 1);
  const { circuit, clock } = rig({ delayMs });
  circuit.trip();
  clock.ms += 100;
  calls(circuit, "failure");

  const { circuit: again, clock: later } = rig({ delayMs, state: throughJson(circuit) });
  later.ms = clock.ms + 200;
  calls(again, "failure");

  assertEquals(again.retryAfterMs, 300);
});

/** A custom policy without a name, as the contract allows. */
const unnamed: TripPolicy = {
  start(saved) {
    let failures = typeof saved === "number" ? saved : 0;
    return {
      record: (verdict) => verdict === "failure" && ++failures >= 3 ? "three" : undefined,
      toJSON: () => failures,
    };
  },
};

const WINDOWS: Record<string, () => TripPolicy | TripPolicy[]> = {
  "consecutive": () => consecutive(3),
  "total": () => total(3),
  "rate by time": () => failureRate({ minimumCalls: 3 }),
  "rate by last calls": () => failureRate({ lastCalls: 3 }),
  "several": () => [consecutive(9), total(3)],
  "a custom one": () => unnamed,
};

for (const [name, trip] of Object.entries(WINDOWS)) {
  Deno.test(`15: windows are restored (${name})`, () => {
    const { circuit } = rig({ trip: trip() });
    calls(circuit, "failure", "failure");

    const { circuit: again, events } = rig({ trip: trip(), state: throughJson(circuit) });
    calls(again, "failure");

    assertEquals([again.state, only(events, "error").length], ["open", 0]);
  });
}

for (
  const [what, trip] of [
    ["another limit", consecutive(4)],
    ["another kind", total(3)],
    ["one more", [consecutive(3), total(9)]],
  ] as [string, TripPolicy | TripPolicy[]][]
) {
  Deno.test(`15: windows are not restored if the trip policies changed (${what})`, () => {
    const { circuit } = rig({ trip: consecutive(3) });
    calls(circuit, "failure", "failure");

    const { circuit: again, events } = rig({ trip, state: throughJson(circuit) });
    calls(again, "failure");

    assertEquals([again.state, only(events, "error").length], ["closed", 0]);
  });
}

Deno.test("15: an unreadable window starts over and is reported", () => {
  for (const saved of ["x", -1, 1.5, null, {}, []]) {
    const state = { version: 1, state: "closed", windows: [{ policy: "consecutive(2)", saved }] };

    const { circuit, events } = rig({ state: state as CircuitSnapshot });
    calls(circuit, "failure");

    assertEquals(circuit.state, "closed");
    assertEquals(only(events, "error").map(({ source }) => source), ["policy"]);
    calls(circuit, "failure");
    assertEquals(circuit.state, "open");
  }
});

const opening = { openedAt: 0, delayMs: 1, reopenings: 0, succeeded: 0 };
const UNREADABLE: Record<string, unknown> = {
  "null": null,
  "a string": '{"version":1}',
  "a number": 1,
  "a list": [],
  "nothing": {},
  "no version": { state: "closed" },
  "a later version": { version: 2, state: "closed" },
  "an unknown state": { version: 1, state: "ajar" },
  "open without opening": { version: 1, state: "open" },
  "half open without opening": { version: 1, state: "half_open" },
  "closed with an opening": { version: 1, state: "closed", opening },
  "openedAt null, as NaN is in JSON": {
    version: 1,
    state: "open",
    opening: { ...opening, openedAt: null },
  },
  "a negative delay": { version: 1, state: "open", opening: { ...opening, delayMs: -1 } },
  "an endless delay": { version: 1, state: "open", opening: { ...opening, delayMs: Infinity } },
  "half a reopening": { version: 1, state: "open", opening: { ...opening, reopenings: 0.5 } },
  "text for a count": { version: 1, state: "open", opening: { ...opening, succeeded: "1" } },
  "windows that are not a list": { version: 1, state: "closed", windows: "consecutive(2)" },
  "a window of null": { version: 1, state: "closed", windows: [null] },
  "a getter that throws": {
    get version() {
      throw new Error("getter");
    },
  },
};

for (const [what, state] of Object.entries(UNREADABLE)) {
  Deno.test(`15: a circuit with an unreadable snapshot starts closed and reports it (${what})`, () => {
    const { circuit, events } = rig({ state: state as CircuitSnapshot });

    assertEquals(circuit.state, "closed");
    assertEquals(only(events, "error").map(({ source }) => source), ["state"]);
    assertEquals(moves(events), []);
    calls(circuit, "failure", "failure");
    assertEquals(circuit.state, "open");
  });
}

const ABSURD: Record<string, unknown> = {
  "openedAt": { openedAt: 9e15 },
  "openedAt in the past": { openedAt: -1e300 },
  "delayMs": { delayMs: 1e300 },
  "reopenings": { reopenings: 2 ** 53 },
  "reopenings, exactly": { reopenings: Number.MAX_SAFE_INTEGER },
  "succeeded": { succeeded: 1e300 },
  "ignored": { ignored: 1e15 },
};

for (const [what, absurd] of Object.entries(ABSURD)) {
  Deno.test(`15: an absurd number in a snapshot makes it unreadable (${what})`, () => {
    const opening = { openedAt: 0, delayMs: 1, reopenings: 0, succeeded: 0, ...Object(absurd) };
    const state = { version: 1, state: "open", opening } as const;

    const { circuit, events } = rig({ state });

    assertEquals([circuit.state, circuit.retryAfterMs], ["closed", 0]);
    assertEquals(only(events, "error").map(({ source }) => source), ["state"]);
  });
}

const rate = failureRate({ minimumCalls: 3, windowMs: 1_000 });
const lastCalls = failureRate({ lastCalls: 3, threshold: 1 });
const none = Array(20).fill(0);
const ABSURD_WINDOWS: [what: string, trip: TripPolicy, saved: unknown][] = [
  ["a count that would have opened it", consecutive(3), 3],
  ["a count beyond all bounds", total(2 ** 40), Number.MAX_SAFE_INTEGER],
  ["more calls than it looks back on", lastCalls, "0000"],
  ["a beginning beyond all times", rate, { began: 1e300, slice: 0, slices: none }],
  ["a slice that no clock reaches", rate, {
    began: START,
    slice: Number.MAX_SAFE_INTEGER,
    slices: none,
  }],
  ["a slice that lies beyond all times", rate, { began: 8e15, slice: 8e15, slices: none }],
  ["half a slice", rate, { began: START, slice: 0.5, slices: none }],
  ["a slice before the first", rate, { began: START, slice: -1, slices: none }],
  ["calls beyond all bounds", rate, { began: START, slice: 0, slices: [1e300, ...none.slice(1)] }],
  ["more bad calls than calls", rate, { began: START, slice: 0, slices: [1, 2, ...none.slice(2)] }],
];

for (const [what, trip, saved] of ABSURD_WINDOWS) {
  Deno.test(`15: an absurd window starts over and is reported (${what})`, () => {
    const state = {
      version: 1,
      state: "closed",
      windows: [{ policy: trip.name ?? "", saved }],
    } as const;

    const { circuit, events } = rig({ trip, state });
    calls(circuit, "failure", "failure");

    assertEquals(circuit.state, "closed");
    assertEquals(only(events, "error").map(({ source }) => source), ["policy"]);
  });
}

Deno.test("15: a window by time goes on after a restart, however many slices it has seen", () => {
  for (const slice of [0, 7, 10, 12_345]) {
    const began = START - slice * 100;
    const slices = [...none];
    slices.splice((slice % 10) * 2, 2, 2, 2);
    const state = {
      version: 1,
      state: "closed",
      windows: [{ policy: rate.name ?? "", saved: { began, slice, slices } }],
    } as const;

    const { circuit, clock } = rig({ trip: rate, state });
    clock.ms += 950;
    calls(circuit, "failure");
    assertEquals(circuit.state, "open");

    const { circuit: late, clock: later } = rig({ trip: rate, state });
    later.ms += 1_000;
    calls(late, "failure");
    assertEquals(late.state, "closed");
  }
});

Deno.test("15: a snapshot is plain data with a version, independent of any circuit", () => {
  const { circuit, clock } = due({ probes: 2 });
  const saved = circuit.toJSON();
  const before = JSON.stringify(saved);
  const { circuit: again } = rig({ probes: 2, state: saved, now: () => clock.ms });

  calls(circuit, "success", "success");
  calls(again, "success", "failure");

  assertEquals(saved.version, 1);
  assertEquals(JSON.stringify(saved), before);
});

Deno.test("15: a call from before the restart does not count after it", () => {
  const { circuit } = due();
  const late = permit(circuit);
  const { circuit: again } = rig({ state: throughJson(circuit) });

  late.settle("success");

  assertEquals(again.state, "half_open");
});

Deno.test("15: times and counts are good up to their very bounds", () => {
  assertEquals([8.64e15, -8.64e15, 8.65e15, -8.65e15, NaN, "0"].map(isTime), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  assertEquals([0, 2 ** 31, 2 ** 31 + 1, -1, 0.5, NaN, "0"].map(isCount), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
