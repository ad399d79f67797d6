import { assertEquals } from "@std/assert";
import { settled } from "../stage/settle.ts";
import { keeping, ORIGIN, type Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

/** Sets up an outage that is over: the next call starts a background probe. */
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

Deno.test("a background probe sends If-None-Match; a 304 freshens the kept answer and closes the circuit", async () => {
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

Deno.test("S6: directives that a 304 does not repeat still hold", async () => {
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

Deno.test("a probe that gets a full answer keeps it", async () => {
  const site = await probing(STALE_ETAG);
  site.answer = page({ etag: '"2"' }, "newer");

  assertEquals(await site.read(), "good");
  await site.api.idle();

  assertEquals(await site.kept(), "newer");
});

Deno.test("a probe sends no condition without an entity tag", async () => {
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
  Deno.test(`S17: a 304 with ${what} removes the kept answer`, async () => {
    const site = await probing(STALE_ETAG);
    site.answer = () => new Response(null, { status: 304, headers: fields });

    await site.read();
    await site.api.idle();

    assertEquals(await site.kept(), undefined);
  });
}

Deno.test("a 304 with another entity tag freshens nothing", async () => {
  const site = await probing(STALE_ETAG);
  site.answer = () => new Response(null, { status: 304, headers: { etag: '"0"' } });

  await site.read();
  await site.api.idle();

  site.fail();
  const { headers, body } = await site.get();
  await body?.cancel();
  assertEquals(headers.get("age"), "60");
});

Deno.test("a 304 without an entity tag is about the copy that the probe has asked about", async () => {
  const site = await probing({});
  site.api.circuit(ORIGIN).reset();
  site.answer = page({ etag: '"1"' });
  await site.read();
  const arrivals = site.hold();
  const slow = site.read();
  await settled();
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(60_000);
  await site.read();
  await settled();
  assertEquals(site.asked.at(-1)?.headers.get("if-none-match"), '"1"');

  arrivals[0]!(new Response("newer", { headers: { etag: '"2"', "x-own": "newer" } }));
  await slow;
  site.clock.tick(60_000);
  arrivals[1]!(new Response(null, { status: 304, headers: { "x-own": "older" } }));
  await site.api.idle();

  site.fail();
  const { headers, body } = await site.get();
  await body?.cancel();
  assertEquals([headers.get("x-own"), headers.get("age")], ["newer", "120"]);
});
