import { assertEquals } from "@std/assert";
import type { CacheKey } from "../../src/last_good/cache_key.ts";
import { Memory } from "../../src/last_good/memory.ts";
import { keyOf, stored } from "../stage/stored.ts";

const NO_FIELDS = new Headers();
const LIMITS = { maxEntries: 100, maxBytes: 1_000, maxVariants: 8 };

/** Keeps a response of the first request for each key. */
function keeping(...keys: readonly CacheKey[]): Memory {
  const memory = new Memory(LIMITS);
  for (const key of keys) memory.put(key, NO_FIELDS, stored(1));
  return memory;
}

/** Reports for each key whether a response is kept. */
function kept(memory: Memory, ...keys: readonly CacheKey[]): boolean[] {
  return keys.map((key) => memory.find(key, NO_FIELDS) !== undefined);
}

Deno.test("S17, K5: a removal reaches all places, but only the same reflected fields and owner", () => {
  const same = [keyOf("a"), keyOf("a", "", "wrap 1"), keyOf("a", "", "respond x")];
  const others = [keyOf("a", "forwarded"), keyOf("a", "", "fetch", "ann"), keyOf("b")];
  const memory = keeping(...same, ...others);

  const removed = memory.remove(keyOf("a", "", "wrap 1"), NO_FIELDS, 2, 0);

  assertEquals(removed, 3);
  assertEquals(kept(memory, ...same), [false, false, false]);
  assertEquals(kept(memory, ...others), [true, true, true]);
});

Deno.test("S17, K5: a removal is remembered for its own place only", () => {
  const memory = new Memory(LIMITS);
  memory.remove(keyOf("a", "", "fetch"), NO_FIELDS, 2, 0);

  assertEquals(memory.put(keyOf("a", "", "fetch"), NO_FIELDS, stored(1)), "superseded");
  assertEquals(memory.put(keyOf("a", "", "wrap 1"), NO_FIELDS, stored(1)), undefined);
});

Deno.test("S17: a removal by one kind of request leaves what answers another kind", () => {
  const memory = new Memory(LIMITS);
  memory.put(keyOf("a"), NO_FIELDS, { ...stored(1), kind: 7 });

  assertEquals(memory.remove(keyOf("a"), NO_FIELDS, 3, 8), 0);
  assertEquals(memory.put(keyOf("a"), NO_FIELDS, { ...stored(2), kind: 7 }), undefined);
  assertEquals(memory.remove(keyOf("a"), NO_FIELDS, 5, 7), 1);
  assertEquals(memory.put(keyOf("a"), NO_FIELDS, { ...stored(4), kind: 7 }), "superseded");
});

Deno.test("S18: a removal by a request with many fields is remembered for all variants", () => {
  const memory = new Memory(LIMITS);
  const long = new Headers({ a: "1", long: "x".repeat(2_048) });
  const many = new Headers({ a: "1" });
  for (let n = 0; n < 64; n++) many.set(`x-${n}`, "");

  memory.remove(keyOf("long"), long, 2, 0);
  memory.remove(keyOf("many"), many, 2, 0);

  const other = new Headers({ a: "2" });
  for (const name of ["long", "many"]) {
    assertEquals(memory.put(keyOf(name), other, stored(1, 1, [["a", "2"]])), "superseded", name);
    assertEquals(memory.put(keyOf(name), other, stored(3, 1, [["a", "2"]])), undefined, name);
  }
});

Deno.test("S18: a removal is remembered for requests without a field, too", () => {
  const memory = new Memory(LIMITS);
  memory.remove(keyOf("a"), new Headers({ b: "1" }), 2, 0);

  const fields = new Headers({ b: "1" });
  const without = stored(1, 1, [["a", null], ["b", "1"]]);
  assertEquals(memory.put(keyOf("a"), fields, without), "superseded");
});

Deno.test("S18: a removal by a request without a field leaves the variants with one", () => {
  const memory = new Memory(LIMITS);
  memory.remove(keyOf("a"), new Headers({ b: "1" }), 2, 0);

  const fields = new Headers({ a: "1", b: "1" });
  assertEquals(memory.put(keyOf("a"), fields, stored(1, 1, [["a", "1"]])), undefined);
});

Deno.test("S18: each removal is about earlier requests only", () => {
  const memory = new Memory(LIMITS);
  memory.remove(keyOf("a"), NO_FIELDS, 5, 0);
  memory.removeAll("b", 5);
  memory.remove(keyOf("c"), NO_FIELDS, 10, 0);
  memory.removeAll("d", 10);

  const put = (name: string) => memory.put(keyOf(name), NO_FIELDS, stored(7));
  assertEquals(["a", "b", "c", "d"].map(put), [undefined, undefined, "superseded", "superseded"]);
});

Deno.test("S15, S18: removals of keys that are too long to be kept push out no others", () => {
  const memory = new Memory(LIMITS);
  memory.remove(keyOf("a"), NO_FIELDS, 2, 0);
  memory.removeAll("b", 2);

  for (let n = 0; n < 2_000; n++) {
    const long = `${n}`.padEnd(8_193, "x");
    memory.remove(keyOf(long), NO_FIELDS, 2, 0);
    memory.removeAll(long, 2);
  }

  assertEquals(memory.put(keyOf("a"), NO_FIELDS, stored(1)), "superseded");
  assertEquals(memory.put(keyOf("b"), NO_FIELDS, stored(1)), "superseded");
});

Deno.test("S19: removing all variants reports how many there were", () => {
  const memory = keeping(keyOf("a"), keyOf("a", "forwarded", "wrap 1", "ann"), keyOf("b"));

  assertEquals([memory.removeAll("a", 2), memory.removeAll("a", 3)], [2, 0]);
  assertEquals([memory.clear(4), memory.kept.entries, memory.kept.bytes], [1, 0, 0]);
});
