/** What a served copy tells must be true, and nobody's secret (F6, H3, H4, H9, H10, N8). */

import { assert, assertEquals } from "@std/assert";
import { logTo } from "@lastgood/breaker";
import { PAGE, Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import { told } from "../../stage/visits.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

const confirms = (fields: Record<string, string>) => page(fields, null, 304);
const START = Date.UTC(2026, 0, 1);

/** Makes an answer look as if it came from a real `fetch`. */
function fetched(answer: Site["answer"]): Site["answer"] {
  return async (asked) => {
    const response = await answer(asked);
    Object.defineProperties(response, { url: { value: PAGE }, type: { value: "basic" } });
    return response;
  };
}

for (const way of EVERY_WAY) {
  Deno.test(`F6, H9: ${way}: a part is answered with the whole, which offers no parts`, async () => {
    const site = new Site({}, way);
    site.answer = page({ "accept-ranges": "bytes", etag: '"1"' }, "the whole");
    await site.read();

    const { status, text, headers } = await told(site, {
      headers: { range: "bytes=0-2", "if-range": '"1"' },
    });

    assertEquals([status, text, headers.get("accept-ranges")], [200, "the whole", null]);
    assertEquals(headers.get("content-range"), null);
  });

  Deno.test(`H9: ${way}: fields about one moment are not replayed`, async () => {
    const fields = {
      "clear-site-data": '"cookies"',
      "retry-after": "120",
      "refresh": "0;url=/login",
      "authentication-info": "x",
      "proxy-authentication-info": "x",
      "x-ratelimit-limit": "60",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "1",
      "x-ratelimit-reset-requests": "1s",
      "ratelimit": '"a";r=0;t=9',
      "ratelimit-policy": '"a";q=9',
      "ratelimit-limit": "9",
      "ratelimit-remaining": "0",
      "x-csrf-token": "secret",
      "server-timing": "db;dur=53",
      "accept-ranges": "bytes",
      "x-own-moment": "x",
    };
    const site = new Site({ lastGood: { dropFields: ["X-Own-Moment"] } }, way);
    site.answer = page({ ...fields, "x-rate": "kept" });
    const live = await site.get();
    await live.text();

    const { headers } = await told(site);

    assertEquals(Object.keys(fields).filter((name) => !live.headers.has(name)), []);
    assertEquals(Object.keys(fields).filter((name) => headers.has(name)), []);
    assertEquals(headers.get("x-rate"), "kept");
  });

  Deno.test(`H9, S21: ${way}: a 304 brings none of them back`, async () => {
    const site = new Site({ lastGood: { dropFields: ["x-moment"] } }, way);
    site.answer = page({ etag: '"1"' });
    await site.read();
    site.answer = confirms({
      etag: '"1"',
      "retry-after": "9",
      "x-moment": "1",
      "x-ratelimit-reset": "1",
      "set-cookie": "",
    });

    await site.read({ headers: { "if-none-match": '"1"' } });

    const { headers } = await told(site);
    assertEquals(
      ["retry-after", "x-moment", "x-ratelimit-reset", "set-cookie"].filter((name) =>
        headers.has(name)
      ),
      [],
    );
  });

  Deno.test(`H4: ${way}: digests of what no longer is there are not kept, those of the body are`, async () => {
    const digests = [
      "content-digest",
      "repr-digest",
      "digest",
      "content-md5",
      "signature",
      "signature-input",
    ];
    const site = new Site({}, way);
    const fields = Object.fromEntries(digests.map((name) => [name, "x"]));
    // Its length shows that the body is no longer coded.
    site.answer = page({
      ...fields,
      "content-encoding": "gzip",
      "content-length": "3",
      etag: '"1"',
    }, "decoded long ago");
    site.answer = way === "fetch" ? fetched(site.answer) : site.answer;
    await site.read();

    const { text, headers } = await told(site);

    // A handler's own body may be refused in doubt.
    if (text !== "down") {
      assertEquals(digests.filter((name) => headers.has(name)), []);
      assertEquals([headers.get("content-encoding"), headers.get("etag")], [null, 'W/"1"']);
      assertEquals(headers.get("content-length") ?? "16", "16");
    } else assert(way !== "fetch");
    const plain = new Site({}, way);
    plain.answer = page({ digest: "x" });
    await plain.read();
    assertEquals((await told(plain)).headers.get("digest"), "x");
  });

  Deno.test(`H10: ${way}: nothing downstream may take a stale answer for fresher than it is`, async () => {
    const origin: readonly Record<string, string>[] = [
      { "cache-control": "max-age=60", age: "10" },
      { "cache-control": "max-age=60, stale-while-revalidate=600" },
      { expires: new Date(START + 60_000).toUTCString(), date: new Date(START).toUTCString() },
      {
        "cache-control": "s-maxage=600, max-age=60",
        age: "5",
        date: new Date(START - 5_000).toUTCString(),
      },
      {},
    ];
    for (const fields of origin) {
      const site = new Site({}, way);
      site.answer = page(fields);
      await site.read();
      site.clock.tick(300_000);

      const { text, headers } = await told(site);

      assertEquals([fields, text], [fields, "good"]);
      for (const name of ["cache-control", "expires", "last-modified", "etag"]) {
        assertEquals([name, headers.get(name)], [name, fields[name] ?? null]);
      }
      assertEquals(headers.get("date"), fields["date"] ?? new Date(START).toUTCString());
      assertEquals(headers.get("age"), String(300 + Number(fields["age"] ?? 0)));
      assertEquals(headers.get("warning"), null);
    }
  });

  Deno.test(`H10: ${way}: the same entity tag within a second changes nothing, later its fields and its times`, async () => {
    const site = new Site({}, way);
    site.answer = page({ etag: '"1"', "cache-control": "max-age=600" });
    await site.read();
    site.clock.tick(500);
    site.answer = page({ etag: '"1"', "cache-control": "max-age=1" });
    await site.read();

    const before = await told(site);
    assertEquals([before.headers.get("cache-control"), before.headers.get("age")], [
      "max-age=600",
      "0",
    ]);
    site.clock.tick(30_000);
    await site.read();
    site.clock.tick(2_000);

    const after = await told(site);
    assertEquals([after.headers.get("cache-control"), after.headers.get("age")], [
      "max-age=1",
      "2",
    ]);
  });

  Deno.test(`H3: ${way}: Cache-Status says why, and nothing of keys or errors`, async () => {
    const site = new Site(
      { lastGood: { key: () => "secret-key", partition: () => "secret" } },
      way,
    );
    site.answer = page({ "cache-status": "cdn; hit" });
    await site.read();
    // Hono would write what its handlers throw to the console.
    const broken = () => Promise.reject(new Error("secret host 10.0.0.7"));
    site.answer = way === "hono" ? page({}, "secret host 10.0.0.7", 502) : broken;

    const { headers } = await site.get();

    const value = headers.get("cache-status") ?? "";
    assert(/^cdn; hit, lastgood; fwd=stale; (.*; )?detail=origin-error$/.test(value), value);
    assert(!value.includes("secret"));
  });
}

for (const way of EVERY_WAY) {
  Deno.test(`N8: ${way}: no line of a log has the query of a URL`, async () => {
    const lines: string[] = [];
    const site = new Site({
      onEvent: logTo({ log: (line) => lines.push(line) }),
      threshold: 2,
      lastGood: { freshMs: 1_000 },
    }, way);
    const url = `${PAGE}?access_token=geheim`;
    for (let n = 0; n < 2; n++) await site.read({}, url);
    site.clock.tick(2_000);
    site.fail();
    for (let n = 0; n < 3; n++) await site.read({}, url);
    await site.get({}, `${PAGE}/none?access_token=geheim`).then((it) => it.text(), String)
      .then((text) => lines.push(text));

    assert(!lines.join().includes("geheim"), lines.find((line) => line.includes("geheim")) ?? "");
    assert(lines.join().includes(PAGE));
  });
}
