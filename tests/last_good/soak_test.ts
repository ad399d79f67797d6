import { assert, assertEquals } from "@std/assert";
import { Memory } from "../../src/last_good/memory.ts";
import type { StoredResponse } from "../../src/last_good/stored_response.ts";
import { Site } from "../stage/site.ts";

const KEYS = 1_000_000;
const CALLS = 20_000;
const BODY = new Uint8Array(64);
const NO_FIELDS = new Headers();

function snapshot(order: number): StoredResponse {
  return {
    body: BODY,
    variant: [],
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
    size: BODY.byteLength,
  };
}

const place = (primary: string) => ({ primary, secondary: "", partitioned: false });

Deno.test(`22: ${KEYS} keys leave entries and bytes bounded, and a hot key kept`, () => {
  const maxEntries = 1_000;
  const memory = new Memory({ maxEntries, maxBytes: 900 * BODY.byteLength, maxVariants: 8 });
  const hot = snapshot(1);
  memory.put(place("hot"), NO_FIELDS, hot);

  for (let n = 2; n <= KEYS; n++) {
    assertOk(memory.put(place(`https://origin.test/${n}`), NO_FIELDS, snapshot(n)));
    if (n % 500 === 0) memory.find(place("hot"), NO_FIELDS);
  }

  assert(memory.find(place("hot"), NO_FIELDS) === hot);
  let kept = 0;
  for (let n = 2; n <= KEYS; n++) {
    if (n <= KEYS - 2 * maxEntries && n % 100 !== 0) continue;
    if (memory.find(place(`https://origin.test/${n}`), NO_FIELDS) !== undefined) kept++;
  }
  assertEquals(kept, 899);
});

function assertOk(why: string | undefined): void {
  if (why !== undefined) assertEquals(why, undefined);
}

Deno.test(`22: ${CALLS} calls for new pages leave the last ones and a hot one kept`, async () => {
  const site = new Site({ onEvent: () => {}, lastGood: { maxEntries: 1_000, maxBytes: 200_000 } });
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
