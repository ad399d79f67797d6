/** Attacks by answers to a caller's own condition: what a copy learns from a 304 (S21). */

import { assert, assertEquals } from "@std/assert";
import { Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import { told } from "../../stage/visits.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

const confirms = (fields: Record<string, string>) => page(fields, null, 304);
const START = Date.UTC(2026, 0, 1);
const YESTERDAY = new Date(START - 86_400_000).toUTCString();
const LAST_WEEK = new Date(START - 7 * 86_400_000).toUTCString();

for (const way of EVERY_WAY) {
  Deno.test(`S21: ${way}: a copy that callers confirm every hour lives as long as they come`, async () => {
    for (
      const [fields, condition] of [
        [{ etag: '"1"' }, { "if-none-match": '"1"' }],
        [{ etag: 'W/"1"' }, { "if-none-match": 'W/"1"' }],
        [{ etag: '"1"' }, { "if-none-match": '"0", W/"1"' }],
        [{ "last-modified": LAST_WEEK }, { "if-modified-since": LAST_WEEK }],
      ] as const
    ) {
      const site = new Site({ lastGood: { maxStaleMs: 7_200_000 } }, way);
      site.answer = page(fields);
      await site.read();
      site.answer = confirms(fields);

      for (let hour = 0; hour < 30; hour++) {
        site.clock.tick(3_600_000);
        assertEquals((await site.get({ headers: condition })).status, 304);
      }

      const { text, headers } = await told(site);
      assertEquals([condition, text, headers.get("age")], [condition, "good", "0"]);
    }
  });

  Deno.test(`S21: ${way}: a 304 that confirms another version freshens nothing`, async () => {
    for (
      const [kept, confirmed] of [
        [{ etag: '"1"' }, { etag: '"2"' }],
        [{ etag: '"1"' }, { etag: 'W/"2"' }],
        [{ "last-modified": LAST_WEEK }, { "last-modified": YESTERDAY }],
        [{ "last-modified": LAST_WEEK }, { etag: '"1"' }],
      ]
    ) {
      const site = new Site({}, way);
      site.answer = page(kept);
      await site.read();
      site.clock.tick(60_000);
      site.answer = confirms(confirmed as Record<string, string>);

      await site.read({ headers: { "if-none-match": '"2"', "if-modified-since": YESTERDAY } });

      const { text, headers } = await told(site);
      assertEquals([confirmed, text, headers.get("age")], [confirmed, "good", "60"]);
    }
  });

  Deno.test(`S21, S17: ${way}: a 304 that says private or no-store leaves the page to nobody`, async () => {
    for (
      const value of [
        "private",
        "no-store",
        "no-cache",
        "max-age=0, private, no-cache",
        'private="x"',
      ]
    ) {
      const site = new Site({}, way);
      site.answer = page({ etag: '"1"' });
      await site.read();
      site.answer = confirms({ etag: '"1"', "cache-control": value });

      await site.read({ headers: { "if-none-match": '"1"' } });

      assertEquals([value, await site.kept()], [value, undefined]);
    }
  });

  Deno.test(`S21: ${way}: what a 304 says from now on holds for the copy`, async () => {
    const site = new Site({}, way);
    site.answer = page({ etag: '"1"', "x-old": "kept", "cache-control": "max-age=600" });
    await site.read();
    site.clock.tick(10_000);
    site.answer = confirms({
      etag: '"1"',
      "x-new": "1",
      "cache-control": "max-age=5, must-revalidate",
    });

    await site.read({ headers: { "if-none-match": '"1"' } });

    const { text, headers } = await told(site);
    assertEquals([text, headers.get("x-old"), headers.get("x-new")], ["good", "kept", "1"]);
    assertEquals([headers.get("cache-control"), headers.get("age")], [
      "max-age=5, must-revalidate",
      "0",
    ]);
    site.clock.tick(5_000);
    assertEquals(await site.kept(), undefined);
  });

  Deno.test(`S21, S15: ${way}: a copy whose fields a 304 would make too large is not served with them`, async () => {
    const site = new Site({}, way);
    site.answer = page({ etag: '"1"', "x-a": "x".repeat(9_000) });
    await site.read();
    site.answer = confirms({ etag: '"1"', "x-b": "x".repeat(9_000) });

    await site.read({ headers: { "if-none-match": '"1"' } });

    const { headers } = await told(site);
    assert(!(headers.has("x-a") && headers.has("x-b")));
  });

  Deno.test(`S21, S17: ${way}: a 304 to a stranger's request with credentials changes nothing`, async () => {
    const site = new Site({}, way);
    site.answer = page({ etag: '"1"' });
    await site.read();
    for (const name of ["authorization", "cookie", "x-api-key"]) {
      site.answer = confirms({
        etag: '"1"',
        "cache-control": "private, no-store",
        "x-user": "ann",
      });

      await site.read({ headers: { "if-none-match": '"1"', [name]: "ann" } });

      const { text, headers } = await told(site);
      assertEquals([name, text, headers.get("x-user")], [name, "good", null]);
    }
  });
}
