import { CircuitRegistry } from "../../src/circuit/registry.ts";
import { CircuitSettings } from "../../src/circuit/settings.ts";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { calls } from "../stage/circuit_stage.ts";

function circuits(maxCircuits: number): CircuitRegistry<unknown> {
  return new CircuitRegistry(new CircuitSettings({ threshold: 1, now: () => 0 }), maxCircuits);
}

function keys(all: CircuitRegistry<unknown>): string[] {
  return [...all].map(([key]) => key);
}

Deno.test("27: circuits are made on demand, one per key", () => {
  const all = circuits(10);

  assertEquals(keys(all), []);
  assertStrictEquals(all.get("a"), all.get("a"));
  all.get("__proto__");

  assertEquals(keys(all), ["a", "__proto__"]);
  assertEquals(all.get("a").name, "a");
});

Deno.test("27: the least recently used closed circuit makes room", () => {
  const all = circuits(3);
  for (const key of ["a", "b", "c", "a"]) all.get(key);

  all.get("d");

  assertEquals(keys(all), ["c", "a", "d"]);
});

Deno.test("27: an open or isolated circuit is kept while a closed one remains", () => {
  const all = circuits(3);
  calls(all.get("open"), "failure");
  all.get("isolated").isolate();

  for (let key = 0; key < 20; key++) all.get(`new ${key}`);

  assertEquals(keys(all), ["open", "isolated", "new 19"]);
  assertEquals(all.get("open").state, "open");
});

Deno.test("27: if none is closed, the least recently used makes room", () => {
  const all = circuits(2);
  for (const key of ["a", "b", "c"]) all.get(key).trip();

  assertEquals(keys(all), ["b", "c"]);
});

Deno.test("16: circuits with the same options share their settings, not their counts", () => {
  const all = circuits(3);
  all.get("b");

  calls(all.get("a"), "failure");

  assertEquals([all.get("a").state, all.get("b").state], ["open", "closed"]);
});
