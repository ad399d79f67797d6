import { assertEquals, assertNotEquals } from "@std/assert";
import { isVariant, keyLength, placeOf } from "../../src/last_good/key.ts";

const none = new Headers();

Deno.test("K1: a plain request has nothing but its URL in its place", () => {
  assertEquals(placeOf("u", none, undefined), {
    primary: "u",
    secondary: "",
    partitioned: false,
  });
});

Deno.test("K3, K4: no two different requests share a place", () => {
  const places = [
    placeOf("u", none, undefined),
    placeOf("u", none, "p"),
    placeOf("u", none, "x-host"),
    placeOf("u", new Headers({ "x-host": "a" }), undefined),
    placeOf("u", new Headers({ "x-host": "" }), undefined),
    placeOf("u", new Headers({ "x-host": "a" }), "p"),
    placeOf("u", new Headers({ "x-host": 'a","p' }), undefined),
    placeOf("u", new Headers({ "x-host": "a", "x-original-url": "b" }), undefined),
    placeOf("u", new Headers({ "x-host": 'a","x-original-url","b' }), undefined),
    placeOf("u", new Headers({ "x-host": "b", "x-original-url": "a" }), undefined),
  ];

  for (const [index, place] of places.entries()) {
    for (const other of places.slice(index + 1)) {
      assertNotEquals(place.secondary, other.secondary);
    }
  }
});

Deno.test("K2: absent differs from empty", () => {
  assertEquals(isVariant([["a", null]], none), true);
  assertEquals(isVariant([["a", null]], new Headers({ a: "" })), false);
  assertEquals(isVariant([["a", ""]], none), false);
  assertEquals(isVariant([["a", ""]], new Headers({ a: "" })), true);
});

Deno.test("S15: the length of a key counts all its parts", () => {
  const place = placeOf("four", new Headers({ "x-host": "ab" }), undefined);

  assertEquals(keyLength(place, [["x", null], ["yy", "zzz"]]), 4 + place.secondary.length + 6);
});
