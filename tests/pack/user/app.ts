/** Uses the library as a user would, through each entry. Throws if anything is wrong. */

import {
  backoff,
  breaker,
  type BreakerEvent,
  type BreakerOptions,
  Circuit,
  CircuitOpenError,
  type CircuitSnapshot,
  consecutive,
  failureRate,
  logTo,
  slowRate,
  total,
  type TripPolicy,
} from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { type ScriptedUpstream, upstream } from "@lastgood/breaker/testing";
import { Hono } from "hono";

function same(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`Expected ${expected}: current value is ${actual}`);
}

const events: BreakerEvent[] = [];
const log = logTo({ log: () => {} });
const policies: readonly TripPolicy[] = [
  consecutive(2),
  total(9),
  failureRate({}),
  slowRate({ slowMs: 9 }),
];
const options: BreakerOptions = {
  trip: policies,
  delayMs: backoff({ baseMs: 1_000, maxMs: 9_000 }),
  onEvent(event) {
    events.push(event);
    log(event);
  },
};

const origin: ScriptedUpstream = upstream([{ body: "good" }, 500]);
const api = breaker({ ...options, fetch: origin });
for (let call = 0; call < 4; call++) {
  const response = await api.fetch("https://origin.test/items");
  same(await response.text(), "good");
}
same(api.circuit("https://origin.test").state, "open");
same(origin.calls, 3);
same(events.filter(({ type }) => type === "stale").length, 3);

const circuit = new Circuit<number>({ threshold: 1 });
const one: number = await circuit.run(() => 1);
same(one, 1);
circuit.trip();
const refused = await circuit.run(() => 1).catch((error: unknown) => error);
same(refused instanceof CircuitOpenError, true);
const saved: CircuitSnapshot = circuit.toJSON();
same(new Circuit({ state: saved }).state, "open");

type Env = { Bindings: { NAME: string }; Variables: { user: string } };
const app = new Hono<Env>().basePath("/v1");
let isDown = false;
app.use(middleware({ threshold: 2 }));
app.use("/items/*", middleware(api));
app.get("/items/:id", middleware(), (c) => c.text(isDown ? "down" : "good", isDown ? 503 : 200));
same(await (await app.request("/v1/items/1")).text(), "good");
isDown = true;
const stale = await app.request("/v1/items/1");
same(await stale.text(), "good");
same(stale.headers.has("age"), true);

console.log("all is well");
