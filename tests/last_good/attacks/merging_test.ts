/** Attacks by what a confirmation brings along: a copy stays what it was, for whom it was (S21, K2). */

import { assertEquals } from "@std/assert";
import { Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

const ETAG = '"1"';

/** What a client may make an origin say about itself, besides that the page is the same. */
const OWN: readonly (readonly [field: string, fields: Record<string, string>])[] = [
  ["origin", { "access-control-allow-origin": "evil" }],
  ["origin", { "access-control-allow-origin": "evil", vary: "Origin" }],
  ["x-a", { vary: "X-A" }],
  ["accept-language", { vary: "Accept-Language", "content-language": "evil" }],
];

for (const way of EVERY_WAY) {
  for (const status of [304, 200]) {
    Deno.test(`S21, K2: ${way}: a ${status} that confirms the page for one client leaves it to all others`, async () => {
      for (const [field, fields] of OWN) {
        const site = new Site({}, way);
        site.answer = page({ etag: ETAG });
        await site.read();
        site.clock.tick(5_000);
        const confirming = { etag: ETAG, ...fields };
        site.answer = status === 304 ? page(confirming, null, 304) : page(confirming);
        const evil = { [field]: "evil", ...status === 304 && { "if-none-match": ETAG } };

        await site.read({ headers: evil });

        const others = [{}, { headers: { [field]: "other" } }];
        const found = [];
        for (const other of others) {
          const { answer } = site;
          site.fail();
          const response = await site.get(other);
          site.answer = answer;
          const allowed = response.headers.get("access-control-allow-origin");
          found.push(`${await response.text()} ${allowed ?? ""}`);
        }
        assertEquals([fields, ...found], [fields, "good ", "good "]);
      }
    });
  }

  /** Origins and owners that let no field through which the rules have to read again. */
  const hidden: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
    ["dropFields", {}, ["cache-control", "vary", "etag"]],
    ["Connection", { connection: "cache-control, vary" }, []],
  ];
  for (const [how, extra, dropFields] of hidden) {
    Deno.test(`H9, H1, S6: ${way}: what ${how} takes out of a copy still binds it`, async () => {
      const site = new Site({ lastGood: { dropFields } }, way);
      site.answer = page({ "cache-control": "max-age=5, must-revalidate", vary: "x-a", ...extra });
      await site.read({ headers: { "x-a": "a" } });

      assertEquals(await site.kept({ headers: { "x-a": "b" } }), undefined);
      assertEquals(await site.kept({ headers: { "x-a": "a" } }), "good");
      site.clock.tick(5_000);
      assertEquals(await site.kept({ headers: { "x-a": "a" } }), undefined);
    });

    Deno.test(`H9, H1, S6, S21: ${way}: what ${how} takes out of a copy binds it after a 304, too`, async () => {
      const modified = new Date(Date.UTC(2025, 0, 1)).toUTCString();
      const site = new Site({ lastGood: { dropFields } }, way);
      site.answer = page({
        "cache-control": "max-age=5, must-revalidate",
        "last-modified": modified,
        vary: "x-a",
        ...extra,
      });
      await site.read({ headers: { "x-a": "a" } });
      site.answer = page({ "last-modified": modified }, null, 304);

      await site.read({ headers: { "x-a": "a", "if-modified-since": modified } });

      assertEquals(await site.kept({ headers: { "x-a": "b" } }), undefined);
      site.clock.tick(6_000);
      assertEquals(await site.kept({ headers: { "x-a": "a" } }), undefined);
    });
  }

  Deno.test(`S21, S6: ${way}: a 304 that says nothing more lifts no limit of the copy`, async () => {
    for (
      const value of ["max-age=5, must-revalidate", "s-maxage=5", "max-age=5, stale-if-error=0"]
    ) {
      const site = new Site({}, way);
      site.answer = page({ etag: ETAG, "cache-control": value });
      await site.read();
      site.answer = page({ etag: ETAG }, null, 304);

      await site.read({ headers: { "if-none-match": ETAG } });

      site.clock.tick(5_000);
      assertEquals([value, await site.kept()], [value, undefined]);
    }
  });

  Deno.test(`S21, S8b: ${way}: a copy that was public is not private property after a 304`, async () => {
    const site = new Site({ lastGood: { freshMs: 60_000 } }, way);
    site.answer = page({ etag: ETAG, "cache-control": "public, max-age=60" });
    await site.read({ headers: { "x-api-key": "ann" } });
    site.clock.tick(60_000);
    site.answer = page({ etag: ETAG, "cache-control": "max-age=60", "x-name": "ann" }, null, 304);

    await site.read({ headers: { "x-api-key": "ann", "if-none-match": ETAG } });

    site.fail();
    const others = await site.get();
    await others.body?.cancel();
    assertEquals(others.headers.get("x-name"), null);
  });
}
