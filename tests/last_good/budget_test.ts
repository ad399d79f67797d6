import { assertEquals } from "@std/assert";
import { Memory } from "../../src/last_good/memory.ts";
import { keyOf, stored } from "../stage/stored.ts";

const NO_FIELDS = new Headers();

/** A memory of 100 bytes with one page of 40 that was asked for once, and one of 40 asked for twice. */
function filled(): Memory {
  const memory = new Memory({ maxEntries: 10, maxBytes: 100, maxVariants: 8 });
  memory.put(keyOf("often"), NO_FIELDS, stored(1, 40));
  memory.find(keyOf("often"), NO_FIELDS);
  memory.put(keyOf("once"), NO_FIELDS, stored(2, 40));
  return memory;
}

Deno.test("N3: what is kept and what is reserved never exceed maxBytes together", () => {
  const memory = filled();

  assertEquals(memory.budget.reserve(20, false), true);
  assertEquals(memory.kept, { entries: 2, bytes: 100 });
  assertEquals(memory.budget.reserve(1, false), true);
  assertEquals(memory.kept, { entries: 1, bytes: 61 });
  memory.budget.release(21);
  assertEquals(memory.kept, { entries: 1, bytes: 40 });
});

Deno.test("N3, N4: only a reservation that may evict takes the room of hot pages", () => {
  const memory = filled();

  assertEquals(memory.budget.reserve(61, false), false);
  assertEquals(memory.kept, { entries: 2, bytes: 80 });
  assertEquals(memory.budget.reserve(61, true), true);
  assertEquals(memory.kept, { entries: 0, bytes: 61 });
});

Deno.test("N3: a reservation above maxBytes evicts nothing", () => {
  const memory = filled();

  assertEquals(memory.budget.reserve(101, true), false);
  assertEquals(memory.kept, { entries: 2, bytes: 80 });
});

Deno.test("N3: where reservations leave no room, a newer copy is not kept and the older one stays", () => {
  const memory = filled();
  memory.budget.reserve(55, false);

  assertEquals(memory.put(keyOf("often"), NO_FIELDS, stored(3, 46)), "no-room");
  assertEquals(memory.find(keyOf("often"), NO_FIELDS)?.head.order, 1);
  assertEquals(memory.put(keyOf("often"), NO_FIELDS, stored(3, 45)), undefined);
  assertEquals(memory.kept, { entries: 1, bytes: 100 });
});

Deno.test("N3, N5: what is kept is bounded in number and bytes at any time", () => {
  const memory = new Memory({ maxEntries: 5, maxBytes: 100, maxVariants: 2 });
  let seed = 1;
  const random = (below: number) => (seed = seed * 48_271 % 2_147_483_647) % below;
  let reserved = 0;

  for (let order = 1; order <= 20_000; order++) {
    const key = keyOf(`${random(12)}`, `${random(3)}`, "fetch", `${random(2)}`);
    memory.find(key, NO_FIELDS);
    const action = random(20);
    if (action === 0) memory.removeAll(key.primary, order);
    else if (action === 1) memory.remove(key, NO_FIELDS, order, 0);
    else if (action === 2 && memory.budget.reserve(30, random(2) === 0)) reserved += 30;
    else if (action === 3 && reserved > 0) {
      memory.budget.release(30);
      reserved -= 30;
    } else memory.put(key, NO_FIELDS, stored(order, 1 + random(40)));
    if (memory.kept.entries > 5 || memory.kept.bytes > 100) {
      assertEquals(memory.kept, undefined, `after ${order}`);
    }
  }

  memory.clear(20_001);
  assertEquals(memory.kept, { entries: 0, bytes: reserved });
});
