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

/** What others hold of 1,000,000 bytes, what a copy wants, whether it was asked for, and if it may. */
const HELD: readonly (readonly [others: number, bytes: number, isWanted: boolean, may: boolean])[] =
  [
    [500_000, 100_000, false, true],
    [500_001, 100_000, false, false],
    [500_001, 100_000, true, false],
    [500_001, 65_536, false, true],
    [750_000, 65_536, false, true],
    [750_001, 65_536, false, false],
    [750_001, 65_536, true, true],
    [950_000, 50_001, true, false],
  ];

for (const [others, bytes, isWanted, may] of HELD) {
  const what = `${bytes} bytes of a page asked for ${isWanted ? "twice" : "once"}`;
  Deno.test(`N3: while others hold ${others} of 1,000,000 bytes, ${what} are ${may ? "" : "not "}copied`, () => {
    const { budget } = new Memory({ maxEntries: 10, maxBytes: 1_000_000, maxVariants: 8 });
    budget.hold(others, false);

    assertEquals(budget.canHold(bytes, 0, isWanted), may);
  });
}

Deno.test("N3: what a copy holds itself does not count against it", () => {
  const { budget } = new Memory({ maxEntries: 10, maxBytes: 1_000_000, maxVariants: 8 });
  budget.hold(600_000, false);

  assertEquals(budget.canHold(100_000, 600_000, false), true);
  budget.letGo(600_000);
  assertEquals(budget.canHold(100_000, 0, false), true);
});

Deno.test("N4: a copy takes room from hot pages only as far as they fill more than three quarters", () => {
  const memory = new Memory({ maxEntries: 10, maxBytes: 1_000, maxVariants: 8 });
  for (const url of ["a", "b", "c", "d"]) {
    memory.put(keyOf(url), NO_FIELDS, stored(1, 225));
    memory.find(keyOf(url), NO_FIELDS);
  }

  assertEquals(memory.budget.canHold(250, 0, true), true);
  assertEquals(memory.budget.canHold(251, 0, true), false);
  assertEquals(memory.budget.canHold(101, 0, false), false);
  memory.budget.hold(250, true);
  assertEquals(memory.kept, { entries: 3, bytes: 925 });
});
