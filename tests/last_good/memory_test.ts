import { assert, assertEquals } from "@std/assert";
import { Memory } from "../../src/last_good/memory.ts";
import { Pages } from "../../src/last_good/pages.ts";
import type { Slot } from "../../src/last_good/segments.ts";
import { keyOf, stored } from "../stage/stored.ts";

const LIMITS = { maxEntries: 3, maxBytes: 100, maxVariants: 2 };
const NO_FIELDS = new Headers();

Deno.test("22: the least recently used goes first, by number and by bytes", () => {
  for (const size of [1, 33]) {
    const memory = new Memory(LIMITS);
    for (const [index, name] of ["a", "b", "c"].entries()) {
      memory.put(keyOf(name), NO_FIELDS, stored(index + 1, size));
    }
    memory.find(keyOf("a"), NO_FIELDS);

    memory.put(keyOf("d"), NO_FIELDS, stored(4, size));

    const kept = ["a", "b", "c", "d"].filter((name) => memory.find(keyOf(name), NO_FIELDS));
    assertEquals(kept, ["a", "c", "d"]);
  }
});

Deno.test("22: a response larger than the whole memory is refused", () => {
  const memory = new Memory(LIMITS);

  assertEquals(memory.put(keyOf("a"), NO_FIELDS, stored(1, 101)), "too-large");
  assertEquals(memory.put(keyOf("a"), NO_FIELDS, stored(1, 100)), undefined);
});

Deno.test("22: a replacement also takes over the room of the replaced response", () => {
  const memory = new Memory(LIMITS);
  for (const [index, name] of ["a", "b", "c"].entries()) {
    memory.put(keyOf(name), NO_FIELDS, stored(index + 1));
  }

  memory.put(keyOf("c"), NO_FIELDS, stored(4));

  const kept = ["a", "b", "c"].filter((name) => memory.find(keyOf(name), NO_FIELDS));
  assertEquals(kept, ["a", "b", "c"]);
});

Deno.test("N3: a page that is no longer kept leaves nothing behind", () => {
  const pages = new Pages();
  for (const owner of ["", "ann"]) {
    const slot: Slot = {
      key: keyOf("a", "", "fetch", owner),
      stored: stored(1),
      isOften: false,
      usedAt: -1,
    };
    pages.add(slot);
    pages.delete(slot);

    assertEquals([pages.variants(slot.key), pages.slots()], [undefined, []]);
  }
});

Deno.test("K2: one variant too many evicts only the oldest of its own key", () => {
  const memory = new Memory(LIMITS);
  const fields = (value: string) => new Headers({ a: value });
  memory.put(keyOf("other"), NO_FIELDS, stored(1));
  for (const [index, value] of ["x", "y", "z"].entries()) {
    memory.put(keyOf("p"), fields(value), stored(index + 2, 1, [["a", value]]));
  }

  const kept = ["x", "y", "z"].filter((value) => memory.find(keyOf("p"), fields(value)));
  assertEquals(kept, ["y", "z"]);
  assert(memory.find(keyOf("other"), NO_FIELDS));
});

Deno.test("S18: an older response is superseded by a newer one, a removal and a clearing", () => {
  const memory = new Memory(LIMITS);
  memory.put(keyOf("a"), NO_FIELDS, stored(5));
  memory.remove(keyOf("b"), NO_FIELDS, 5, 0);
  memory.removeAll("c", 5);

  for (const name of ["a", "b", "c"]) {
    assertEquals(memory.put(keyOf(name), NO_FIELDS, stored(4)), "superseded", name);
    assertEquals(memory.put(keyOf(name), NO_FIELDS, stored(6)), undefined, name);
  }
  memory.clear(7);
  assertEquals(memory.put(keyOf("d"), NO_FIELDS, stored(6)), "superseded");
  assertEquals(memory.find(keyOf("a"), NO_FIELDS), undefined);
});

Deno.test("S17: removing leaves newer responses", () => {
  const memory = new Memory(LIMITS);
  memory.put(keyOf("a"), NO_FIELDS, stored(5));

  memory.remove(keyOf("a"), NO_FIELDS, 4, 0);

  assert(memory.find(keyOf("a"), NO_FIELDS));
});

Deno.test("S17: a removal is remembered only for its key and variant", () => {
  const memory = new Memory(LIMITS);
  memory.remove(keyOf("a", "evil"), NO_FIELDS, 5, 0);
  memory.remove(keyOf("a"), new Headers({ x: "evil" }), 5, 0);

  assertEquals(memory.put(keyOf("a"), NO_FIELDS, stored(4, 1, [["x", null]])), undefined);
  const evil = stored(4, 1, [["x", "evil"]]);
  assertEquals(memory.put(keyOf("a"), new Headers({ x: "evil" }), evil), "superseded");
});

Deno.test("K2: of several variants that match a request, the most recent is found", () => {
  for (const orders of [[4, 9], [9, 4]] as const) {
    const memory = new Memory(LIMITS);
    for (const [index, name] of ["x", "y"].entries()) {
      const own = stored(orders[index]!, 1, [[name, "1"]]);
      memory.put(keyOf("a"), new Headers({ [name]: "1" }), own);
    }

    const found = memory.find(keyOf("a"), new Headers({ x: "1", y: "1" }));

    assertEquals(found?.head.order, 9, `put as ${orders}`);
  }
});

Deno.test("S18: a response older than any variant that matches its request is superseded", () => {
  const memory = new Memory(LIMITS);
  memory.put(keyOf("a"), new Headers({ x: "1" }), stored(9, 1, [["x", "1"]]));
  memory.put(keyOf("a"), new Headers({ y: "1" }), stored(4, 1, [["y", "1"]]));
  const both = new Headers({ x: "1", y: "1" });

  assertEquals(memory.put(keyOf("a"), both, stored(6)), "superseded");
  assertEquals(memory.put(keyOf("a"), both, stored(10)), undefined);
  assertEquals(memory.find(keyOf("a"), new Headers({ x: "1" }))?.head.order, 10);
});

/** Both kinds of removal, by the fifth request, and how many of each are remembered. */
const REMOVALS: readonly (readonly [
  what: string,
  remembered: number,
  remove: (memory: Memory, name: string) => void,
])[] = [
  ["removals", 128, (memory, name) => memory.remove(keyOf(name), NO_FIELDS, 5, 0)],
  ["clearings", 1_024, (memory, name) => memory.removeAll(name, 5)],
];

for (const [what, remembered, remove] of REMOVALS) {
  Deno.test(`S18: ${remembered} ${what} are remembered, and the oldest is forgotten first`, () => {
    const memory = new Memory(LIMITS);
    for (let n = 0; n <= remembered; n++) remove(memory, `${n}`);

    assertEquals(memory.put(keyOf("0"), NO_FIELDS, stored(4)), undefined);
    assertEquals(memory.put(keyOf("1"), NO_FIELDS, stored(4)), "superseded");
    assertEquals(memory.put(keyOf(`${remembered}`), NO_FIELDS, stored(4)), "superseded");
  });

  Deno.test(`S18: repeated ${what} of one key are remembered from the last one on`, () => {
    const memory = new Memory(LIMITS);
    for (let n = 0; n < remembered; n++) remove(memory, `${n}`);

    remove(memory, "0");
    remove(memory, "new");

    assertEquals(memory.put(keyOf("0"), NO_FIELDS, stored(4)), "superseded");
    assertEquals(memory.put(keyOf("1"), NO_FIELDS, stored(4)), undefined);
  });
}
