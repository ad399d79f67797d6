import { assert, assertEquals } from "@std/assert";
import type { CacheKey } from "../../src/last_good/cache_key.ts";
import { Memory, type MemoryLimits } from "../../src/last_good/memory.ts";
import { ORIGIN, PAGE, Site } from "../stage/site.ts";
import { keyOf, stored } from "../stage/stored.ts";
import type { Way } from "../stage/ways.ts";

const NO_FIELDS = new Headers();
const HOT = Array.from({ length: 100 }, (_, index) => `hot ${index}`);
const LIMITS = { maxEntries: 1_000, maxBytes: 1e6, maxVariants: 8 };

/** A memory that numbers its requests. */
class Visited extends Memory {
  #order = 0;

  constructor(limits: Partial<MemoryLimits> = {}) {
    super({ ...LIMITS, ...limits });
  }

  /** Asks for a page, as one request does that gets a good answer. */
  ask(key: CacheKey, headers = NO_FIELDS, vary: readonly string[] = []): string | undefined {
    this.find(key, headers);
    const variant = vary.map((name) => [name, headers.get(name)] as const);
    return this.put(key, headers, stored(++this.#order, 100, variant));
  }

  /** Returns those of the hot pages that are kept. */
  hot(): string[] {
    return HOT.filter((name) => this.find(keyOf(name), NO_FIELDS) !== undefined);
  }
}

/** A memory with hot pages: each was asked for twice. */
function popular(limits: Partial<MemoryLimits> = {}): Visited {
  const memory = new Visited(limits);
  for (const name of [...HOT, ...HOT]) memory.ask(keyOf(name));
  return memory;
}

const LIMITS_ABOVE: readonly Partial<MemoryLimits>[] = [
  ...[1_000, 110, 101, 100].map((maxEntries) => ({ maxEntries })),
  ...[11_000, 10_050, 10_000].map((maxBytes) => ({ maxBytes })),
];

for (const limits of LIMITS_ABOVE) {
  const what = JSON.stringify(limits);
  Deno.test(`N4: 100,000 pages asked for once leave all 100 hot pages, ${what}`, () => {
    const memory = popular(limits);

    for (let n = 0; n < 100_000; n++) memory.ask(keyOf(`once ${n}`));

    assertEquals(memory.hot(), HOT);
  });

  Deno.test(`N4: 1,000 made-up variants of a hot page leave all 100 hot pages, ${what}`, () => {
    for (const made of ["added", "place", "vary"] as const) {
      const memory = popular(limits);

      for (let n = 0; n < 1_000; n++) {
        if (made === "added") memory.ask(keyOf(HOT[0]!, `${n}`));
        else if (made === "place") memory.ask(keyOf(HOT[0]!, "", `respond ${n}`));
        else memory.ask(keyOf("varied"), new Headers({ a: `${n}` }), ["a"]);
      }

      assertEquals(memory.hot(), HOT, made);
    }
  });
}

Deno.test("N4: a page asked for once is refused where hot pages take all the room", () => {
  for (const limits of [{ maxEntries: 100 }, { maxBytes: 10_000 }]) {
    const memory = popular(limits);

    assertEquals(memory.ask(keyOf("once")), "no-room");
    assertEquals(memory.kept, { entries: 100, bytes: 10_000 });
  }
});

Deno.test("N4: what is asked for again takes the room of the least recently used hot page", () => {
  for (const limits of [{ maxEntries: 100 }, { maxBytes: 10_000 }]) {
    const memory = popular(limits);
    memory.ask(keyOf("new"));

    memory.ask(keyOf("new"));

    assert(memory.find(keyOf("new"), NO_FIELDS));
    assertEquals(memory.hot(), HOT.slice(1));
  }
});

Deno.test("N4: what was evicted is hot when it is asked for again", () => {
  const memory = new Visited({ maxEntries: 2 });
  for (const name of ["a", "b", "c"]) memory.ask(keyOf(name));
  memory.ask(keyOf("a"));

  memory.ask(keyOf("d"));
  memory.ask(keyOf("e"));

  assert(memory.find(keyOf("a"), NO_FIELDS));
});

Deno.test("N4: the hot page that goes is the one that was not asked for for the longest time", () => {
  const memory = popular({ maxEntries: 100 });
  memory.find(keyOf(HOT[0]!), NO_FIELDS);

  memory.ask(keyOf("new"));
  memory.ask(keyOf("new"));

  assertEquals(memory.hot(), [HOT[0], ...HOT.slice(2)]);
});

Deno.test("N4: what was asked for is remembered from its eviction on", () => {
  const memory = new Visited({ maxEntries: 20_000, maxBytes: 1e7 });
  for (let n = 0; n <= 20_000; n++) memory.ask(keyOf(`${n}`));

  assert(memory.isWanted(keyOf("0"), NO_FIELDS, { variant: [], order: 1e6 }));
  assert(!memory.isWanted(keyOf("other"), NO_FIELDS, { variant: [], order: 1e6 }));
});

Deno.test("N4: what was removed is hot when it is kept again", () => {
  const memory = new Visited({ maxEntries: 1 });
  memory.ask(keyOf("a"));
  memory.ask(keyOf("a"));
  memory.removeAll("a", 2);
  memory.ask(keyOf("a"));

  assertEquals(memory.ask(keyOf("b")), "no-room");
});

Deno.test("N4: a request alone does not make a page wanted, another one does", () => {
  const memory = new Memory(LIMITS);
  const asks = (order: number) => memory.isWanted(keyOf("a"), NO_FIELDS, { variant: [], order });

  assertEquals([asks(1), asks(1), asks(2), asks(3)], [false, false, true, true]);
});

Deno.test("N4: what is kept is wanted", () => {
  const memory = new Memory(LIMITS);
  memory.put(keyOf("a"), NO_FIELDS, stored(1));

  assert(memory.isWanted(keyOf("a"), NO_FIELDS, { variant: [], order: 2 }));
});

// ---- Variants ----

Deno.test("N4, K2: maxVariants limits the variants of one URL together, whatever made them", () => {
  const memory = new Visited({ maxVariants: 3 });
  memory.ask(keyOf("a"), new Headers({ x: "1" }), ["x"]);
  memory.ask(keyOf("a", "forwarded"));
  memory.ask(keyOf("a", "", "wrap 1"));
  memory.ask(keyOf("b"));

  memory.ask(keyOf("a"), new Headers({ x: "2" }), ["x"]);

  assertEquals(memory.kept.entries, 4);
  assertEquals(memory.find(keyOf("a"), new Headers({ x: "1" })), undefined);
});

Deno.test("N4, K4: each partition has variants of its own", () => {
  const memory = new Visited({ maxVariants: 1 });
  for (const owner of ["", "ann", "bob"]) memory.ask(keyOf("a", "", "fetch", owner));

  memory.ask(keyOf("a", "forwarded", "fetch", "ann"));

  const kept = ["", "ann", "bob"].filter((owner) =>
    memory.find(keyOf("a", "", "fetch", owner), NO_FIELDS)
  );
  assertEquals(kept, ["", "bob"]);
});

Deno.test("N4: one variant too many pushes out the oldest that was asked for once", () => {
  const memory = new Visited({ maxVariants: 3 });
  for (const added of ["hot", "hot", "old", "young"]) memory.ask(keyOf("a", added));

  memory.ask(keyOf("a", "new"));

  const kept = ["hot", "old", "young", "new"].filter((added) =>
    memory.find(keyOf("a", added), NO_FIELDS)
  );
  assertEquals(kept, ["hot", "young", "new"]);
});

Deno.test("N4: a variant among hot ones only is kept when it is asked for again", () => {
  const memory = new Visited({ maxVariants: 2 });
  for (const added of ["x", "x", "y", "y"]) memory.ask(keyOf("a", added));

  assertEquals(memory.ask(keyOf("a", "new")), "no-room");
  assertEquals(memory.ask(keyOf("a", "new")), undefined);
  const kept = ["x", "y", "new"].filter((added) => memory.find(keyOf("a", added), NO_FIELDS));
  assertEquals(kept, ["y", "new"]);
});

Deno.test("N4: of hot variants, the least recently used gives way", () => {
  const memory = new Visited({ maxVariants: 3 });
  for (const added of ["x", "x", "y", "y", "z", "z", "x"]) memory.ask(keyOf("a", added));
  memory.find(keyOf("a", "y"), NO_FIELDS);

  memory.ask(keyOf("a", "new"));
  memory.ask(keyOf("a", "new"));

  const kept = ["x", "y", "z"].filter((added) => memory.find(keyOf("a", added), NO_FIELDS));
  assertEquals(kept, ["x", "y"]);
});

Deno.test("N4: made-up variants of a hot page that begins to vary are no hot pages", () => {
  const memory = popular({ maxEntries: 100 });

  for (let n = 0; n < 1_000; n++) memory.ask(keyOf(HOT[0]!), new Headers({ a: `${n}` }), ["a"]);

  assertEquals(memory.hot(), HOT);
});

// ---- By real requests ----

for (const way of ["fetch", "wrap", "respond", "hono"] as const satisfies readonly Way[]) {
  Deno.test(`N4: ${way}: a crawl and made-up variants leave all 100 hot pages`, async () => {
    for (const maxEntries of [1_000, 110, 100]) {
      const site = new Site({ lastGood: { maxEntries } }, way);
      site.answer = ({ url }) => new Response(url, { headers: { vary: "accept-language" } });
      const urls = HOT.map((_, index) => `${ORIGIN}/hot/${index}`);
      for (const url of [...urls, ...urls]) await site.read({}, url);

      for (let n = 0; n < 1_000; n++) {
        await site.read({}, `${PAGE}?${n}`);
        await site.read({ headers: { "x-forwarded-host": `${n}.test` } }, urls[n % 10]!);
        await site.read({ headers: { "accept-language": `x-${n}` } }, urls[0]!);
      }

      const kept = [];
      for (const url of urls) kept.push(await site.kept({}, url));
      assertEquals(kept, urls, `${maxEntries}`);
    }
  });
}

Deno.test("N4: a page asked for once is not kept where hot ones take all the room", async () => {
  const site = new Site({ lastGood: { maxEntries: 1 } });
  await site.read();
  await site.read();

  await site.read({}, `${PAGE}/other`);

  assertEquals(site.notKept, ["no-room"]);
  assertEquals(await site.kept(), "good");
});
