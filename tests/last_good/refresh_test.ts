import { assert, assertEquals } from "@std/assert";
import type { BreakerOptions } from "@lastgood/breaker";
import { only } from "../stage/events.ts";
import { ORIGIN, Site } from "../stage/site.ts";
import { madeBy, page } from "../stage/upstream.ts";

/** A breaker that keeps one page of this origin, and the clock `secs` later. */
async function keeping(
  fields: Record<string, string>,
  secs: number,
  options: BreakerOptions = {},
): Promise<Site> {
  const site = new Site(options);
  site.answer = page(fields);
  await site.read();
  site.clock.tick(secs * 1_000);
  return site;
}

const kept = (site: Site) => only(site.events, "kept").length;

Deno.test("refreshMs: what was kept a moment ago is not copied again", async () => {
  const site = await keeping({}, 0.999);
  site.answer = page({}, "newer");

  assertEquals(await site.read(), "newer");

  assertEquals([kept(site), await site.kept()], [1, "good"]);
});

Deno.test("refreshMs: what was kept longer ago is copied again", async () => {
  const site = await keeping({}, 1);
  site.answer = page({}, "newer");

  assertEquals(await site.read(), "newer");

  assertEquals([kept(site), await site.kept()], [2, "newer"]);
});

Deno.test("refreshMs: a response that is not copied passes as the very object that came", async () => {
  const site = await keeping({}, 0.5);
  const came = new Response("newer");
  site.answer = () => came;

  assert(await site.get() === came);
  await came.text();
});

Deno.test("refreshMs: many within it do not put the next copy off", async () => {
  const site = await keeping({}, 0.5);
  site.answer = page({}, "newer");
  await site.read();
  site.clock.tick(500);

  await site.read();

  assertEquals(await site.kept(), "newer");
});

Deno.test("refreshMs: what is not copied does not make the kept one younger", async () => {
  const site = await keeping({}, 30, { lastGood: { refreshMs: 60_000 } });
  site.answer = page({}, "newer");
  await site.read();
  site.fail();

  const response = await site.get();

  assertEquals([await response.text(), response.headers.get("age")], ["good", "30"]);
});

Deno.test("refreshMs: the same entity tag makes it younger", async () => {
  const site = await keeping({ etag: '"1"' }, 30, { lastGood: { refreshMs: 60_000 } });
  await site.read();
  site.clock.tick(5_000);
  site.fail();

  const response = await site.get();

  assertEquals([await response.text(), response.headers.get("age")], ["good", "5"]);
});

Deno.test("refreshMs: a refusal within it removes what is kept", async () => {
  const site = await keeping({}, 0);
  site.answer = page({ "cache-control": "no-store" });

  await site.read();

  assertEquals(await site.kept(), undefined);
});

Deno.test("S18: the same entity tag of an older request freshens nothing", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const slow = site.read();
  site.answer = page({ etag: '"a"' });
  await site.read();

  arrivals[0]!(new Response("good", { headers: { etag: '"a"', "cache-control": "max-age=99" } }));
  await slow;
  site.fail();

  const response = await site.get();
  assertEquals(await response.text(), "good");
  assert(!response.headers.get("cache-status")?.includes("ttl"));
});

Deno.test("12: a clock that steps back does not put the next copy off", async () => {
  const site = await keeping({}, -10);
  site.answer = page({}, "newer");

  await site.read();

  assertEquals(await site.kept(), "newer");
});

/** What comes within refreshMs, and what is then kept. Who listens must not make a difference. */
const WITHIN: readonly {
  readonly what: string;
  readonly answer: Site["answer"];
  readonly kept: string | undefined;
  readonly options?: BreakerOptions;
}[] = [
  { what: "another body", answer: page({}, "newer"), kept: "good" },
  {
    what: "max-age that counts down",
    answer: page({ "cache-control": "max-age=9" }),
    kept: "good",
  },
  { what: "Set-Cookie", answer: page({ "set-cookie": "a=b" }, "newer"), kept: "good" },
  { what: "Vary: *", answer: page({ vary: "*" }, "newer"), kept: "good" },
  { what: "a failure", answer: page({}, "newer", 500), kept: "good" },
  { what: "403", answer: page({}, "newer", 403), kept: "good" },
  { what: "no-store", answer: page({ "cache-control": "no-store" }), kept: undefined },
  { what: "private", answer: page({ "cache-control": "private" }), kept: undefined },
  { what: "404", answer: page({}, "newer", 404), kept: undefined },
  { what: "a redirect", answer: page({}, null, 302), kept: undefined },
  {
    what: "no-store that came by a redirect",
    answer: () =>
      madeBy({ redirected: true }, new Response("", { headers: { "cache-control": "no-store" } })),
    kept: "good",
  },
  {
    what: "a veto",
    answer: page({}, "newer"),
    options: { lastGood: { keep: (_, { headers }) => headers.get("x") !== "y" } },
    kept: "good",
  },
];

for (const { what, answer, kept, options = {} } of WITHIN) {
  for (const who of ["somebody", "nobody"]) {
    Deno.test(`refreshMs: ${what} within it, and ${who} listens`, async () => {
      const heard = who === "somebody" ? {} : { onEvent: undefined as never };
      const site = await keeping({}, 0.5, { ...options, ...heard });
      site.answer = answer;

      await site.read();

      assertEquals(await site.kept(), kept);
    });
  }
}

for (const who of ["somebody", "nobody"]) {
  Deno.test(`refreshMs: the same entity tag makes it younger, and ${who} listens`, async () => {
    const heard = who === "somebody" ? {} : { onEvent: undefined as never };
    const site = await keeping({ etag: '"a"' }, 0.5, { ...heard, lastGood: { refreshMs: 9_000 } });
    site.clock.tick(4_000);
    await site.read();
    site.clock.tick(2_000);
    site.fail();

    assertEquals((await site.get()).headers.get("age"), "2");
  });
}

Deno.test("an unchanged strong validator freshens times and fields, and copies nothing", async () => {
  const site = await keeping({ etag: '"1"', "x-own": "old", "cache-control": "max-age=5" }, 60);
  const came = new Response("good", {
    headers: { etag: '"1"', "x-own": "new", "cache-control": "max-age=9" },
  });
  site.answer = () => came;
  assert(await site.get() === came);
  await came.text();
  site.clock.tick(2_000);
  site.fail();

  const { headers } = await site.get();

  assertEquals([headers.get("age"), headers.get("x-own"), headers.get("etag")], [
    "2",
    "new",
    '"1"',
  ]);
  assertEquals(headers.get("cache-status")?.includes("ttl=7"), true);
  assertEquals([kept(site), await site.kept()], [1, "good"]);
});

/** Fields before and after that share an entity tag, and whether the body is copied again. */
const VALIDATORS: readonly (readonly [string, HeadersInit, HeadersInit, boolean])[] = [
  ["a weak tag", { etag: 'W/"1"' }, { etag: 'W/"1"' }, true],
  ["no tag", {}, {}, true],
  ["another tag", { etag: '"1"' }, { etag: '"2"' }, true],
  ["a tag without quotes", { etag: "1" }, { etag: "1" }, true],
  ["another coding", { etag: '"1"', "content-encoding": "x-own" }, { etag: '"1"' }, true],
  ["a strong tag", { etag: '"1"' }, { etag: '"1"' }, false],
];

for (const [what, before, after, isCopied] of VALIDATORS) {
  Deno.test(`${what} ${isCopied ? "is copied again" : "is not copied again"}`, async () => {
    const site = await keeping(before as Record<string, string>, 60);
    site.answer = page(after, "newer");

    await site.read();

    assertEquals(await site.kept(), isCopied ? "newer" : "good");
  });
}

Deno.test("H4: a freshened response that was decoded stays so", async () => {
  const fields = { etag: '"1"', "content-encoding": "gzip" };
  const site = await keeping(fields, 60);
  await site.read();
  site.fail();

  const { headers } = await site.get();

  assertEquals([headers.get("content-encoding"), headers.get("etag")], [null, 'W/"1"']);
});

Deno.test("S15: fields that grow too large are not freshened in", async () => {
  const site = await keeping({ etag: '"1"' }, 60);
  site.answer = page({ etag: '"1"', "x-long": "x".repeat(17_000) });

  await site.read();

  assertEquals(site.notKept, ["headers-too-large"]);
});

Deno.test("K2: a freshened response is kept for what it varies on now", async () => {
  const site = await keeping({ etag: '"1"' }, 60);
  site.answer = page({ etag: '"1"', vary: "x-a" });
  await site.read({ headers: { "x-a": "1" } });

  assertEquals(await site.kept({ headers: { "x-a": "2" } }), undefined);
  assertEquals(await site.kept({ headers: { "x-a": "1" } }), "good");
});

// ---- freshMs ----

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

// ---- The probe that asks whether what is kept is still good ----

/** An outage that is over: the next call is a probe behind the kept answer. */
async function probing(fields: Record<string, string>): Promise<Site> {
  const work: Promise<unknown>[] = [];
  const site = await keeping(fields, 0, {
    delayMs: 1_000,
    waitUntil: (promise) => void work.push(promise),
  });
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(60_000);
  return site;
}

const ETAG = { etag: '"1"', "cache-control": "max-age=5, must-revalidate", "x-own": "old" };
const STALE_ETAG = { etag: '"1"', "x-own": "old", "content-type": "text/plain" };

Deno.test("a probe behind the answer asks with If-None-Match; a 304 freshens and closes", async () => {
  const site = await probing(STALE_ETAG);
  site.answer = () =>
    new Response(null, {
      status: 304,
      headers: { etag: '"1"', "x-own": "new", "content-type": "x/y", "content-encoding": "gzip" },
    });

  assertEquals(await site.read(), "good");
  await site.api.idle();

  assertEquals(site.asked.at(-1)?.headers.get("if-none-match"), '"1"');
  assertEquals(site.api.circuit(ORIGIN).state, "closed");
  site.clock.tick(3_000);
  site.fail();
  const { headers, body } = await site.get();
  await body?.cancel();
  assertEquals([headers.get("age"), headers.get("x-own"), headers.get("etag")], [
    "3",
    "new",
    '"1"',
  ]);
  assertEquals(headers.get("content-type"), "text/plain");
  assertEquals(headers.get("content-encoding"), null);
});

Deno.test("S6: what a 304 does not repeat still holds", async () => {
  const site = await keeping(ETAG, 1, { delayMs: 1_000, waitUntil: () => {} });
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(1_000);
  site.answer = () => new Response(null, { status: 304 });

  assertEquals(await site.read(), "good");
  await site.api.idle();

  site.clock.tick(4_000);
  assertEquals(await site.kept(), "good");
  site.clock.tick(1_000);
  assertEquals(await site.kept(), undefined);
});

Deno.test("a probe that gets a whole answer keeps that", async () => {
  const site = await probing(STALE_ETAG);
  site.answer = page({ etag: '"2"' }, "newer");

  assertEquals(await site.read(), "good");
  await site.api.idle();

  assertEquals(await site.kept(), "newer");
});

Deno.test("a probe does not ask so without an entity tag", async () => {
  const site = await probing({});

  await site.read();
  await site.api.idle();

  assertEquals(site.asked.at(-1)?.headers.has("if-none-match"), false);
});

Deno.test("a probe leaves the caller's own condition alone", async () => {
  const site = await probing(STALE_ETAG);
  site.answer = () => new Response(null, { status: 304 });

  await site.get({ headers: { "if-none-match": '"9"' } }).then((it) => it.text());
  await site.api.idle();

  assertEquals(site.asked.at(-1)?.headers.get("if-none-match"), '"9"');
  site.fail();
  const { headers, body } = await site.get();
  await body?.cancel();
  assertEquals(headers.get("age"), "60");
});

for (
  const [what, fields] of [
    ["no-store", { "cache-control": "no-store" }],
    ["private", { "cache-control": "private" }],
  ] as const
) {
  Deno.test(`S17: a 304 that says ${what} removes what is kept`, async () => {
    const site = await probing(STALE_ETAG);
    site.answer = () => new Response(null, { status: 304, headers: fields });

    await site.read();
    await site.api.idle();

    assertEquals(await site.kept(), undefined);
  });
}

Deno.test("a 304 about another entity tag freshens nothing", async () => {
  const site = await probing(STALE_ETAG);
  site.answer = () => new Response(null, { status: 304, headers: { etag: '"0"' } });

  await site.read();
  await site.api.idle();

  site.fail();
  const { headers, body } = await site.get();
  await body?.cancel();
  assertEquals(headers.get("age"), "60");
});
