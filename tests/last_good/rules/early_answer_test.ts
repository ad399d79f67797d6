import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import type { BreakerOptions, LastGoodOptions } from "@lastgood/breaker";
import { types } from "../../stage/events.ts";
import { keeping, PAGE, Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import type { Way } from "../../stage/ways.ts";

const control = (value: string) => ({ "cache-control": value });
const YOUNG: LastGoodOptions = { freshMs: 60_000, refreshMs: 0 };

const ONLY = { headers: control("only-if-cached") };

/** Asks once for what is kept, and once for what comes then; returns the second answer. */
async function again(
  way: Way,
  fields: HeadersInit,
  init: RequestInit,
  { secs = 1, url = PAGE, first = {}, ...options }:
    & { secs?: number; url?: string; first?: RequestInit }
    & BreakerOptions = {},
): Promise<[text: string, calls: number]> {
  const site = new Site(options, way);
  site.answer = page(fields, "kept");
  await site.read(first);
  site.clock.tick(secs * 1_000);
  site.answer = page(fields, "newer");
  const text = await site.read(init, url);
  return [text, site.calls];
}

// ---- F4: only-if-cached ----

/** Fields of a kept page, words besides only-if-cached, seconds later, and the status of the answer. */
const ONLY_CASES: readonly (readonly [string, string, string, number, number])[] = [
  ["a fresh response", "max-age=10", "", 9, 200],
  ["a fresh response that may not be served stale", "max-age=10, must-revalidate", "", 9, 200],
  ["a stale response", "max-age=10", "", 10, 504],
  ["a stale response that would do", "max-age=10", "max-stale=60", 10, 504],
  ["a response without a lifetime", "public", "", 0, 504],
  ["one younger than max-age", "max-age=10", "max-age=5", 4, 200],
  ["one older than max-age", "max-age=10", "max-age=5", 5, 504],
  ["one that stays fresh for min-fresh", "max-age=10", "min-fresh=5", 5, 200],
  ["one that does not", "max-age=10", "min-fresh=5", 6, 504],
  ["one that must not be used unasked", "max-age=10", "no-cache", 1, 504],
];

for (const [what, fields, words, secs, status] of ONLY_CASES) {
  const told = words === "" ? "only-if-cached" : `only-if-cached, ${words}`;
  Deno.test(`F4: fetch with ${told} for ${what} is answered by ${status} without a call`, async () => {
    const site = await keeping(control(fields), secs);

    const response = await site.get({ headers: control(told) });

    const text = await response.text();
    assertEquals([response.status, site.calls], [status, 1]);
    if (status === 200) assertEquals(text, "good");
  });
}

Deno.test("F4: only-if-cached gets a 504 if nothing is kept", async () => {
  const site = new Site();

  const response = await site.get(ONLY);

  await response.body?.cancel();
  assertEquals([response.status, site.calls], [504, 0]);
  assertEquals(response.headers.get("cache-status"), null);
  assertEquals(response.headers.get("cache-control"), "no-store");
});

Deno.test("F4: only-if-cached gets a 504 for a stale response while the upstream fails, too", async () => {
  const site = await keeping({}, 1);
  site.fail();
  await site.read();

  const response = await site.get(ONLY);

  await response.body?.cancel();
  assertEquals([response.status, site.calls], [504, 2]);
});

Deno.test("F4: only-if-cached gets what freshMs would serve without it", async () => {
  const site = await keeping({}, 1, { lastGood: { freshMs: 5_000 } });

  assertEquals([await site.read(ONLY), site.calls], ["good", 1]);
});

Deno.test("F4: only-if-cached gets a fresh response whoever asks, as the app itself wants it", async () => {
  const site = await keeping(control("max-age=10"), 1);
  const headers = { ...ONLY.headers, authorization: "Bearer own" };

  assertEquals([await site.read({ headers }), site.calls], ["good", 1]);
});

Deno.test("F4: only-if-cached does not get a slow call's stale copy", async () => {
  using time = new FakeTime();
  const site = await slow(100, {}, "fetch");
  const first = site.read();
  await time.tickAsync(100);
  await first;

  assertEquals((await site.get(ONLY)).status, 504);
  await time.tickAsync(300);
  await site.api.idle();
});

for (const init of [{ method: "POST" }, { headers: { "if-match": '"1"' } }]) {
  Deno.test(`F4: only-if-cached with ${JSON.stringify(init)} is left to the upstream`, async () => {
    const site = await keeping(control("max-age=10"), 1);

    const headers = { ...ONLY.headers, ...init.headers };
    assertEquals([await site.read({ ...init, headers }), site.calls], ["good", 2]);
  });
}

Deno.test("F4: what only-if-cached gets is reported as fresh", async () => {
  const site = await keeping(control("max-age=10"), 1);

  const response = await site.get(ONLY);

  await response.text();
  assertEquals(response.headers.get("cache-status"), "lastgood; hit; ttl=9");
  assertEquals(types(site.events).at(-1), "fresh");
});

for (const way of ["wrap", "respond", "hono"] as const) {
  Deno.test(`F4: ${way}: a stranger's only-if-cached is ignored while the upstream is well`, async () => {
    const fields = control("max-age=60");

    const [text, calls] = await again(way, fields, ONLY, { lastGood: { refreshMs: 0 } });

    assertEquals([text, calls], ["newer", 2]);
  });

  Deno.test(`F4: ${way}: a stranger's only-if-cached gets no 504 where nothing is kept`, async () => {
    const site = new Site({}, way);

    assertEquals(await site.read(ONLY), "good");
  });

  Deno.test(`F4: ${way}: a stranger's only-if-cached is served while the upstream fails`, async () => {
    const site = new Site({}, way);
    await site.read();

    assertEquals(await site.kept(ONLY), "good");
  });

  Deno.test(`F4: ${way}: no word of a stranger gets past the check inside the handler`, async () => {
    const site = new Site({ lastGood: { ignore: ["authorization", "cookie"] } }, way);
    site.answer = ({ headers }) =>
      headers.get("x-api-key") === "ann"
        ? new Response("ann's", { headers: control("max-age=3600") })
        : new Response(null, { status: 401 });
    await site.read({ headers: { "x-api-key": "ann" } });

    for (const words of ["only-if-cached", "only-if-cached, max-stale", "max-stale=999"]) {
      const response = await site.get({ headers: control(words) });
      await response.body?.cancel();
      assertEquals(response.status, 401, words);
    }
  });
}

// ---- F4: what asks for a newer response ----

for (const cache of ["no-store", "reload", "no-cache"] as const) {
  Deno.test(`F4: fetch with the cache mode ${cache} is not answered by freshMs`, async () => {
    const [text] = await again("fetch", {}, { cache }, { lastGood: YOUNG });

    assertEquals(text, "newer");
  });

  Deno.test(`F4: fetch with the cache mode ${cache} gets what is kept while the upstream fails`, async () => {
    const site = await keeping({}, 1);

    assertEquals(await site.kept({ cache }), "good");
  });
}

for (const cache of [undefined, "default", "force-cache"] as const) {
  Deno.test(`F4: fetch with the cache mode ${cache} is answered by freshMs`, async () => {
    const init = cache === undefined ? {} : { cache };

    const [text] = await again("fetch", {}, init, { lastGood: YOUNG });

    assertEquals(text, "kept");
  });
}

for (const [secs, status] of [[9, 200], [10, 504]] as const) {
  Deno.test(`F4: the cache mode only-if-cached after ${secs} of 10 s is answered by ${status}`, async () => {
    const site = await keeping(control("max-age=10"), secs);

    const response = await site.get({ cache: "only-if-cached", mode: "same-origin" });

    await response.text();
    assertEquals([response.status, site.calls], [status, 1]);
  });
}

Deno.test("F4: the cache mode only-if-cached in another mode is left to fetch, which refuses it", async () => {
  const site = await keeping(control("max-age=10"), 1);

  await site.read({ cache: "only-if-cached" });

  assertEquals(site.calls, 2);
});

Deno.test("F4: min-fresh is not met by a response without a lifetime", async () => {
  const options = { lastGood: { freshMs: 5_000, refreshMs: 0 } };

  const [text] = await again("wrap", {}, { headers: control("min-fresh=1") }, options);

  assertEquals(text, "newer");
});

// ---- F8: what is softly forgotten is left to outages ----

Deno.test("F8: a copy that is softly forgotten is not served by freshMs, an outage serves it", async () => {
  const site = await keeping(control("max-age=60"), 1, { lastGood: YOUNG });
  site.api.forget(PAGE, { soft: true });

  assertEquals((await site.get(ONLY)).status, 504);
  assertEquals(await site.kept(), "good");
  assertEquals([await site.read(), site.calls], ["good", 3]);
});

Deno.test("F8: a copy that is softly forgotten is served by freshMs once it is confirmed", async () => {
  const site = await keeping({ etag: '"1"' }, 1, { lastGood: YOUNG });
  site.api.forget(PAGE, { soft: true });
  await site.read();

  assertEquals([await site.read(), site.calls], ["good", 2]);
});

Deno.test("F8: a copy that is softly forgotten is no slow call's copy", async () => {
  using time = new FakeTime();
  const site = await slow(100);
  const first = site.read();
  await time.tickAsync(100);
  await first;
  site.api.forget(PAGE, { soft: true });

  const text = site.read();
  await time.tickAsync(99);

  assertEquals(site.calls, 3);
  await time.tickAsync(300);
  assertEquals(await text, "kept");
  await site.api.idle();
});

// ---- F8: who is known gets nobody's page while the upstream is well ----

/** Requests of somebody who may be known to the upstream. */
const KNOWN: readonly (readonly [string, Record<string, string>])[] = [
  ["Authorization", { authorization: "Bearer ann" }],
  ["Cookie", { cookie: "session=ann" }],
  ["X-Api-Key", { "x-api-key": "ann" }],
];

for (const way of ["fetch", "wrap", "hono"] as const) {
  for (const [what, headers] of KNOWN) {
    Deno.test(`F8: ${way}: freshMs does not answer a request with ${what}`, async () => {
      const [text, calls] = await again(way, {}, { headers }, { lastGood: YOUNG });

      assertEquals([text, calls], ["newer", 2]);
    });

    Deno.test(`F8: ${way}: freshMs answers a request with ${what} if the copy is public`, async () => {
      const fields = control("max-age=9, public");

      const [text, calls] = await again(way, fields, { headers }, { lastGood: YOUNG });

      assertEquals([text, calls], ["kept", 1]);
    });

    Deno.test(`F8: ${way}: freshMs answers a request with ${what} within its partition`, async () => {
      const lastGood = { ...YOUNG, partition: () => "ann" };

      const [text, calls] = await again(way, {}, { headers }, { lastGood, first: { headers } });

      assertEquals([text, calls], ["kept", 1]);
    });
  }

  Deno.test(`F8: ${way}: freshMs answers a request without credentials`, async () => {
    const [text, calls] = await again(way, {}, {}, { lastGood: YOUNG });

    assertEquals([text, calls], ["kept", 1]);
  });
}

for (const fields of ['public="no"', "public=1", 'public=""', "max-age=60", "s-maxage=60"]) {
  Deno.test(`F8: ${fields} does not make a copy public`, async () => {
    const headers = { cookie: "session=ann" };

    const [text] = await again("wrap", control(fields), { headers }, { lastGood: YOUNG });

    assertEquals(text, "newer");
  });
}

Deno.test("F8: ignore does not let freshMs answer a request with credentials", async () => {
  const headers = { authorization: "Bearer own" };
  const lastGood = { ...YOUNG, ignore: ["authorization" as const] };

  const [text] = await again("fetch", {}, { headers }, { lastGood, first: { headers } });

  assertEquals(text, "newer");
});

Deno.test("F8: credentials in the URL count", async () => {
  const url = PAGE.replace("://", "://ann:secret@");

  const [text] = await again("fetch", {}, {}, { lastGood: YOUNG, url });

  assertEquals(text, "newer");
});

Deno.test("F8: in an outage a request with credentials gets what is kept for everybody", async () => {
  const site = await keeping({}, 1, { lastGood: YOUNG });
  site.fail();

  assertEquals(await site.read({ headers: { cookie: "session=ann" } }), "good");
});

/** Makes a site whose upstream has kept a page and then takes 300 ms, against a patience of less. */
async function slow(patienceMs: number, fields: HeadersInit = {}, way: Way = "wrap") {
  const lastGood = { patienceMs, refreshMs: 0 };
  const site = new Site({ now: () => Date.now(), lastGood, waitUntil: () => {} }, way);
  site.answer = page(fields, "kept");
  await site.read();
  site.answer = async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return page(fields, "newer")();
  };
  return site;
}

for (const way of ["fetch", "wrap"] as const) {
  for (const [what, headers] of KNOWN) {
    Deno.test(`F8: ${way}: a request with ${what} waits for a slow upstream`, async () => {
      using time = new FakeTime();
      const site = await slow(100, {}, way);

      const text = site.read({ headers });
      await time.tickAsync(300);

      assertEquals(await text, "newer");
    });
  }

  Deno.test(`F8: ${way}: patienceMs serves a public copy to a request with credentials`, async () => {
    using time = new FakeTime();
    const site = await slow(100, control("public"), way);

    const text = site.read({ headers: { cookie: "session=ann" } });
    await time.tickAsync(100);

    assertEquals(await text, "kept");
    await time.tickAsync(200);
    await site.api.idle();
  });

  Deno.test(`F8: ${way}: a slow call's copy is not for a request with credentials`, async () => {
    using time = new FakeTime();
    const site = await slow(100, {}, way);
    const first = site.read();
    await time.tickAsync(100);
    assertEquals([await first, await site.read()], ["kept", "kept"]);

    const text = site.read({ headers: { cookie: "session=ann" } });
    await time.tickAsync(300);

    assertEquals([await text, site.calls], ["newer", 3]);
    await site.api.idle();
  });

  Deno.test(`F4: ${way}: a slow call's copy is not for a request that asks for a newer one`, async () => {
    using time = new FakeTime();
    const site = await slow(100, {}, way);
    const first = site.read();
    await time.tickAsync(100);
    await first;

    const asked = site.read({ headers: control("no-cache") });
    await time.tickAsync(99);

    assertEquals(site.calls, 3);
    await time.tickAsync(300);
    await asked;
    await site.api.idle();
  });

  Deno.test(`F4: ${way}: without any patience, a request for a newer response waits for it`, async () => {
    using time = new FakeTime();
    const site = await slow(0, {}, way);

    const text = site.read({ headers: control("max-age=0") });
    await time.tickAsync(300);

    assertEquals(await text, "newer");
  });
}
