/** Scenarios from other breakers' tests, in this one's terms. */

import {
  CircuitOpenError,
  consecutive,
  failureRate,
  slowRate,
  type TripPolicy,
} from "@lastgood/breaker";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { calls, due, permit, rig } from "../stage/circuit_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { moves, only, types } from "../stage/events.ts";

const boom = () => Promise.reject(new Error("boom"));

// ---- opossum ----

Deno.test("opossum: a volume below the threshold does not open the circuit, however many fail", () => {
  const { circuit } = rig({ trip: failureRate({ threshold: 0.01, minimumCalls: 10 }) });

  calls(circuit, ...Array<"failure">(9).fill("failure"));
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("opossum: rejected calls do not enter the rate, so 40 of 40 failed calls open the circuit", () => {
  const { circuit, clock } = rig({ trip: failureRate({ threshold: 1, minimumCalls: 40 }) });
  circuit.trip();
  for (let refused = 0; refused < 500; refused++) assertEquals(circuit.acquire(), undefined);
  clock.ms += 1_000;
  calls(circuit, "success");

  calls(circuit, ...Array<"failure">(40).fill("failure"));

  assertEquals(circuit.state, "open");
});

Deno.test("opossum: an error filter keeps expected errors from counting as failures", async () => {
  const { circuit, events } = rig<number>({
    threshold: 1,
    judge: (outcome) =>
      outcome.status === "rejected" && outcome.reason?.code === 404 ? "success" : undefined,
  });
  const notFound = Object.assign(new Error("not found"), { code: 404 });

  await assertRejects(() => circuit.run(() => Promise.reject(notFound)), Error, "not found");
  assertEquals([circuit.state, types(events)], ["closed", ["success"]]);
  await assertRejects(() => circuit.run(boom), Error, "boom");

  assertEquals(circuit.state, "open");
});

Deno.test("opossum: a call that times out and succeeds later counts once, as a failure", async () => {
  using time = new FakeTime();
  const { circuit, events } = rig({ threshold: 2, timeoutMs: 50 });
  const answer = deferred<string>();
  const late = circuit.run(() => answer.promise).catch(({ name }) => name);

  await time.tickAsync(50);
  answer.resolve("too late");

  assertEquals([await late, circuit.state, types(events)], ["TimeoutError", "closed", ["failure"]]);
});

Deno.test("opossum: a half open circuit with many callers at once calls its upstream once", async () => {
  const { circuit } = due();
  const answer = deferred<string>();
  let reached = 0;
  const ask = () =>
    circuit.run(() => {
      reached++;
      return answer.promise;
    });

  const all = [ask(), ask(), ask()];
  answer.resolve("back");
  const ends = await Promise.allSettled(all);

  assertEquals([reached, ends.map(({ status }) => status)], [1, [
    "fulfilled",
    "rejected",
    "rejected",
  ]]);
});

Deno.test("opossum: a circuit switched off by its options stays off, and passes errors on", async () => {
  const { circuit } = rig({ threshold: 1, mode: "off" });

  for (let call = 0; call < 3; call++) await assertRejects(() => circuit.run(boom), Error, "boom");

  assertEquals(circuit.state, "closed");
});

// ---- cockatiel ----

Deno.test("cockatiel: a count over the last calls can wait until its ring is full", () => {
  const trip = failureRate({ lastCalls: 4, minimumCalls: 4, threshold: 0.5 });
  const { circuit } = rig({ trip });

  calls(circuit, "failure", "failure", "failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "success");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("cockatiel: sampling forgets failures older than its duration", () => {
  const trip = failureRate({ threshold: 0.5, minimumCalls: 4, windowMs: 1_000 });
  const { circuit, clock } = rig({ trip });

  calls(circuit, "failure", "failure", "failure");
  clock.ms += 1_000;
  calls(circuit, "success", "success", "success", "failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure", "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("cockatiel: isolation nests: each holder releases only its own", () => {
  const { circuit } = rig();
  const first = circuit.isolate();
  const second = circuit.isolate();

  first();
  first();
  assertEquals(circuit.state, "open");
  second();

  assertEquals(circuit.state, "closed");
});

Deno.test("cockatiel: a call from before the break that succeeds does not close the circuit", async () => {
  const { circuit, events } = rig({ threshold: 1 });
  const answer = deferred<string>();
  const slow = circuit.run(() => answer.promise);
  calls(circuit, "failure");

  answer.resolve("fine");

  assertEquals([await slow, circuit.state], ["fine", "open"]);
  assertEquals(moves(events), ["closed > open"]);
});

Deno.test("cockatiel: a call from before the break that fails in half open does not reopen the circuit", async () => {
  const { circuit, clock } = rig({ threshold: 1 });
  const answer = deferred<string>();
  const slow = circuit.run(() => answer.promise).catch(({ message }) => message);
  calls(circuit, "failure");
  clock.ms += 1_000;
  const probe = permit(circuit);

  answer.reject(new Error("late"));

  assertEquals([await slow, circuit.state], ["late", "half_open"]);
  probe.settle("success");
  assertEquals(circuit.state, "closed");
});

Deno.test("cockatiel: a state handed over opens the circuit in the next process, too", async () => {
  const { circuit } = rig({ threshold: 1 });
  calls(circuit, "failure");

  const { circuit: next, clock } = rig({ state: JSON.parse(JSON.stringify(circuit)) });

  await assertRejects(() => next.run(() => 1), CircuitOpenError);
  clock.ms += 1_000;
  assertEquals(await next.run(() => 1), 1);
});

// ---- gobreaker ----

Deno.test("gobreaker: half open refuses calls beyond the allowed number", () => {
  const { circuit } = due({ probes: 3 });

  const given = Array.from({ length: 5 }, () => circuit.acquire() !== undefined);

  assertEquals(given, [true, true, true, false, false]);
});

Deno.test("gobreaker: the user's own counts decide when to trip", () => {
  const trip: TripPolicy = {
    start() {
      let requests = 0;
      let failures = 0;
      return {
        record(verdict) {
          requests++;
          if (verdict === "failure") failures++;
          return requests >= 3 && failures / requests >= 0.6 ? "60 % failed" : undefined;
        },
      };
    },
  };
  const { circuit, events } = rig({ trip });

  calls(circuit, "success", "failure", "failure");

  assertEquals(only(events, "state").map(({ reason }) => reason), ["60 % failed"]);
});

Deno.test("gobreaker: a call that panics is counted, and panics on", async () => {
  const { circuit } = rig({ threshold: 1 });
  const panic = new RangeError("index out of range");

  const caught = await circuit.run(() => {
    throw panic;
  }).catch((error) => error);

  assertStrictEquals(caught, panic);
  assertEquals(circuit.state, "open");
});

Deno.test("gobreaker: other calls may run between the two steps of one call", () => {
  const { circuit } = rig({ threshold: 2 });
  const first = permit(circuit);
  const second = permit(circuit);

  second.settle("failure");
  calls(circuit, "success");
  first.settle("failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("gobreaker: every change of state is reported once, in order", () => {
  const { circuit, clock, events } = rig({ threshold: 1 });

  calls(circuit, "failure");
  clock.ms += 1_000;
  calls(circuit, "failure");
  clock.ms += 1_000;
  calls(circuit, "success");

  assertEquals(moves(events), [
    "closed > open",
    "open > half_open",
    "half_open > open",
    "open > half_open",
    "half_open > closed",
  ]);
});

// ---- pybreaker ----

Deno.test("pybreaker: the call that opens the circuit raises its own error, the next is refused", async () => {
  const { circuit } = rig({ threshold: 3 });

  for (let call = 0; call < 3; call++) await assertRejects(() => circuit.run(boom), Error, "boom");

  await assertRejects(() => circuit.run(boom), CircuitOpenError);
});

Deno.test("pybreaker: a decorated method keeps its self and its arguments", async () => {
  const { circuit } = rig();
  class Account {
    owner = "ada";
    greet = circuit.wrap(function (this: Account, word: string, end = "!") {
      return `${word}, ${this.owner}${end}`;
    });
  }

  assertEquals(await new Account().greet("hello"), "hello, ada!");
  assertEquals(await new Account().greet("bye", "."), "bye, ada.");
});

Deno.test("pybreaker: several successes are needed to close if the options ask for several", () => {
  const { circuit } = due({ probes: 3 });
  const states: string[] = [];

  for (let success = 0; success < 3; success++) {
    calls(circuit, "success");
    states.push(circuit.state);
  }

  assertEquals(states, ["half_open", "half_open", "closed"]);
});

Deno.test("pybreaker: a circuit opened manually refuses, one closed manually calls", async () => {
  const { circuit } = rig();

  circuit.trip();
  await assertRejects(() => circuit.run(() => 1), CircuitOpenError);
  circuit.reset();

  assertEquals(await circuit.run(() => 1), 1);
});

// ---- resilience4j ----

Deno.test("resilience4j: fast calls keep the circuit closed, slow ones open it although they succeed", () => {
  const { circuit, clock } = rig({
    trip: slowRate({ slowMs: 200, threshold: 0.5, minimumCalls: 4 }),
  });
  const take = (durationMs: number) => {
    const call = permit(circuit);
    clock.ms += durationMs;
    call.settle("success");
  };

  for (const durationMs of [199, 10, 200]) take(durationMs);
  assertEquals(circuit.state, "closed");
  take(1_000);

  assertEquals(circuit.state, "open");
});

Deno.test("resilience4j: slow and failing calls are counted side by side", () => {
  const trip = [slowRate({ slowMs: 200, minimumCalls: 3 }), consecutive(5)];
  const { circuit, events } = rig({ trip });

  calls(circuit, "failure", "failure", "failure");

  assertEquals(only(events, "state").map(({ reason }) => reason), ["3 of 3 calls were slow"]);
});

Deno.test("resilience4j: a permission returned unused leaves no trace", () => {
  const { circuit } = due({ probes: 1 });

  for (let taken = 0; taken < 2; taken++) permit(circuit).settle("ignored");

  assertEquals(circuit.state, "half_open");
  assert(circuit.acquire());
});

Deno.test("resilience4j: half open does not wait forever for calls that never end", () => {
  const { circuit, clock } = due({ probes: 2, probeTimeoutMs: 500 });
  permit(circuit);
  permit(circuit);
  clock.ms += 500;

  calls(circuit, "success", "success");

  assertEquals(circuit.state, "closed");
});

Deno.test("resilience4j: forced open outlasts its delay and every success", () => {
  const { circuit, clock } = rig();
  const late = permit(circuit);
  const release = circuit.isolate();
  clock.ms += 1e9;
  late.settle("success");

  assertEquals([circuit.state, circuit.acquire()], ["open", undefined]);
  release();
  assertEquals(circuit.state, "closed");
});

Deno.test("resilience4j: metrics-only mode counts and reports, and lets every call through", async () => {
  const { circuit, events } = rig({ mode: "observe" });

  for (let call = 0; call < 5; call++) await assertRejects(() => circuit.run(boom), Error, "boom");

  assertEquals(only(events, "failure").length, 5);
  assertEquals([moves(events), only(events, "refused")], [["closed > open"], []]);
});

// ---- Polly ----

Deno.test("Polly: calls that fail during the break do not lengthen it", async () => {
  const { circuit, clock } = rig({ threshold: 2 });
  const answer = deferred<never>();
  const slow = [1, 2, 3].map(() => circuit.run(() => answer.promise).catch(() => {}));
  calls(circuit, "failure", "failure");
  clock.ms += 600;

  answer.reject(new Error("late"));
  await Promise.all(slow);

  assertEquals(circuit.retryAfterMs, 400);
});

Deno.test("Polly: a caller's cancellation does not count against the upstream", async () => {
  const { circuit } = rig({ threshold: 1 });
  const caller = new AbortController();
  const call = circuit.run(() => new Promise(() => {}), { signal: caller.signal });

  caller.abort();

  await assertRejects(() => call, DOMException);
  assertEquals(circuit.state, "closed");
});

Deno.test("Polly: the length of a break may depend on the number of earlier breaks", () => {
  const { circuit, clock } = rig({ threshold: 1, delayMs: (again) => 100 + again * 50 });
  const delays: number[] = [];

  for (let time = 0; time < 4; time++) {
    calls(circuit, "failure");
    delays.push(circuit.retryAfterMs);
    clock.ms += circuit.retryAfterMs;
  }

  assertEquals(delays, [100, 150, 200, 250]);
});

Deno.test("Polly: a result may count as a failure, too", async () => {
  const { circuit } = rig<{ status: number }>({
    threshold: 2,
    judge: (outcome) =>
      outcome.status === "fulfilled" && outcome.value.status === 503 ? "failure" : undefined,
  });

  const results = [
    await circuit.run(() => ({ status: 503 })),
    await circuit.run(() => ({ status: 503 })),
  ];

  assertEquals([results.map(({ status }) => status), circuit.state], [[503, 503], "open"]);
});

Deno.test("Polly: an unhandled kind of error neither opens nor resets the count", async () => {
  const { circuit } = rig({
    threshold: 2,
    judge: (outcome) =>
      outcome.status === "rejected" && outcome.reason instanceof TypeError ? "ignored" : undefined,
  });

  calls(circuit, "failure");
  await circuit.run(() => Promise.reject(new TypeError("not ours"))).catch(() => {});
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
});
