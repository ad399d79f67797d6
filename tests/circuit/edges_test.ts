import {
  Circuit,
  type CircuitSnapshot,
  consecutive,
  failureRate,
  total,
  type TripPolicy,
} from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Call } from "../../src/circuit/call.ts";
import { Deadlines, type TimedCall } from "../../src/circuit/deadlines.ts";
import { stopping } from "../stage/hosting.ts";
import { calls, permit, rig } from "../stage/circuit_stage.ts";
import { START } from "../stage/clock.ts";
import { deferred } from "../stage/deferred.ts";
import { only, types } from "../stage/events.ts";
import { listenersOf } from "../stage/listeners.ts";
import { settled } from "../stage/settle.ts";

// ---- Windows of several policies are restored ----

const SEVERAL = () => [consecutive(3), total(4)];

/** Returns what a circuit with these policies saves after these calls. */
function savedBy(trip: TripPolicy[], ...verdicts: ("success" | "failure")[]): CircuitSnapshot {
  const { circuit } = rig({ trip });
  calls(circuit, ...verdicts);
  return JSON.parse(JSON.stringify(circuit));
}

Deno.test("15: each policy gets its own window back", () => {
  const state = savedBy(SEVERAL(), "failure", "failure", "success", "failure");

  const { circuit, events } = rig({ trip: SEVERAL(), state });
  calls(circuit, "failure");

  assertEquals(only(events, "state").map(({ reason }) => reason), ["4 failures"]);
});

Deno.test("15: windows are not restored to policies in another order", () => {
  const state = savedBy(SEVERAL(), "failure", "failure");

  const { circuit, events } = rig({ trip: SEVERAL().reverse(), state });
  calls(circuit, "failure", "failure");

  assertEquals(circuit.state, "closed");
  assertEquals(only(events, "error"), []);
});

Deno.test("15: windows are not restored when a policy is gone", () => {
  const state = savedBy(SEVERAL(), "failure", "failure");

  const { circuit } = rig({ trip: SEVERAL().slice(0, 1), state });
  calls(circuit, "failure");

  assertEquals(circuit.state, "closed");
});

Deno.test("15: a policy that saves nothing starts afresh beside one that is restored", () => {
  const started: unknown[] = [];
  const forgetful: TripPolicy = {
    name: "forgetful",
    start(...saved) {
      started.push(saved);
      return { record: () => undefined };
    },
  };
  const trip = [forgetful, consecutive(3)];
  const state = savedBy(trip, "failure", "failure");
  started.length = 0;

  const { circuit, events } = rig({ trip, state });
  calls(circuit, "failure");

  assertEquals(started, [[undefined]]);
  assertEquals(only(events, "error"), []);
  assertEquals(circuit.state, "open");
});

Deno.test("15: a policy gets back only what it saved, whatever the others saved", () => {
  const state = savedBy(SEVERAL(), "failure", "success", "failure");

  assertEquals(state.windows, [
    { policy: "consecutive(3)", saved: 1 },
    { policy: "total(4)", saved: 2 },
  ]);
});

const SLICES = Array(20).fill(0);
const UNREADABLE = [
  [failureRate({ lastCalls: 2 }), [5, "012", "x", "01\n", null, [], ["01"]]],
  [failureRate({ windowMs: 100, minimumCalls: 2 }), [
    5,
    null,
    {},
    { began: 0, slice: 0, slices: "" },
    { began: 0, slice: 0, slices: SLICES.slice(1) },
    { began: 0, slice: 0, slices: [...SLICES.slice(1), -1] },
    { began: 0, slice: -1, slices: SLICES },
    { began: 0, slice: 0.5, slices: SLICES },
    { began: null, slice: 0, slices: SLICES },
    { began: 1, slice: 0 },
  ]],
] as const;

for (const [trip, damaged] of UNREADABLE) {
  for (const saved of damaged) {
    Deno.test(`15: ${trip.name} starts over and is reported if ${JSON.stringify(saved)} was saved`, () => {
      const windows = [{ policy: trip.name ?? "", saved }];

      const { circuit, events } = rig({ trip, state: { version: 1, state: "closed", windows } });

      assertEquals(only(events, "error").map(({ source }) => source), ["policy"]);
      calls(circuit, "failure");
      assertEquals(circuit.state, "closed");
      calls(circuit, "failure");
      assertEquals(circuit.state, "open");
    });
  }
}

// ---- The window of the last calls ----

/** Reports at each failure how many calls failed, and of how many. */
const lastThree = failureRate({ lastCalls: 3, minimumCalls: 1, threshold: 1e-9 });

/** The expected report after these calls, "s" for success and "f" for failure. */
function expected(verdicts: string): string | undefined {
  const last = verdicts.slice(-3);
  const failures = [...last].filter((one) => one === "f").length;
  return verdicts.endsWith("f") ? `${failures} of the last ${last.length} calls failed` : undefined;
}

/** All sequences of this length: "ss", "sf", "fs", "ff". */
function allOf(length: number): string[] {
  return length === 0 ? [""] : allOf(length - 1).flatMap((one) => [`${one}s`, `${one}f`]);
}

for (const restoredAfter of [undefined, 0, 2, 3, 4, 6]) {
  const when = restoredAfter === undefined ? "" : `, restored after ${restoredAfter} calls`;
  Deno.test(`13: the window of the last calls agrees with a list of all calls${when}`, () => {
    for (const verdicts of allOf(8)) {
      let window = lastThree.start();
      for (let call = 1; call <= verdicts.length; call++) {
        if (call - 1 === restoredAfter) window = lastThree.start(window.toJSON?.());
        const verdict = verdicts[call - 1] === "f" ? "failure" : "success";

        const reason = window.record(verdict, 0, 0);

        assertEquals(reason, expected(verdicts.slice(0, call)), verdicts.slice(0, call));
      }
      assertEquals(window.toJSON?.(), verdicts.slice(-3).replaceAll("s", "0").replaceAll("f", "1"));
    }
  });
}

// ---- The time that a policy is given ----

/** Makes a circuit without a listener; its policy notes its arguments and opens at a failure. */
function timed(timed: TripPolicy["timed"]) {
  const heard: unknown[] = [];
  const clock = { ms: START };
  const trip: TripPolicy = {
    timed,
    start: () => ({
      record(...args) {
        heard.push(args);
        return args[0] === "failure" ? "a failure" : undefined;
      },
    }),
  };
  return { circuit: new Circuit({ trip, now: () => clock.ms }), clock, heard };
}

const GIVEN = [
  ["omitted", undefined, START + 70, 70],
  ["true", true, START + 70, 70],
  ['"end"', "end", START + 70, 0],
  ["false", false, 0, 0],
] as const;

for (const [name, value, at, durationMs] of GIVEN) {
  Deno.test(`13: a policy with timed ${name} is given what it asks for on a run, and opens on time`, async () => {
    const { circuit, clock, heard } = timed(value);
    const fails = () => {
      clock.ms += 70;
      return Promise.reject(new Error("down"));
    };

    await circuit.run(fails).catch(() => {});

    assertEquals(heard, [["failure", at, durationMs]]);
    assertEquals(circuit.toJSON().opening?.openedAt, START + 70);
  });

  Deno.test(`13: a policy with timed ${name} is given what it asks for on a permit, and opens on time`, () => {
    const { circuit, clock, heard } = timed(value);
    const call = permit(circuit);
    clock.ms += 70;

    call.settle("failure");

    assertEquals(heard, [["failure", at, durationMs]]);
    assertEquals(circuit.toJSON().opening?.openedAt, START + 70);
  });
}

Deno.test("13: a policy that asks for the time is given it, whatever the others ask for", () => {
  const heard: unknown[] = [];
  const rate: TripPolicy = {
    timed: "end",
    start: () => ({ record: (...args) => void heard.push(args) }),
  };
  const circuit = new Circuit({ trip: [consecutive(9), rate], now: () => START });

  calls(circuit, "success");

  assertEquals(heard, [["success", START, 0]]);
});

// ---- Signals ----

Deno.test("11: a function that declares its parameter gets a signal, even if nothing can abort it", async () => {
  const circuit = new Circuit();

  assertEquals(await circuit.run((signal) => signal.aborted), false);
  assertEquals(await circuit.run((...none) => none.length), 0);
});

Deno.test("11: a signal that outlives many calls keeps none of their listeners", async () => {
  const { signal } = new AbortController();
  const listeners = listenersOf(signal);
  const circuit = new Circuit();

  for (let call = 0; call < 3; call++) await circuit.run((own) => own.aborted, { signal });

  assertEquals(listeners.count, 0);
});

Deno.test("11: a call released at once never listens to its caller's signal", async () => {
  const controller = new AbortController();
  const answer = deferred<string>();
  const call = new Call(() => answer.promise, {
    caller: { signal: controller.signal, justArrived: true },
    deadlines: undefined,
    takesSignal: false,
    mayRelease: true,
  });
  call.release();
  await settled();

  controller.abort();
  answer.resolve("fine");

  assertEquals(await call.result, "fine");
  assertEquals(call.endedBy, undefined);
});

// ---- Deadlines ----

for (const done of [[0], [2], [0, 1], [2, 1], [0, 1, 2]]) {
  Deno.test(`11: of three calls begun at once, all but ${done} still time out`, async () => {
    using time = new FakeTime();
    const deadlines = new Deadlines(100);
    const over: number[] = [];
    const timed = [0, 1, 2].map((index): TimedCall => ({
      deadline: undefined,
      timeOut: () => void over.push(index),
    }));
    for (const call of timed) deadlines.add(call);

    for (const index of done) deadlines.delete(timed[index]!);
    time.tick(100);
    await settled(300);

    assertEquals(over, [2, 1, 0].filter((index) => !done.includes(index)));
    assertEquals(time.next(), false);
  });
}

Deno.test("11: on Workers, where a timer ends with its request, each call has its own timer", async () => {
  using time = new FakeTime();
  using _ = stopping();
  const set = globalThis.setTimeout;
  let timers = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof set>) => {
    timers++;
    return set(...args);
  }) as typeof set;
  const deadlines = new Deadlines(100);
  let over = 0;

  for (const _ of [0, 1, 2]) deadlines.add({ deadline: undefined, timeOut: () => void over++ });
  globalThis.setTimeout = set;
  time.tick(100);
  await settled(300);

  assertEquals([timers, over], [3, 3]);
});

Deno.test("a permit's settle may be passed as a callback", () => {
  const { circuit, events } = rig({ threshold: 1 });
  const { settle } = permit(circuit);

  ["failure" as const].forEach((verdict) => settle(verdict));
  settle("success");

  assertEquals([circuit.state, types(events)], ["open", ["failure", "state"]]);
});

Deno.test("a function that takes its arguments as a list gets no signal", async () => {
  const { circuit } = rig({ timeoutMs: 1_000 });

  const got = await circuit.run((...args: unknown[]) => args, {
    signal: new AbortController().signal,
  });

  assertEquals(got, [undefined]);
});
