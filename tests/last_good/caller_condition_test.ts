import { assertEquals } from "@std/assert";
import { START } from "../stage/clock.ts";
import { only } from "../stage/events.ts";
import { Site } from "../stage/site.ts";
import { madeBy, page } from "../stage/upstream.ts";
import type { Way } from "../stage/ways.ts";

type Plain = Readonly<Record<string, string>>;

const WAYS = ["fetch", "wrap", "hono"] as const satisfies readonly Way[];

const MODIFIED = "Wed, 31 Dec 2025 00:00:00 GMT";
const LATER = "Wed, 31 Dec 2025 00:00:01 GMT";

/** Keeps a page for a minute, and lets a caller's condition be answered with a 304. */
async function answered304(
  kept: Plain,
  asked: Plain,
  answer: Plain,
  way: Way = "fetch",
): Promise<Site> {
  const site = new Site({}, way);
  site.answer = page(kept);
  await site.read();
  site.clock.tick(60_000);
  site.answer = () => new Response(null, { status: 304, headers: answer });
  const response = await site.get({ headers: asked });
  assertEquals(response.status, 304);
  return site;
}

/** What is served 3 seconds later, in an outage. */
async function servedLater(site: Site, asked: Plain = {}): Promise<Headers> {
  site.clock.tick(3_000);
  site.fail();
  const response = await site.get({ headers: asked });
  await response.body?.cancel();
  return response.headers;
}

/** Fields of the copy, of the caller's request and of the 304, and whether the copy is freshened. */
const CONFIRMATIONS: readonly (readonly [Plain, Plain, Plain, boolean])[] = [
  [{ etag: '"1"' }, { "if-none-match": '"1"' }, { etag: '"1"' }, true],
  [{ etag: 'W/"1"' }, { "if-none-match": 'W/"1"' }, { etag: 'W/"1"' }, true],
  [{ etag: '"1"' }, { "if-none-match": 'W/"1"' }, { etag: 'W/"1"' }, true],
  [{ etag: '"1"' }, { "if-none-match": '"1"' }, {}, true],
  [{ etag: 'W/"1"' }, { "if-none-match": ' "1" ' }, {}, true],
  [{ etag: '"1"' }, { "if-none-match": '"0", "1"' }, { etag: '"1"' }, true],
  [{ etag: '"1"' }, { "if-none-match": "*" }, { etag: '"1"' }, true],
  [{ etag: '"1"' }, { "if-modified-since": MODIFIED }, { etag: '"1"' }, true],
  [{ etag: '"1"' }, { "if-none-match": '"0"' }, { etag: '"0"' }, false],
  [{ etag: '"1"' }, { "if-none-match": '"1"' }, { etag: '"0"' }, false],
  [{ etag: '"1"' }, { "if-none-match": '"0"' }, {}, false],
  [{ etag: '"1"' }, { "if-none-match": '"0", "1"' }, {}, false],
  [{ etag: '"1"' }, { "if-none-match": "*" }, {}, false],
  [{ etag: '"1"' }, { "if-none-match": "1" }, {}, false],
  [{}, { "if-none-match": '"1"' }, { etag: '"1"' }, false],
  [{}, { "if-none-match": "*" }, {}, false],
  [{ "last-modified": MODIFIED }, { "if-modified-since": MODIFIED }, {}, true],
  [{ "last-modified": MODIFIED }, { "if-modified-since": "Wed Dec 31 00:00:00 2025" }, {}, true],
  [
    { "last-modified": MODIFIED },
    { "if-modified-since": LATER },
    { "last-modified": MODIFIED },
    true,
  ],
  [{ "last-modified": MODIFIED }, { "if-modified-since": LATER }, {}, false],
  [
    { "last-modified": MODIFIED },
    { "if-modified-since": MODIFIED },
    { "last-modified": LATER },
    false,
  ],
  [{ "last-modified": MODIFIED }, { "if-modified-since": MODIFIED }, { etag: '"1"' }, false],
  [
    { "last-modified": MODIFIED },
    { "if-modified-since": MODIFIED, "if-none-match": '"1"' },
    {},
    false,
  ],
  [{ "last-modified": MODIFIED }, { "if-none-match": "*" }, { "last-modified": MODIFIED }, false],
  [
    { "last-modified": MODIFIED },
    { "if-none-match": '"0", "1"' },
    { "last-modified": MODIFIED },
    false,
  ],
  [{ "last-modified": "soon" }, { "if-modified-since": "soon" }, {}, false],
  [{}, { "if-modified-since": MODIFIED }, {}, false],
  [
    { etag: '"1"', "last-modified": MODIFIED },
    { "if-modified-since": MODIFIED },
    { "last-modified": MODIFIED },
    false,
  ],
];

for (const [kept, asked, answer, isFreshened] of CONFIRMATIONS) {
  const [copy, request, response] = [kept, asked, answer].map((it) => JSON.stringify(it));
  Deno.test(`S21: a 304 with ${response} to ${request} ${isFreshened ? "freshens" : "leaves"} a copy with ${copy}`, async () => {
    const site = await answered304(kept, asked, answer);

    assertEquals((await servedLater(site)).get("age"), isFreshened ? "3" : "63");
    assertEquals(site.notKept, isFreshened ? [] : ["status"]);
  });
}

for (const way of WAYS) {
  Deno.test(`S21: ${way}: a 304 gives the copy its fields and times; the body's own stay`, async () => {
    const site = await answered304(
      {
        etag: '"1"',
        "x-own": "old",
        "x-old": "1",
        "content-type": "text/plain",
        "cache-control": "max-age=9, must-revalidate",
      },
      { "if-none-match": '"1"' },
      {
        etag: 'W/"1"',
        "x-own": "new",
        "content-type": "a/b",
        "repr-digest": "x",
        "cache-control": "max-age=5",
      },
      way,
    );

    const headers = await servedLater(site);

    const names = ["age", "x-own", "x-old", "etag", "cache-control", "content-type", "repr-digest"];
    assertEquals(names.map((name) => headers.get(name)), [
      "3",
      "new",
      "1",
      '"1"',
      "max-age=5",
      "text/plain",
      null,
    ]);
    assertEquals(headers.get("cache-status")?.includes("ttl=2"), true);
  });

  for (const word of ["no-store", "private", "no-cache"] as const) {
    Deno.test(`S21: ${way}: a 304 that says ${word} removes the copy, whichever version it confirms`, async () => {
      for (const tag of ['"1"', '"0"']) {
        const asked = { "if-none-match": tag };
        const site = await answered304({ etag: '"1"' }, asked, { "cache-control": word }, way);

        assertEquals(only(site.events, "removed").map(({ why }) => why), [word]);
        assertEquals(await site.kept(), undefined);
      }
    });
  }

  Deno.test(`S21: ${way}: conditional callers alone keep a page beyond maxStaleMs`, async () => {
    const site = new Site({ lastGood: { maxStaleMs: 5_000 } }, way);
    site.answer = page({ etag: '"1"' });
    await site.read();
    site.answer = () => new Response(null, { status: 304, headers: { etag: '"1"' } });
    for (let hour = 0; hour < 3; hour++) {
      site.clock.tick(4_000);
      await site.get({ headers: { "if-none-match": '"1"' } });
    }

    assertEquals(await site.kept(), "good");
  });
}

Deno.test("S21: nothing is added to the caller's request", async () => {
  const site = await answered304({ etag: '"1"' }, { "if-modified-since": MODIFIED }, {});

  // Some hosts have arrays of another realm for fields.
  const fields = Object.fromEntries(site.asked.at(-1)!.headers);
  assertEquals(fields, { "if-modified-since": MODIFIED });
});

/** Fields of the copy, of the request besides its condition, and of the 304, and what becomes of it. */
const CREDENTIALS: readonly (readonly [Plain, Plain, Plain, boolean])[] = [
  [{}, { authorization: "x" }, {}, false],
  [{}, { cookie: "x" }, {}, false],
  [{}, { authorization: "x" }, { "cache-control": "public" }, true],
  [{ "cache-control": "public" }, { authorization: "x" }, {}, true],
  [{ "cache-control": "public" }, { authorization: "x" }, { "cache-control": "max-age=1" }, false],
  [{}, { cookie: "x" }, { vary: "cookie" }, true],
  [{}, {}, { "set-cookie": "a=b" }, false],
  [{}, {}, { vary: "*" }, false],
  [{}, {}, { age: "x" }, false],
  [{}, {}, { "cache-control": "max-age=x" }, false],
  [{}, {}, { "x-long": "x".repeat(17_000) }, false],
  [{}, { range: "bytes=0-1" }, {}, false],
];

for (const [kept, asked, answer, isFreshened] of CREDENTIALS) {
  const what = [kept, asked, answer].map((it) => JSON.stringify(it).slice(0, 50)).join(" ");
  Deno.test(`S8, S21: a 304 ${isFreshened ? "freshens" : "leaves"} the copy: ${what}`, async () => {
    const site = await answered304(
      { etag: '"1"', "x-own": "old", ...kept },
      { "if-none-match": '"1"', ...asked },
      { etag: '"1"', "x-own": "new", ...answer },
    );

    const headers = await servedLater(site, asked);

    assertEquals(
      [headers.get("age"), headers.get("x-own")],
      isFreshened ? ["3", "new"] : [
        "63",
        "old",
      ],
    );
  });
}

Deno.test("S15: a 304 whose fields make the copy too large leaves it as it was", async () => {
  const site = await answered304(
    { etag: '"1"', "x-own": "o".repeat(9_000) },
    { "if-none-match": '"1"' },
    { etag: '"1"', "x-new": "n".repeat(9_000) },
  );

  const headers = await servedLater(site);

  assertEquals([headers.get("age"), headers.get("x-new")], ["63", null]);
  assertEquals(site.notKept, ["headers-too-large"]);
});

Deno.test("S10, S21: a 304 for one CORS origin freshens the page for that origin", async () => {
  const site = await answered304(
    { etag: '"1"', "cache-control": "max-age=5" },
    { "if-none-match": '"1"', origin: "https://a.test" },
    { etag: '"1"', "access-control-allow-origin": "https://a.test" },
  );

  const headers = await servedLater(site, { origin: "https://a.test" });

  assertEquals(headers.get("access-control-allow-origin"), "https://a.test");
  const others = await site.get({ headers: { origin: "https://b.test" } });
  assertEquals(others.status, 200);
  assertEquals(others.headers.get("access-control-allow-origin"), null);
});

Deno.test("S14, S21: a redirected 304 neither freshens nor removes", async () => {
  for (const fields of [{ etag: '"1"' }, { "cache-control": "private" }]) {
    const site = new Site();
    site.answer = page({ etag: '"1"' });
    await site.read();
    site.clock.tick(60_000);
    const response = new Response(null, { status: 304, headers: fields });
    site.answer = () => madeBy({ redirected: true }, response);

    await site.get({ headers: { "if-none-match": '"1"' } });

    assertEquals((await servedLater(site)).get("age"), "63");
    assertEquals(site.notKept, ["redirected"]);
  }
});

Deno.test("S18, S21: a 304 to an earlier request leaves a newer copy as it is", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const arrivals = site.hold();
  const older = site.get({ headers: { "if-none-match": '"1"' } });
  site.answer = page({ etag: '"1"', "x-own": "newer" });
  await site.read();

  arrivals[0]!(new Response(null, { status: 304, headers: { etag: '"1"', "x-own": "older" } }));
  await older;

  assertEquals((await servedLater(site)).get("x-own"), "newer");
});

Deno.test("S21: a 304 without a condition changes nothing", async () => {
  const site = await answered304({ etag: '"1"' }, {}, { etag: '"1"', "cache-control": "private" });

  assertEquals((await servedLater(site)).get("age"), "63");
});

Deno.test("S21: a veto leaves the copy as it was", async () => {
  const seen: unknown[] = [];
  const site = new Site({
    lastGood: {
      keep: (_, { status, headers }, body) => {
        seen.push([status, headers.get("x-own"), new TextDecoder().decode(body)]);
        return headers.get("x-own") !== "new";
      },
    },
  });
  site.answer = page({ etag: '"1"', "x-own": "old" });
  await site.read();
  site.clock.tick(60_000);
  const fields = { etag: '"1"', "x-own": "new" };
  site.answer = () => new Response(null, { status: 304, headers: fields });

  await site.get({ headers: { "if-none-match": '"1"' } });

  const headers = await servedLater(site);
  assertEquals([headers.get("age"), headers.get("x-own")], ["63", "old"]);
  assertEquals(seen, [[200, "old", "good"], [200, "new", "good"]]);
  assertEquals(site.notKept, ["veto"]);
});

Deno.test("S17, S21: a 304 takes back the doubt about a copy", async () => {
  const site = new Site();
  site.answer = page({ etag: '"1"' });
  await site.read();
  const notFound = page({}, null, 404);
  for (const answer of [notFound, page({ etag: '"1"' }, null, 304), notFound]) {
    site.answer = answer;
    await site.get({ headers: { "if-none-match": '"1"' } });
  }

  assertEquals(await site.kept(), "good");
});

Deno.test("H10, S21: 304s freshen a copy at most once a second, but remove it at once", async () => {
  const site = new Site();
  const asked = { headers: { "if-none-match": '"1"' } };
  site.answer = page({ etag: '"1"', "x-own": "0" });
  await site.read();
  const seen: unknown[] = [];
  for (const [ms, own] of [[999, "1"], [1, "2"], [999, "3"]] as const) {
    site.clock.tick(ms);
    site.answer = () => new Response(null, { status: 304, headers: { "x-own": own } });
    await site.get(asked);
    const { answer } = site;
    site.fail();
    const { headers, body } = await site.get();
    await body?.cancel();
    seen.push(headers.get("x-own"));
    site.answer = answer;
  }

  assertEquals(seen, ["0", "2", "2"]);
  site.answer = () => new Response(null, { status: 304, headers: { "cache-control": "private" } });
  await site.get(asked);
  assertEquals(await site.kept(), undefined);
});

Deno.test("H10, S21: a 304 without dates does not make an Expires of the past one of the future", async () => {
  const date = new Date(START).toUTCString();
  const expires = new Date(START + 5_000).toUTCString();
  const site = await answered304({ etag: '"1"', date, expires }, { "if-none-match": '"1"' }, {});

  const headers = await servedLater(site);

  assertEquals(headers.get("expires"), expires);
  assertEquals(/ttl=(-?\d+)/.exec(headers.get("cache-status") ?? "")?.[1], "-3");
});

Deno.test("S4, S21: within a partition, a private page is confirmed as private", async () => {
  const site = new Site({ lastGood: { partition: () => "me" } });
  site.answer = page({ etag: '"1"', "cache-control": "private" });
  await site.read();
  site.clock.tick(60_000);
  const fields = { "cache-control": "private, max-age=9" };
  site.answer = () => new Response(null, { status: 304, headers: fields });

  await site.get({ headers: { "if-none-match": '"1"' } });

  assertEquals((await servedLater(site)).get("age"), "3");
});
