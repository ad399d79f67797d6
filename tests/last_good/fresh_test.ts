import { assertEquals } from "@std/assert";
import { keeping } from "../stage/site.ts";

Deno.test("freshMs: a kept response that is younger is served without calling", async () => {
  const site = await keeping({ "cache-control": "max-age=60" }, 4.999, {
    lastGood: { freshMs: 5_000 },
  });

  const response = await site.get();

  assertEquals(await response.text(), "good");
  assertEquals(response.headers.get("cache-status"), "lastgood; hit; ttl=56");
  assertEquals([response.headers.get("age"), site.asked.length], ["4", 1]);
});

/** When a kept response is not served without calling, though it is younger than freshMs. */
const NOT_FRESH: readonly (readonly [string, Record<string, string>, HeadersInit, number])[] = [
  ["as old as freshMs", {}, {}, 5],
  ["kept by a clock that has stepped back", {}, {}, -1],
  ["past must-revalidate", { "cache-control": "max-age=2, must-revalidate" }, {}, 2],
  ["asked for with no-cache", {}, { "cache-control": "no-cache" }, 1],
  ["asked for with Pragma: no-cache", {}, { pragma: "no-cache" }, 1],
  ["asked for with max-age=0", {}, { "cache-control": "max-age=0" }, 0],
  ["older than the request's max-age", {}, { "cache-control": "max-age=2" }, 3],
];

for (const [what, fields, headers, secs] of NOT_FRESH) {
  Deno.test(`freshMs: calls for a response ${what}`, async () => {
    const site = await keeping(fields, secs, { lastGood: { freshMs: 5_000 } });

    await site.read({ headers });

    assertEquals(site.asked.length, 2);
  });
}
