/** Attacks by what a request asks of memory: conditions and directives (F4, F5). */

import { assertEquals } from "@std/assert";
import { Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import { told } from "../../stage/visits.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

const HANDLERS = ["wrap", "respond", "hono"] as const;

const START = Date.UTC(2026, 0, 1);
const YESTERDAY = new Date(START - 86_400_000).toUTCString();
const LAST_WEEK = new Date(START - 7 * 86_400_000).toUTCString();

for (const way of EVERY_WAY) {
  Deno.test(`F5: ${way}: a caller that has the page is told so by every condition that RFC 9110 knows`, async () => {
    const table: readonly (readonly [Record<string, string>, Record<string, string>, number])[] = [
      [{ etag: '"1"' }, { "if-none-match": "*" }, 304],
      [{}, { "if-none-match": "*" }, 304],
      [{ etag: '"1"' }, { "if-none-match": 'W/"1"' }, 304],
      [{ etag: 'W/"1"' }, { "if-none-match": '"0" , "1"' }, 304],
      [{ etag: '"1"' }, { "if-none-match": '"2"' }, 200],
      [{ etag: '"1"' }, { "if-none-match": "1" }, 200],
      [{ etag: '"a,b"' }, { "if-none-match": '"a,b"' }, 304],
      [{ etag: '"a"' }, { "if-none-match": '"a,b"' }, 200],
      [{ etag: '"*"' }, { "if-none-match": '"x*"' }, 200],
      [{}, { "if-none-match": '"1"' }, 200],
      [{ date: YESTERDAY }, { "if-modified-since": YESTERDAY }, 304],
      [{ date: YESTERDAY }, { "if-modified-since": LAST_WEEK }, 200],
      [{ date: YESTERDAY, "last-modified": LAST_WEEK }, { "if-modified-since": LAST_WEEK }, 304],
      [{ "last-modified": YESTERDAY, date: YESTERDAY }, { "if-modified-since": LAST_WEEK }, 200],
      [{ date: YESTERDAY }, { "if-modified-since": "yesterday" }, 200],
      [{ etag: '"1"', "last-modified": LAST_WEEK }, {
        "if-none-match": '"2"',
        "if-modified-since": YESTERDAY,
      }, 200],
    ];
    for (const [fields, condition, expected] of table) {
      const site = new Site({}, way);
      site.answer = page({ vary: "accept", "cache-control": "max-age=9", ...fields });
      await site.read();

      const { status, text, headers } = await told(site, { headers: condition });

      assertEquals([fields, condition, status, text], [
        fields,
        condition,
        expected,
        expected === 304 ? "" : "good",
      ]);
      const needed = [
        "date",
        "vary",
        "cache-control",
        ...fields["etag"] === undefined ? [] : ["etag"],
      ];
      assertEquals(needed.filter((name) => !headers.has(name)), []);
    }
  });

  Deno.test(`F5: ${way}: whoever asks about the origin's current state gets nothing from memory`, async () => {
    const site = new Site({ lastGood: { freshMs: 60_000 } }, way);
    site.answer = page({ etag: '"1"' });
    await site.read();

    for (
      const headers of [{ "if-match": "*" }, { "if-match": '"1"' }, {
        "if-unmodified-since": YESTERDAY,
      }]
    ) {
      assertEquals(await site.kept({ headers: headers as HeadersInit }), undefined);
    }
  });
}

for (const way of HANDLERS) {
  Deno.test(`F4: ${way}: a stranger's only-if-cached does not get past the check in the handler`, async () => {
    const checks = (request: { headers: Headers }) =>
      request.headers.get("x-api-key") === "ann" || request.headers.get("authorization") === "ann";
    for (
      const [name, control] of [["x-api-key", "public"], [
        "authorization",
        "max-age=600, must-revalidate",
      ], ["authorization", "s-maxage=600"]] as const
    ) {
      for (
        const value of [
          "only-if-cached",
          "max-stale=999999, only-if-cached",
          "ONLY-IF-CACHED",
          "only-if-cached, max-age=0",
          'only-if-cached="x"',
          "max-stale",
          "max-stale=99999999",
          "stale-if-error=9999999",
          "stale-while-revalidate=99999",
        ]
      ) {
        const site = new Site({}, way);
        site.answer = (asked) =>
          checks(asked)
            ? new Response("ann's", { headers: { "cache-control": control } })
            : new Response("who?", { status: 401 });
        await site.read({ headers: { [name]: "ann" } });
        const { calls } = site;

        const stranger = await site.get({ headers: { "cache-control": value } });

        assertEquals([value, stranger.status, await stranger.text()], [value, 401, "who?"]);
        assertEquals(site.calls, calls + 1);
      }
    }
  });

  Deno.test(`F4: ${way}: a stranger's only-if-cached is answered by a handler that knows nothing of it`, async () => {
    const site = new Site({}, way);

    assertEquals(await site.read({ headers: { "cache-control": "only-if-cached" } }), "good");
  });

  Deno.test(`F4: ${way}: a stranger may ask for less from memory, in an outage too`, async () => {
    const site = new Site({}, way);
    site.answer = page({ "cache-control": "max-age=10" });
    await site.read();
    site.clock.tick(20_000);

    const found = [];
    for (
      const value of [
        "max-stale=5",
        "stale-if-error=9",
        "max-stale=10",
        "max-stale=99",
        "no-cache",
        "max-age=0",
        "only-if-cached",
      ]
    ) {
      found.push(await site.kept({ headers: { "cache-control": value } }));
    }

    assertEquals(found, [undefined, undefined, "good", "good", "good", "good", "good"]);
  });
}

Deno.test("F4: fetch: only-if-cached gets a fresh copy, or 504, and never a call", async () => {
  const only = { headers: { "cache-control": "only-if-cached" } };
  for (
    const [fields, secs, expected] of [
      [{ "cache-control": "max-age=60" }, 59, "good"],
      [{ "cache-control": "max-age=60" }, 60, undefined],
      [{ "cache-control": "max-age=60", age: "30" }, 40, undefined],
      [{ expires: new Date(START + 60_000).toUTCString() }, 30, "good"],
      [{}, 0, undefined],
      [{ "cache-control": "stale-if-error=600" }, 1, undefined],
    ] as const
  ) {
    const site = new Site();
    site.answer = page(fields);
    await site.read();
    site.clock.tick(secs * 1_000);
    const { calls } = site;

    const response = await site.get(only);

    const text = await response.text();
    assertEquals([fields, response.status], [fields, expected === undefined ? 504 : 200]);
    if (expected !== undefined) assertEquals(text, expected);
    assertEquals(site.calls, calls);
  }
  const empty = new Site();
  assertEquals([(await empty.get(only)).status, empty.calls], [504, 0]);
});
