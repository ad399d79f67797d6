import {
  backoff,
  Circuit,
  type CircuitOptions,
  consecutive,
  failureRate,
  total,
} from "@lastgood/breaker";
import { assertEquals, assertNotEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Clock } from "../stage/clock.ts";
import { frozen } from "../stage/frozen.ts";
import { calls } from "../stage/circuit_stage.ts";

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

Deno.test("16: changing options later has no effect", () => {
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

/** A change to one option, and how to see it in a circuit. */
const CHANGES: readonly (readonly [CircuitOptions, (circuit: Circuit) => unknown])[] = [
  [{ threshold: 1 }, ({ state }) => state],
  [{ trip: total(1) }, ({ state }) => state],
  [{ delayMs: 77 }, tripped],
  [{ random: () => 0.5 }, tripped],
  [{ probes: 2 }, taken],
  [{ probeTimeoutMs: 5 }, (circuit) => [taken(circuit), circuit.retryAfterMs]],
  [{ mode: "observe" }, taken],
  [{ now: () => 5 }, (circuit) => (circuit.trip(), circuit.toJSON().opening?.openedAt)],
  [{ timeoutMs: 1 }, async (circuit) => {
    using time = new FakeTime();
    const run = circuit.run(() => new Promise(() => {})).catch(({ name }) => name);
    await time.tickAsync(1);
    await time.tickAsync(0);
    return await Promise.race([run, "waits"]);
  }],
];

function tripped(circuit: Circuit): number {
  circuit.trip();
  return circuit.retryAfterMs;
}

/** Counts how many of three calls at once a half open circuit admits. */
function taken(circuit: Circuit): number {
  circuit.trip();
  clock.ms += 1_000;
  return [1, 2, 3].filter(() => circuit.acquire()).length;
}

const clock = new Clock(0);

Deno.test("16: circuits made one after another from the same options differ as soon as one option does", async () => {
  const trip = total(2);
  const delayMs = (_: number, random: () => number) => 500 + random();
  const base: CircuitOptions = { trip, delayMs, random: () => 0.25, now: clock.now };
  for (const [change, seen] of CHANGES) {
    const look = (options: CircuitOptions) => {
      const { trip: _, ...rest } = options;
      const circuit = new Circuit(options.threshold === undefined ? options : rest);
      calls(circuit, "failure");
      return seen(circuit);
    };
    const changed = { ...base, ...change };
    // With another judge it shares its settings with no other circuit.
    const alone = await look({ ...changed, judge: () => undefined });

    const [before, after] = [await look(base), await look(changed)];
    const again = [await look(changed), await look(base)];

    assertEquals([after, again], [alone, [alone, before]]);
    assertNotEquals(after, before);
  }
});

Deno.test("16: each circuit calls its own listener and judge", async () => {
  const reported: string[] = [];
  const base = { threshold: 1, now: () => 0 };
  new Circuit(base);
  const judged = new Circuit({ ...base, judge: () => "failure" });
  const heard = new Circuit({ ...base, onEvent: ({ type }) => void reported.push(type) });
  const plain = new Circuit(base);

  for (const circuit of [judged, heard, plain]) await circuit.run(() => 1);

  assertEquals([judged.state, heard.state, plain.state], ["open", "closed", "closed"]);
  assertEquals(reported, ["success"]);
});

Deno.test("16: circuits made one after another keep their own thresholds", () => {
  const now = () => 0;
  const circuits = [2, 1].map((threshold) => new Circuit({ threshold, now }));

  for (const circuit of circuits) calls(circuit, "failure");

  assertEquals(circuits.map(({ state }) => state), ["closed", "open"]);
});

Deno.test("16: options on a prototype apply only to their own circuit", () => {
  class Options implements CircuitOptions {
    get threshold() {
      return 1;
    }
  }
  const circuits = [new Circuit(new Options()), new Circuit(), new Circuit(new Options())];

  for (const circuit of circuits) calls(circuit, "failure");

  assertEquals(circuits.map(({ state }) => state), ["open", "closed", "open"]);
});

Deno.test("16: the next circuit sees changes to a list of policies", () => {
  const trip = [consecutive(2)];
  const options = { trip, now: () => 0 };
  const before = new Circuit(options);

  trip[0] = consecutive(1);
  const after = new Circuit(options);
  for (const circuit of [before, after]) calls(circuit, "failure");

  assertEquals([before.state, after.state], ["closed", "open"]);
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

Deno.test("17: construction calls no clock, random, policy or listener", () => {
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

Deno.test("17: no state is kept in a timer", async () => {
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

Deno.test("17: the default clock is looked up at each call, so a faked one is used", () => {
  using time = new FakeTime(5_000);
  const circuit = new Circuit({ threshold: 1, delayMs: 1_000 });

  calls(circuit, "failure");
  assertEquals(circuit.toJSON().opening?.openedAt, 5_000);
  time.tick(999);
  assertEquals(circuit.state, "open");
  time.tick(1);

  assertEquals(circuit.state, "half_open");
});

Deno.test("17: a closed circuit without a listener reads no clock", async () => {
  let asked = 0;
  const now = () => ++asked;
  for (const trip of [consecutive(9), total(9), failureRate({ lastCalls: 9 })]) {
    const circuit = new Circuit({ trip, now });

    await circuit.run(() => 1);
    await circuit.run(() => Promise.reject(new Error("x"))).catch(() => {});

    assertEquals(asked, 0);
  }
});

Deno.test("a circuit has the given name, or is called circuit", () => {
  assertEquals(new Circuit().name, "circuit");
  assertEquals(new Circuit({ name: "stock" }).name, "stock");
});
