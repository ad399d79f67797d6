import { assertEquals, assertNotEquals } from "@std/assert";
import { cacheKey, keyLength, matchesVariant } from "../../src/last_good/cache_key.ts";

const none = new Headers();

Deno.test("K1: a plain request has nothing but its URL in its place", () => {
  assertEquals(cacheKey("u", none, undefined), {
    primary: "u",
    secondary: "",
    partitioned: false,
  });
});

Deno.test("K3, K4: no two different requests share a place", () => {
  const places = [
    cacheKey("u", none, undefined),
    cacheKey("u", none, "p"),
    cacheKey("u", none, "x-host"),
    cacheKey("u", new Headers({ "x-host": "a" }), undefined),
    cacheKey("u", new Headers({ "x-host": "" }), undefined),
    cacheKey("u", new Headers({ "x-host": "a" }), "p"),
    cacheKey("u", new Headers({ "x-host": 'a","p' }), undefined),
    cacheKey("u", new Headers({ "x-host": "a", "x-original-url": "b" }), undefined),
    cacheKey("u", new Headers({ "x-host": 'a","x-original-url","b' }), undefined),
    cacheKey("u", new Headers({ "x-host": "b", "x-original-url": "a" }), undefined),
  ];

  for (const [index, place] of places.entries()) {
    for (const other of places.slice(index + 1)) {
      assertNotEquals(place.secondary, other.secondary);
    }
  }
});

Deno.test("K2: absent differs from empty", () => {
  assertEquals(matchesVariant([["a", null]], none), true);
  assertEquals(matchesVariant([["a", null]], new Headers({ a: "" })), false);
  assertEquals(matchesVariant([["a", ""]], none), false);
  assertEquals(matchesVariant([["a", ""]], new Headers({ a: "" })), true);
});

Deno.test("S15: the length of a key counts all its parts", () => {
  const place = cacheKey("four", new Headers({ "x-host": "ab" }), undefined);

  assertEquals(keyLength(place, [["x", null], ["yy", "zzz"]]), 4 + place.secondary.length + 6);
});
