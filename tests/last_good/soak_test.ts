import { assert, assertEquals } from "@std/assert";
import { Memory } from "../../src/last_good/memory.ts";
import { Site } from "../stage/site.ts";
import { keyOf, stored } from "../stage/stored.ts";

const KEYS = 1_000_000;
const CALLS = 20_000;
const SIZE = 64;
const NO_FIELDS = new Headers();

Deno.test(`22: after ${KEYS} keys, entries and bytes are bounded, and a hot key is still kept`, () => {
  const maxEntries = 1_000;
  const memory = new Memory({ maxEntries, maxBytes: 900 * SIZE, maxVariants: 8 });
  const hot = stored(1, SIZE);
  memory.put(keyOf("hot"), NO_FIELDS, hot);

  for (let n = 2; n <= KEYS; n++) {
    assertOk(memory.put(keyOf(`https://origin.test/${n}`), NO_FIELDS, stored(n, SIZE)));
    if (n % 500 === 0) memory.find(keyOf("hot"), NO_FIELDS);
  }

  assert(memory.find(keyOf("hot"), NO_FIELDS) === hot);
  let kept = 0;
  for (let n = 2; n <= KEYS; n++) {
    if (n <= KEYS - 2 * maxEntries && n % 100 !== 0) continue;
    if (memory.find(keyOf(`https://origin.test/${n}`), NO_FIELDS) !== undefined) kept++;
  }
  assertEquals(kept, 899);
});

function assertOk(why: string | undefined): void {
  if (why !== undefined) assertEquals(why, undefined);
}

Deno.test(`22: after ${CALLS} calls for new pages, the last ones and a hot one are still kept`, async () => {
  const site = new Site({
    onEvent: () => {},
    lastGood: { maxEntries: 1_000, maxBytes: 1_000_000 },
  });
  site.answer = ({ url }) => new Response(url);
  const page = (n: number) => `https://origin.test/${n}`;
  await site.read({}, page(0));

  for (let n = 1; n <= CALLS; n++) {
    await site.read({}, page(n));
    site.asked.length = 0;
    if (n % 500 !== 0) continue;
    assertEquals(await site.kept({}, page(0)), page(0));
  }

  assertEquals(await site.kept({}, page(CALLS)), page(CALLS));
  for (let n = 1; n <= CALLS - 1_000; n += 97) {
    assertEquals(await site.kept({}, page(n)), undefined);
  }
});
