import {
  backoff,
  Circuit,
  type CircuitOptions,
  consecutive,
  failureRate,
  total,
} from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { calls } from "./rig.ts";

function frozen<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null) frozen(member);
  }
  return Object.freeze(value);
}

Deno.test("16: options are read, never written", () => {
  const saved = new Circuit({ trip: [consecutive(2), total(9)] }).toJSON();
  const options = frozen({
    trip: [consecutive(2), total(9)],
    delayMs: backoff({ baseMs: 10, maxMs: 10 }),
    state: JSON.parse(JSON.stringify(saved)),
    now: () => 0,
  });

  const circuit = new Circuit(options);
  calls(circuit, "failure", "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("16: options changed later change nothing", () => {
  const trip = [consecutive(2)];
  const options = { trip, delayMs: 10, now: () => 0 };
  const circuit = new Circuit(options);

  trip[0] = consecutive(1);
  trip.push(consecutive(1));
  options.delayMs = 99;
  calls(circuit, "failure");

  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");
  assertEquals(circuit.retryAfterMs, 10);
});

Deno.test("16: options changed later are seen by the next circuit", () => {
  const told: string[] = [];
  const made: CircuitOptions[] = [
    { threshold: 1 },
    { trip: total(1) },
    { trip: [total(1)] },
    { threshold: 1, delayMs: 77 },
    { threshold: 1, probes: 2 },
    { threshold: 1, mode: "observe" },
    { threshold: 1, judge: () => "ignored" },
    { threshold: 1, now: () => 5 },
    { threshold: 1, onEvent: ({ type }) => void told.push(type) },
  ];
  const seen = (options: CircuitOptions) => {
    told.length = 0;
    const circuit = new Circuit(options);
    calls(circuit, "failure");
    const { state, retryAfterMs } = circuit;
    return [state, retryAfterMs > 0, circuit.toJSON().opening?.delayMs, told.length > 0];
  };
  const alone = made.map((options) => seen({ now: () => 0, ...options }));

  const options: { -readonly [name in keyof CircuitOptions]: CircuitOptions[name] } = {};
  const inTurn = made.map((one) => {
    for (const name of Object.keys(options)) delete options[name as keyof CircuitOptions];
    return seen(Object.assign(options, { now: () => 0 }, one));
  });

  assertEquals(inTurn, alone);
});

Deno.test("16: one options object makes any number of independent circuits", () => {
  for (const trip of [consecutive(2), total(2), failureRate({ lastCalls: 2, threshold: 1 })]) {
    const options = frozen({ trip, now: () => 0 });
    const circuits = [new Circuit(options), new Circuit(options), new Circuit(options)];

    for (const circuit of circuits) calls(circuit, "failure");
    calls(circuits[1]!, "failure");

    assertEquals(circuits.map(({ state }) => state), ["closed", "open", "closed"]);
  }
});

Deno.test("17: construction asks no clock, no chance, no policy and no listener", () => {
  const asked: string[] = [];
  const ask = (what: string) => () => {
    asked.push(what);
    return 0;
  };
  const { open } = { open: new Circuit({ now: () => 0 }) };
  open.trip();

  for (const state of [undefined, open.toJSON()]) {
    new Circuit({
      now: ask("now"),
      random: ask("random"),
      delayMs: ask("delay"),
      judge: () => void ask("judge")(),
      onEvent: ask("onEvent"),
      trip: { start: () => ({ record: () => undefined }) },
      ...(state === undefined ? {} : { state }),
    });
  }

  assertEquals(asked, []);
});

Deno.test("17: no timer keeps a state", async () => {
  using time = new FakeTime();
  const circuit = new Circuit({ threshold: 1, delayMs: 1_000, probeTimeoutMs: 500 });

  calls(circuit, "failure");
  assertEquals(time.next(), false);
  time.tick(1_000);
  circuit.acquire();
  assertEquals(time.next(), false);
  time.tick(500);
  assertEquals(await circuit.run(() => 1), 1);

  assertEquals(circuit.state, "closed");
});

Deno.test("17: the default clock is read at the call, so that a faked one is seen", () => {
  using time = new FakeTime(5_000);
  const circuit = new Circuit({ threshold: 1, delayMs: 1_000 });

  calls(circuit, "failure");
  assertEquals(circuit.toJSON().opening?.openedAt, 5_000);
  time.tick(999);
  assertEquals(circuit.state, "open");
  time.tick(1);

  assertEquals(circuit.state, "half_open");
});

Deno.test("17: a closed circuit that nobody listens to asks no clock", async () => {
  let asked = 0;
  const now = () => ++asked;
  for (const trip of [consecutive(9), total(9), failureRate({ lastCalls: 9 })]) {
    const circuit = new Circuit({ trip, now });

    await circuit.run(() => 1);
    await circuit.run(() => Promise.reject(new Error("x"))).catch(() => {});

    assertEquals(asked, 0);
  }
});

Deno.test("circuit has the name it is given, or is called circuit", () => {
  assertEquals(new Circuit().name, "circuit");
  assertEquals(new Circuit({ name: "stock" }).name, "stock");
});
