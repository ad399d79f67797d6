import type { BreakerEvent } from "@lastgood/breaker";
import { circuitName } from "../../src/circuit/circuit_key.ts";
import { CircuitRegistry } from "../../src/circuit/registry.ts";
import { CircuitSettings } from "../../src/circuit/settings.ts";
import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { calls, permit } from "../stage/circuit_stage.ts";
import { Clock, START } from "../stage/clock.ts";
import { seeded } from "../stage/random.ts";

function circuits(maxCircuits: number, clock = new Clock()): CircuitRegistry<unknown> {
  const { now } = clock;
  return new CircuitRegistry(
    new CircuitSettings({ threshold: 1, delayMs: 1_000, probeTimeoutMs: 500, now }),
    maxCircuits,
  );
}

function keys(all: CircuitRegistry<unknown>): string[] {
  return [...all].map(([key]) => key);
}

Deno.test("27: circuits are made on demand, one per key", () => {
  const all = circuits(10);

  assertEquals(keys(all), []);
  assertStrictEquals(all.get("a"), all.get("a"));
  assertStrictEquals(all.get("a"), all.getByHand("a"));
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

Deno.test("27: circuits are listed and dropped in the order of their last use, whatever the order of asking", () => {
  const random = seeded(7);
  for (let round = 0; round < 50; round++) {
    const maxCircuits = 1 + Math.floor(random() * 6);
    const all = circuits(maxCircuits);
    let expected: string[] = [];

    for (let step = 0; step < 60; step++) {
      const key = String(Math.floor(random() * 9));
      if (random() < 0.5) all.get(key);
      else all.getByHand(key);
      expected = [...expected.filter((other) => other !== key), key].slice(-maxCircuits);

      if (random() < 0.2) assertEquals(keys(all), expected);
    }
    assertEquals(keys(all), expected);
  }
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

Deno.test("27: a circuit asked for by hand takes only a closed one's place", () => {
  const all = circuits(2);
  for (const key of ["a", "b"]) all.get(key).trip();

  all.getByHand("c");
  assertEquals(keys(all), ["a", "b", "c"]);
  all.getByHand("d");

  assertEquals(keys(all), ["a", "b", "d"]);
});

Deno.test("27: circuits beyond the limit go as soon as they can be missed", () => {
  const clock = new Clock();
  const all = circuits(2, clock);
  for (const key of ["a", "b"]) all.get(key).trip();
  all.getByHand("c").trip();
  assertEquals(keys(all), ["a", "b", "c"]);

  clock.ms += 2_000;
  all.get("d");

  assertEquals(keys(all), ["c", "d"]);
});

Deno.test("27: an isolated circuit is never dropped, even if that exceeds the limit", () => {
  const all = circuits(2);
  const release = all.get("a").isolate();
  all.get("b").isolate();

  all.get("c").trip();
  all.get("d").trip();
  assertEquals(keys(all), ["a", "b", "d"]);
  release();
  all.get("e");

  assertEquals(keys(all), ["b", "d", "e"]);
});

Deno.test("27: a circuit counts as closed once its delay was over a whole delay ago", () => {
  for (const [waitMs, left] of [[1_999, "b"], [2_000, "c"]] as const) {
    const clock = new Clock();
    const all = circuits(2, clock);
    all.get("b").trip();
    clock.ms += waitMs;
    all.get("c");

    all.get("d");

    assertEquals(keys(all), [left, "d"]);
  }
});

Deno.test("27: an open circuit that is asked again does not count as closed, whatever comes of it", () => {
  const clock = new Clock();
  const all = circuits(2, clock);
  const asked = all.get("asked");
  asked.trip();
  clock.ms += 5_000;
  permit(asked);
  clock.ms += 400;
  assertEquals(asked.acquire(), undefined);

  clock.ms += 999;
  all.get("b");
  all.get("c");
  assertEquals(keys(all), ["asked", "c"]);
  clock.ms += 1;
  all.get("d");

  assertEquals([asked.dropped, keys(all)], [true, ["c", "d"]]);
});

Deno.test("12, 27: a clock that stepped back does not keep a forgotten circuit for longer than its delay", () => {
  const clock = new Clock();
  const all = circuits(1, clock);
  all.get("a").trip();
  clock.ms -= 86_400_000;

  all.getByHand("b");
  clock.ms += 2_000;
  all.get("c");

  assertEquals(keys(all), ["c"]);
});

Deno.test("27: a circuit says whether it was dropped, and a new one takes its key", () => {
  const all = circuits(1);
  const first = all.get("a");
  assertEquals(first.dropped, false);

  const second = all.get("b");

  assertEquals([first.dropped, second.dropped], [true, false]);
  assert(all.get("a") !== first);
});

Deno.test("27: dropping is heard, when all is in place again", () => {
  const events: BreakerEvent[] = [];
  const seen: string[][] = [];
  const all: CircuitRegistry<unknown> = new CircuitRegistry(
    new CircuitSettings({
      now: () => START,
      onEvent: (event) => {
        events.push(event);
        seen.push(keys(all));
        if (event.circuit === "a") all.get("from the listener");
      },
    }),
    1,
  );
  all.get("a");

  const asked = all.get("b");

  assertEquals(events, [
    { type: "evicted", circuit: "a", at: START },
    { type: "evicted", circuit: "b", at: START },
  ]);
  assertEquals(seen, [["b"], ["from the listener"]]);
  assertEquals([asked.dropped, keys(all)], [true, ["from the listener"]]);
});

Deno.test("27: a long key is cut, and a hash tells it from others like it", () => {
  const all = circuits(10);
  const long = "k".repeat(1_000_000);
  const { name } = all.get(long);

  assert(name.length < 400, name);
  assert(name.startsWith("k".repeat(256) + "… (1000000 characters, "), name);
  assertStrictEquals(all.get(long), all.get(long));
  assertStrictEquals(all.getByHand(name), all.get(long));
  assertEquals(keys(all), [name]);
  for (const other of ["l" + long.slice(1), long.slice(1) + "l", long.slice(1), `${long}k`]) {
    assertNotEquals(all.get(other).name, name);
  }
});

Deno.test("27: a key of 1,024 characters is kept as it is, a longer one is not", () => {
  const all = circuits(10);

  for (const [length, isKept] of [[1_024, true], [1_025, false]] as const) {
    const key = "é".repeat(length);
    assertEquals(all.get(key).name === key, isKept);
  }
});

Deno.test("27: ten thousand long keys have ten thousand names", () => {
  const all = circuits(10_000);
  const long = "k".repeat(1_100);

  for (let key = 0; key < 10_000; key++) all.get(long + key.toString(7));

  assertEquals(new Set(keys(all)).size, 10_000);
});

Deno.test("16: circuits with the same options share their settings, not their counts", () => {
  const all = circuits(3);
  all.get("b");

  calls(all.get("a"), "failure");

  assertEquals([all.get("a").state, all.get("b").state], ["open", "closed"]);
});

Deno.test("27: long keys of which one hash is the same have two names all the same", () => {
  const long = "k".repeat(1_020);
  // Found by trying: the first two have the first hash in common, the last two the second one.
  for (const [one, other] of [["10614246", "11555780"], ["10003089", "10004590"]] as const) {
    assertNotEquals(circuitName(long + one), circuitName(long + other));
  }
});
