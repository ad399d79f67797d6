/** Objects that a Worker makes at module scope, where there is no clock, timer or randomness. */
import {
  backoff,
  breaker,
  Circuit,
  consecutive,
  failureRate,
  logTo,
  slowRate,
  total,
} from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { upstream } from "@lastgood/breaker/testing";
import { assertEquals } from "@std/assert";
import { test } from "./host.ts";
import { ask, stage } from "../../stage/worker_stage.ts";

const everyOption = {
  name: "all",
  trip: [consecutive(3), total(9), failureRate(), slowRate({ slowMs: 100 })],
  delayMs: backoff({ baseMs: 100, maxMs: 1_000 }),
  probes: 2,
  probeTimeoutMs: 5_000,
  timeoutMs: 1_000,
  onEvent: logTo(console),
};
const opening = { openedAt: 0, delayMs: 1_000, reopenings: 0, succeeded: 0 };
const saved = { version: 1, state: "open", opening } as const;

/** Each of these is made while the module loads. */
const made = Object.entries({
  "breaker()": () => breaker(),
  "breaker() with options": () =>
    breaker({ ...everyOption, lastGood: { freshMs: 1_000, patienceMs: 100, partition: String } }),
  "a wrapped handler": () => breaker().wrap(() => new Response("text")),
  "a circuit of a breaker": () => breaker().circuit("key"),
  "breaker().forget()": () => breaker().forget(),
  "breaker().idle()": () => breaker().idle(),
  "new Circuit()": () => new Circuit(),
  "new Circuit() with options": () => new Circuit(everyOption),
  "a wrapped function": () => new Circuit().wrap(() => 1),
  "a restored circuit": () => new Circuit({ state: saved }),
  "circuit.state": () => new Circuit({ state: saved }).state,
  "circuit.acquire()": () => new Circuit().acquire()?.settle("success"),
  "circuit.isolate()": () => new Circuit().isolate()(),
  "circuit.trip()": () => new Circuit().trip(),
  "circuit.reset()": () => new Circuit().reset(),
  "circuit.toJSON()": () => new Circuit().toJSON(),
  "the middleware": () => middleware(),
  "a scripted upstream": () => upstream([200, "hang"]),
}).map(([name, make]) => [name, outcome(make)] as const);

function outcome(make: () => unknown): string {
  try {
    make();
    return "made";
  } catch (error) {
    return String(error);
  }
}

for (const [name, how] of made) {
  test(`17: ${name} works at module scope`, () => assertEquals(how, "made"));
}

const restored = new Circuit({ state: saved });
const running = new Circuit().run(() => 42);

test("15: a circuit restored at module scope reads half_open in a request long afterwards", () => {
  assertEquals(restored.state, "half_open");
});

test("17: a call made at module scope that needs no I/O returns its result", async () => {
  assertEquals(await running, 42);
});

const plain = stage("/module-scope", "wrap");

test("17: a breaker made at module scope guards later requests", async () => {
  assertEquals((await ask("/module-scope")).text, "good");
  assertEquals(plain.state, "closed");
});
