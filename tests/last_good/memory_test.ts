import { assert, assertEquals } from "@std/assert";
import { Memory } from "../../src/last_good/memory.ts";
import type { StoredResponse } from "../../src/last_good/stored_response.ts";

const LIMITS = { maxEntries: 3, maxBytes: 100, maxVariants: 2 };
const NO_FIELDS = new Headers();

function place(primary: string, secondary = "") {
  return { primary, secondary, partitioned: false };
}

function sized(order: number, size = 1, variant: StoredResponse["variant"] = []): StoredResponse {
  return {
    body: new Uint8Array(0),
    variant,
    copiedAt: 0,
    head: {
      status: 200,
      statusText: "",
      fields: {},
      order,
      receivedAt: 0,
      initialAgeMs: 0,
      freshness: { lifetimeMs: undefined, onlyWhileFresh: false, staleIfErrorMs: undefined },
      etag: undefined,
    },
    size,
  };
}

Deno.test("22: the least recently used goes first, by number and by bytes", () => {
  for (const size of [1, 33]) {
    const memory = new Memory(LIMITS);
    for (const [index, name] of ["a", "b", "c"].entries()) {
      memory.put(place(name), NO_FIELDS, sized(index + 1, size));
    }
    memory.find(place("a"), NO_FIELDS);

    memory.put(place("d"), NO_FIELDS, sized(4, size));

    const kept = ["a", "b", "c", "d"].filter((name) => memory.find(place(name), NO_FIELDS));
    assertEquals(kept, ["a", "c", "d"]);
  }
});

Deno.test("22: what is larger than all of it is refused", () => {
  const memory = new Memory(LIMITS);

  assertEquals(memory.put(place("a"), NO_FIELDS, sized(1, 101)), "too-large");
  assertEquals(memory.put(place("a"), NO_FIELDS, sized(1, 100)), undefined);
});

Deno.test("K2: a variant too many pushes out the oldest of its place alone", () => {
  const memory = new Memory(LIMITS);
  const fields = (value: string) => new Headers({ a: value });
  memory.put(place("other"), NO_FIELDS, sized(1));
  for (const [index, value] of ["x", "y", "z"].entries()) {
    memory.put(place("p"), fields(value), sized(index + 2, 1, [["a", value]]));
  }

  const kept = ["x", "y", "z"].filter((value) => memory.find(place("p"), fields(value)));
  assertEquals(kept, ["y", "z"]);
  assert(memory.find(place("other"), NO_FIELDS));
});

Deno.test("S18: an older snapshot is superseded by a newer one, a removal and a clearing", () => {
  const memory = new Memory(LIMITS);
  memory.put(place("a"), NO_FIELDS, sized(5));
  memory.remove(place("b"), NO_FIELDS, 5);
  memory.removeAll("c", 5);

  for (const name of ["a", "b", "c"]) {
    assertEquals(memory.put(place(name), NO_FIELDS, sized(4)), "superseded", name);
    assertEquals(memory.put(place(name), NO_FIELDS, sized(6)), undefined, name);
  }
  memory.clear(7);
  assertEquals(memory.put(place("d"), NO_FIELDS, sized(6)), "superseded");
  assertEquals(memory.find(place("a"), NO_FIELDS), undefined);
});

Deno.test("S17: removing leaves what is newer", () => {
  const memory = new Memory(LIMITS);
  memory.put(place("a"), NO_FIELDS, sized(5));

  memory.remove(place("a"), NO_FIELDS, 4);

  assert(memory.find(place("a"), NO_FIELDS));
});

Deno.test("S17: removals are remembered for their place and variant alone", () => {
  const memory = new Memory(LIMITS);
  memory.remove(place("a", "evil"), NO_FIELDS, 5);
  memory.remove(place("a"), new Headers({ x: "evil" }), 5);

  assertEquals(memory.put(place("a"), NO_FIELDS, sized(4, 1, [["x", null]])), undefined);
  const evil = sized(4, 1, [["x", "evil"]]);
  assertEquals(memory.put(place("a"), new Headers({ x: "evil" }), evil), "superseded");
});
