import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { type Breaker, breaker } from "@lastgood/breaker";
import { upstream } from "@lastgood/breaker/testing";
import { ORIGIN, stage } from "../stage/breaker_stage.ts";

function names(api: Breaker): string[] {
  return [...api.circuits()].map(([name]) => name);
}

Deno.test("27: fetch has one circuit per origin", async () => {
  const { api } = stage([200]);
  const urls = ["http://a.test/1", "http://a.test/2?x#y", "https://a.test/", "http://a.test:81/"];
  for (const url of urls) await api.fetch(url);

  assertEquals(names(api), ["http://a.test", "https://a.test", "http://a.test:81"]);
});

Deno.test("27: one origin's failures do not affect the others", async () => {
  const fetch = upstream([
    (request) => new Response(null, { status: request.url.startsWith("http://a.") ? 500 : 200 }),
  ]);
  const { api } = stage(fetch, { threshold: 1, lastGood: false });
  await api.fetch("http://a.test/");
  await api.fetch("http://b.test/");

  assertEquals([...api.circuits()].map(([, { state }]) => state), ["open", "closed"]);
});

Deno.test("27: each wrapped handler has its own circuit, and so has respond", async () => {
  const { api } = stage([200]);
  const [first, second] = [api.wrap(() => new Response()), api.wrap(() => new Response())];
  await first(new Request(ORIGIN));
  await second(new Request(ORIGIN));
  await api.respond(new Request(ORIGIN), () => new Response());
  await first(new Request("http://other.test/"));

  assertEquals(new Set(names(api)).size, 3);
});

Deno.test("27: circuits have the same names whether respond or a wrapped handler is used first", async () => {
  for (const name of ["circuit", "app"]) {
    const [early, late] = [stage([200], { name }).api, stage([200], { name }).api];
    const ask = (api: Breaker) => api.respond(new Request(ORIGIN), () => new Response());
    await ask(early);
    for (const api of [early, late]) {
      const handlers = [api.wrap(() => new Response()), api.wrap(() => new Response())];
      for (const handler of handlers) await handler(new Request(ORIGIN));
    }
    await ask(late);

    assertEquals(new Set(names(early)), new Set([name, `${name}-2`, `${name}-respond`]));
    assertEquals(new Set(names(late)), new Set(names(early)));
  }
});

Deno.test("27: the key option chooses the circuit, and respond's own key takes precedence", async () => {
  const key = (request: Request) => new URL(request.url).pathname;
  const { api } = stage([200], { key });
  await api.fetch("http://a.test/x");
  await api.wrap(() => new Response())(new Request("http://b.test/x"));
  await api.respond(new Request("http://c.test/y"), () => new Response(), { key: "mine" });

  assertEquals(names(api), ["/x", "mine"]);
});

Deno.test("27: circuit() makes a circuit if there is none, and calls then use it", async () => {
  const { api } = stage([500], { threshold: 1 });
  const circuit = api.circuit(ORIGIN);
  await api.fetch(ORIGIN);

  assertEquals([circuit.name, circuit.state], [ORIGIN, "open"]);
  assertStrictEquals(api.circuit(ORIGIN), circuit);
});

Deno.test("27: keys like __proto__ are keys like any other", async () => {
  const { api } = stage([500], { threshold: 1, lastGood: false });
  for (const key of ["__proto__", "constructor", "", "toString"]) {
    await api.respond(new Request(ORIGIN), () => new Response(null, { status: 500 }), { key });
    assertEquals(api.circuit(key).state, "open");
  }
  assertEquals(api.circuit("valueOf").state, "closed");
});

Deno.test("27: at most maxCircuits circuits are kept, and the least recently used goes first", () => {
  const { api } = stage([200], { maxCircuits: 3 });
  for (const key of ["a", "b", "c"]) api.circuit(key);
  api.circuit("a");
  api.circuit("d");

  assertEquals(names(api), ["c", "a", "d"]);
});

Deno.test("27: only closed circuits are dropped while a closed one remains", () => {
  const act = stage([200], { maxCircuits: 4, threshold: 1, delayMs: 1_000 });
  const { api } = act;
  const open = api.circuit("open");
  const halfOpen = api.circuit("half_open");
  const isolated = api.circuit("isolated");
  halfOpen.trip();
  act.tick(1_000);
  open.trip();
  const release = isolated.isolate();
  halfOpen.acquire();
  for (let index = 0; index < 100; index++) api.circuit(`other ${index}`);

  assertStrictEquals(api.circuit("open"), open);
  assertStrictEquals(api.circuit("half_open"), halfOpen);
  assertStrictEquals(api.circuit("isolated"), isolated);
  assertEquals([open.state, halfOpen.state, isolated.state], ["open", "half_open", "open"]);
  release();
});

Deno.test("27: if none is closed, the least recently used makes room for a call's circuit", async () => {
  const { api } = stage([200], { maxCircuits: 2 });
  const [first, second] = [api.circuit("a"), api.circuit("b")];
  first.trip();
  second.trip();
  await api.fetch("http://c.test/");

  assertEquals(names(api), ["b", "http://c.test"]);
  assertEquals([first.dropped, second.dropped], [true, false]);
  assertNotStrictEquals(api.circuit("a"), first);
});

Deno.test("27: a circuit that is asked for by a wrong name takes no open one's place", async () => {
  const { api } = stage([200], { maxCircuits: 2 });
  const [first, second] = [api.circuit("a"), api.circuit("b")];
  first.trip();
  second.trip();

  api.circuit("typo");
  await api.fetch("http://c.test/");

  assertEquals([first.dropped, second.dropped], [false, false]);
  assertEquals(names(api), ["a", "b", "http://c.test"]);
});

Deno.test("27: a dead origin of a week ago takes no live one's place", async () => {
  const fetch = upstream([
    ({ url }) => new Response(null, { status: url.includes("dead") ? 500 : 200 }),
  ]);
  const act = stage(fetch, { maxCircuits: 3, threshold: 1, lastGood: false });
  for (const name of ["dead1", "dead2", "dead3"]) await act.api.fetch(`http://${name}.test/`);
  act.tick(7 * 86_400_000);
  const live = ["http://a.test", "http://b.test"];

  for (let call = 0; call < 20; call++) await act.api.fetch(live[call % 2]!);

  assertEquals(names(act.api), ["http://dead3.test", ...live]);
  assertEquals(act.events.filter(({ type }) => type === "evicted").map(({ circuit }) => circuit), [
    "http://dead1.test",
    "http://dead2.test",
  ]);
});

Deno.test("27: the list of circuits is the one from when it was asked for", () => {
  const { api } = stage([200]);
  for (const key of ["a", "b", "c"]) api.circuit(key).trip();
  const all = api.circuits();
  const seen: string[] = [];

  for (const [key] of all) {
    seen.push(key);
    api.circuit(key).reset();
    api.circuit(`${key}, too`);
  }

  assertEquals(seen, ["a", "b", "c"]);
  assertEquals([...all].length, 3);
});

Deno.test("27: an endless series of origins is bounded", async () => {
  const api = breaker({ fetch: upstream([200]), lastGood: false });
  for (let index = 0; index < 1_500; index++) await api.fetch(`http://h${index}.test/`);

  assertEquals(names(api).length, 1_000);
  assert(names(api).includes("http://h1499.test"));
});
