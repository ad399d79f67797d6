import { assert, assertEquals } from "@std/assert";
import { breaker } from "@lastgood/breaker";
import { pieces } from "../stage/bodies.ts";
import { PAGE, Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

const NOTHING = { entries: 0, bytes: 0 };

Deno.test("22: kept counts entries and bytes, from the first to the last one", async () => {
  const site = new Site();
  assertEquals(site.api.kept, NOTHING);
  site.answer = page({}, "x".repeat(10_000));
  await site.read();

  const { entries, bytes } = site.api.kept;
  await site.read({}, `${PAGE}/other`);

  assertEquals(entries, 1);
  assert(bytes > 10_000 && bytes < 12_000, `${bytes}`);
  assertEquals(site.api.kept, { entries: 2, bytes: 2 * bytes + 3 * "/other".length });
  site.api.forget(PAGE);
  assertEquals(site.api.kept.entries, 1);
  site.api.forget();
  assertEquals(site.api.kept, NOTHING);
});

Deno.test("22, N3: kept counts what each field takes besides its text", async () => {
  const site = new Site();
  await site.read();
  const { bytes } = site.api.kept;
  const fields = Array.from({ length: 100 }, (_, index) => [`x-${index}`, "1"] as const);
  site.answer = page(Object.fromEntries(fields));

  await site.read({}, `${PAGE}/other`);

  assert(site.api.kept.bytes - 2 * bytes > 100 * 70, `${site.api.kept.bytes}, ${bytes}`);
});

Deno.test("22: kept is the same after a page was kept again", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  await site.read();
  const { bytes } = site.api.kept;

  for (let n = 0; n < 10; n++) await site.read();

  assertEquals(site.api.kept, { entries: 1, bytes });
});

Deno.test("22: a copy that came to nothing leaves nothing behind", async () => {
  const site = new Site();
  site.answer = page({}, pieces("go", new Error("reset")));

  await site.read().catch(() => {});

  assertEquals(site.api.kept, NOTHING);
});

Deno.test("22: a breaker without lastGood keeps nothing", () => {
  assertEquals(breaker({ lastGood: false }).kept, NOTHING);
});

for (const maxEntries of [Number.MAX_SAFE_INTEGER, 2 ** 31, 2 ** 32, 1]) {
  Deno.test(`N5: pages are kept, and answers unharmed, with maxEntries ${maxEntries}`, async () => {
    const site = new Site({ lastGood: { maxEntries } });
    site.answer = page({}, pieces("go", "od"));

    assertEquals(await site.read(), "good");
    assertEquals(await site.kept(), "good");
    assertEquals(site.notKept, []);
  });
}
