import { backoff, Circuit, consecutive, type TripPolicy, type Verdict } from "@lastgood/breaker";
import { assertEquals, assertRejects } from "@std/assert";
import { calls, due, rig } from "../stage/circuit_stage.ts";
import { moves, only } from "../stage/events.ts";

const NONSENSE: readonly unknown[] = [
  null,
  0,
  1,
  NaN,
  true,
  "",
  "Success",
  {},
  [],
  () => "success",
];

function throwing(): never {
  throw new Error("callback");
}

/** Faulty judges. */
const JUDGES = [
  ["throws", throwing],
  ["throws undefined", () => {
    throw undefined;
  }],
  ...NONSENSE.map((value) => [`returns ${JSON.stringify(value) ?? value}`, () => value]),
] as unknown as readonly [string, () => Verdict][];

for (const [what, judge] of JUDGES) {
  Deno.test(`9: a judge that ${what} leaves the default verdict and is reported`, async () => {
    const { circuit, events } = rig({ threshold: 1, judge });

    assertEquals(await circuit.run(() => 42), 42);
    assertEquals(circuit.state, "closed");
    await assertRejects(() => circuit.run(() => Promise.reject(new Error("own"))), Error, "own");

    assertEquals(circuit.state, "open");
    assertEquals(only(events, "error").map(({ source }) => source), ["judge", "judge"]);
  });
}

Deno.test("9: a judge that returns undefined leaves the default verdict without an error", async () => {
  const { circuit, events } = rig({ threshold: 1, judge: () => undefined });

  await circuit.run(() => 42);
  await circuit.run(() => Promise.reject(new Error("own"))).catch(() => {});

  assertEquals([circuit.state, only(events, "error").length], ["open", 0]);
});

/** Faulty delay policies. */
const DELAYS = [
  ["throws", throwing],
  ...[NaN, -1, 1e300, Infinity, undefined, null, "1000", {}, 5n].map((
    value,
  ) => [`returns ${String(value)}`, () => value]),
] as unknown as readonly [string, () => number][];

for (const [what, delayMs] of DELAYS) {
  Deno.test(`9: a delay policy that ${what} is replaced by a minute and is reported`, () => {
    const { circuit, events } = rig({ delayMs });

    calls(circuit, "failure", "failure");

    assertEquals([circuit.state, circuit.retryAfterMs], ["open", 60_000]);
    assertEquals(only(events, "error").map(({ source }) => source), ["policy"]);
    assertEquals(moves(events), ["closed > open"]);
  });
}

Deno.test("9: a random that throws or returns nonsense cannot keep a circuit from opening", () => {
  for (const random of [throwing, () => NaN, () => -1e9, () => "x" as unknown as number]) {
    const { circuit } = rig({ delayMs: backoff({ baseMs: 100, maxMs: 1_000 }), random });

    calls(circuit, "failure", "failure");

    assertEquals(circuit.state, "open");
    assertEquals(circuit.retryAfterMs, 60_000);
  }
});

/** Trip policies with a faulty start. */
const STARTS = [
  ["throws at start", { start: throwing }],
  ["starts nothing", { start: () => undefined }],
  ["starts nonsense", { start: () => ({ record: 5 as unknown }) }],
] as unknown as readonly [string, TripPolicy][];

for (const [what, trip] of STARTS) {
  Deno.test(`9: a trip policy that ${what} is replaced by five failures in a row`, () => {
    const { circuit, events } = rig({ trip });

    calls(circuit, "failure", "failure", "failure", "failure");
    assertEquals(circuit.state, "closed");
    calls(circuit, "failure");

    assertEquals(circuit.state, "open");
    assertEquals(only(events, "error").map(({ source }) => source), ["policy"]);
  });
}

/** Windows with a faulty record. */
const RECORDS = [
  ["throws", throwing],
  ...[null, 0, true, {}, Promise.resolve("open")].map((value) => [
    `returns ${String(value)}`,
    () => value,
  ]),
] as unknown as readonly [string, () => string][];

for (const [what, record] of RECORDS) {
  Deno.test(`9: a window that ${what} does not open the circuit, nor keep other policies from opening it`, () => {
    const broken = { start: () => ({ record }) };
    const { circuit, events } = rig({ trip: [broken, consecutive(2)] });

    calls(circuit, "failure");
    assertEquals(circuit.state, "closed");
    calls(circuit, "failure");

    assertEquals(circuit.state, "open");
    assertEquals(only(events, "error").map(({ source }) => source), ["policy", "policy"]);
  });
}

Deno.test("9: a window that cannot be saved is reported, and the rest is saved", () => {
  const broken = { start: () => ({ record: () => undefined, toJSON: throwing }) };
  const { circuit, events } = rig({ trip: [broken, consecutive(2)] });
  calls(circuit, "failure");

  const { windows } = circuit.toJSON();

  assertEquals(windows?.[1], { policy: "consecutive(2)", saved: 1 });
  assertEquals(only(events, "error").map(({ source }) => source), ["policy"]);
});

Deno.test("9: errors of a listener that throws or rejects are ignored, in every state", async () => {
  const listeners: (() => unknown)[] = [
    throwing,
    () => Promise.reject(new Error("later")),
    () => ({ then: throwing }),
    () => ({ then: (_: unknown, no: (error: Error) => void) => no(new Error("thenable")) }),
    () => Object.defineProperty({}, "then", { get: throwing }),
  ];
  for (const onEvent of listeners) {
    const { circuit, clock } = rig({ threshold: 1, onEvent: onEvent as () => void });

    assertEquals(await circuit.run(() => 1), 1);
    await assertRejects(() => circuit.run(() => Promise.reject(new Error("own"))), Error, "own");
    await assertRejects(() => circuit.run(() => 1), Error, "retry after 1 secs");
    clock.ms += 1_000;
    assertEquals(await circuit.run(() => 2), 2);
    circuit.isolate()();
    circuit.trip();
    circuit.reset();

    assertEquals(circuit.state, "closed");
  }
});

Deno.test("9: an error event carries the callback's own error", () => {
  const error = new Error("callback");
  const { circuit, events } = rig({
    delayMs: () => {
      throw error;
    },
  });

  circuit.trip();

  assertEquals(only(events, "error").map((event) => event.error), [error]);
});

Deno.test("9: faulty callbacks do no harm without a listener, either", async () => {
  const circuit = new Circuit({
    judge: throwing,
    delayMs: throwing,
    trip: [{ start: throwing }, { start: () => ({ record: throwing }) }, consecutive(1)],
  });

  await assertRejects(() => circuit.run(() => Promise.reject(new Error("own"))), Error, "own");

  assertEquals(circuit.state, "open");
});

Deno.test("9: the judge is called with the outcome, once per call", async () => {
  const asked: PromiseSettledResult<unknown>[] = [];
  const { circuit } = due({ judge: (outcome) => void asked.push(outcome) });
  const reason = new Error("x");

  await circuit.run(() => 7);
  await circuit.run(() => Promise.reject(reason)).catch(() => {});

  assertEquals(asked, [{ status: "fulfilled", value: 7 }, { status: "rejected", reason }]);
});

Deno.test("9: the judge may turn a result into a failure and an error into a success", async () => {
  const { circuit } = rig<number>({
    threshold: 1,
    judge: ({ status }) => status === "fulfilled" ? "failure" : "success",
  });

  await circuit.run(() => Promise.reject(new Error("fine"))).catch(() => {});
  assertEquals(circuit.state, "closed");
  await circuit.run(() => 1);

  assertEquals(circuit.state, "open");
});
