import { assertEquals } from "@std/assert";
import { Memory } from "../../src/last_good/memory.ts";
import { PAGE, Site } from "../stage/site.ts";
import { keyOf, stored } from "../stage/stored.ts";
import { page } from "../stage/upstream.ts";

const NO_FIELDS = new Headers();
const LIMITS = { maxEntries: 10, maxBytes: 1_000, maxVariants: 8 };
const SOFT = { soft: true };

/** A site whose pages are served without a call for a minute. */
function fresh(): Site {
  return new Site({ lastGood: { freshMs: 60_000, refreshMs: 0 } });
}

for (const what of ["a URL", "everything"]) {
  Deno.test(`soft forgetting of ${what} leaves the page for an outage only`, async () => {
    const site = fresh();
    await site.read();
    await site.read({}, `${PAGE}/other`);
    site.answer = page({}, "newer");

    if (what === "a URL") site.api.forget(PAGE, SOFT);
    else site.api.forget(undefined, SOFT);

    assertEquals(await site.kept(), "good");
    assertEquals(await site.read(), "newer");
    assertEquals(await site.read({}, `${PAGE}/other`), what === "a URL" ? "good" : "newer");
  });
}

Deno.test("a page kept anew after soft forgetting is fresh", async () => {
  const site = fresh();
  await site.read();
  site.api.forget(PAGE, SOFT);
  await site.read();
  site.answer = page({}, "newer");

  assertEquals(await site.read(), "good");
});

Deno.test("soft forgetting reaches a response that is under way (S18)", async () => {
  const site = fresh();
  let answer = (_response: Response) => {};
  site.answer = () => new Promise((resolve) => answer = resolve);
  const asked = site.read();
  site.api.forget(PAGE, SOFT);
  answer(new Response("late"));
  await asked;
  site.answer = page({}, "newer");

  assertEquals(await site.kept(), "late");
  assertEquals(await site.read(), "newer");
});

Deno.test("soft forgetting is remembered for its URL and for earlier requests only (S18)", () => {
  const memory = new Memory(LIMITS);
  memory.outdate("a", 5);

  const isOutdated = (name: string, order: number) => {
    memory.put(keyOf(name), NO_FIELDS, stored(order));
    return memory.find(keyOf(name), NO_FIELDS)?.isOutdated ?? false;
  };
  assertEquals([isOutdated("a", 4), isOutdated("a", 5), isOutdated("b", 4)], [true, false, false]);
});
