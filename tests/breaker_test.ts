import { assertEquals, assertRejects } from "@std/assert";
import { breaker, type BreakerOptions, CircuitOpenError } from "@lastgood/breaker";
import { upstream } from "@lastgood/breaker/testing";
import { frozen } from "./stage/frozen.ts";
import { ORIGIN, stage } from "./stage/breaker_stage.ts";

function everyOption(): BreakerOptions {
  return frozen({
    name: "shared",
    threshold: 1,
    delayMs: 1_000,
    fetch: upstream([{ body: "good" }, 500, { body: "good" }, 500]),
    lastGood: { statuses: [200, 404], ignore: ["cookie" as const] },
    maxCircuits: 2,
    now: () => 0,
  });
}

Deno.test("16: one options object makes any number of independent breakers", async () => {
  const options = everyOption();
  const [first, second] = [breaker(options), breaker(options)];
  const text = async () => await (await first.fetch(ORIGIN)).text();
  assertEquals([await text(), await text()], ["good", "good"]);

  assertEquals(first.circuit(ORIGIN).state, "open");
  assertEquals(second.circuit(ORIGIN).state, "closed");
  second.circuit(ORIGIN).trip();
  await assertRejects(() => second.fetch(ORIGIN), CircuitOpenError);
});

Deno.test("16: one trip policy serves many circuits", () => {
  const api = breaker({ threshold: 2 });
  const [first, second] = [api.circuit("a"), api.circuit("b")];
  first.acquire()!.settle("failure");
  second.acquire()!.settle("failure");

  assertEquals([first.state, second.state], ["closed", "closed"]);
});

Deno.test("16: changing an option afterwards has no effect", async () => {
  const options = { threshold: 1, fetch: upstream([500]), lastGood: { maxEntries: 1 } };
  const api = breaker(options);
  options.threshold = 99;
  options.fetch = upstream([200]);
  await api.fetch(ORIGIN);

  assertEquals(api.circuit(ORIGIN).state, "open");
});

Deno.test("16: an undefined option counts as not given", async () => {
  const api = breaker({ fetch: upstream([200]), lastGood: undefined, key: undefined } as never);

  assertEquals((await api.fetch(ORIGIN)).status, 200);
});

Deno.test("17: construction uses no clock, randomness, timers or fetch", () => {
  const names = ["setTimeout", "setInterval", "fetch"] as const;
  const before = names.map((name) => [name, globalThis[name]] as const);
  const [dateNow, mathRandom] = [Date.now, Math.random];
  const asked: string[] = [];
  const forbid = (name: string) => () => (asked.push(name), 0 as never);
  try {
    for (const name of names) Object.assign(globalThis, { [name]: forbid(name) });
    Date.now = forbid("Date.now");
    Math.random = forbid("Math.random");
    const api = breaker({ now: forbid("now"), random: forbid("random"), onEvent: forbid("event") });
    api.wrap(() => new Response(null));
    breaker().circuit("a");
  } finally {
    for (const [name, value] of before) Object.assign(globalThis, { [name]: value });
    Date.now = dateNow;
    Math.random = mathRandom;
  }

  assertEquals(asked, []);
});

Deno.test("17: state needs no timer", async () => {
  const { setTimeout } = globalThis;
  let timers = 0;
  const act = stage([{ body: "old" }, 500, { body: "new" }], { threshold: 1, waitUntil: () => {} });
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    timers++;
    return setTimeout(...args);
  }) as typeof globalThis.setTimeout;
  try {
    await act.text();
    await act.text();
    act.tick(1_000);
    await act.text();
    await act.api.idle();
  } finally {
    globalThis.setTimeout = setTimeout;
  }

  assertEquals([act.circuit.state, timers], ["closed", 0]);
});

Deno.test("the breaker's methods work when detached", async () => {
  const { fetch, wrap, respond, circuit, circuits, forget, idle } = stage([{ body: "x" }]).api;
  assertEquals(await (await fetch(ORIGIN)).text(), "x");
  const request = new Request(ORIGIN);
  assertEquals(await (await wrap(() => new Response("w"))(request)).text(), "w");
  assertEquals(await (await respond(request, () => new Response("r"))).text(), "r");
  forget();
  await idle();

  assertEquals(circuit(ORIGIN).state, "closed");
  assertEquals([...circuits()].length, 3);
});
