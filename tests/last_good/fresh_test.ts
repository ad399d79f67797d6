import { assertEquals } from "@std/assert";
import { keeping } from "../stage/site.ts";

Deno.test("freshMs: a younger kept response is served without a call", async () => {
  const site = await keeping({ "cache-control": "max-age=60" }, 4.999, {
    lastGood: { freshMs: 5_000 },
  });

  const response = await site.get();

  assertEquals(await response.text(), "good");
  assertEquals(response.headers.get("cache-status"), "lastgood; hit; ttl=56");
  assertEquals([response.headers.get("age"), site.asked.length], ["4", 1]);
});

/** Kept responses that freshMs does not cover: fields, request fields and age in seconds. */
const NOT_FRESH: readonly (readonly [string, Record<string, string>, HeadersInit, number])[] = [
  ["as old as freshMs", {}, {}, 5],
  ["kept before the clock stepped back", {}, {}, -1],
  ["past must-revalidate", { "cache-control": "max-age=2, must-revalidate" }, {}, 2],
  ["requested with no-cache", {}, { "cache-control": "no-cache" }, 1],
  ["requested with Pragma: no-cache", {}, { pragma: "no-cache" }, 1],
  ["requested with max-age=0", {}, { "cache-control": "max-age=0" }, 0],
  ["older than the request's max-age", {}, { "cache-control": "max-age=2" }, 3],
];

for (const [what, fields, headers, secs] of NOT_FRESH) {
  Deno.test(`freshMs: a response ${what} needs a call`, async () => {
    const site = await keeping(fields, secs, { lastGood: { freshMs: 5_000 } });

    await site.read({ headers });

    assertEquals(site.asked.length, 2);
  });
}
