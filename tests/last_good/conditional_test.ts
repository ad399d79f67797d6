import { assertEquals } from "@std/assert";
import { Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

const MODIFIED = "Wed, 31 Dec 2025 00:00:00 GMT";
const VALIDATORS = { etag: '"1"', "last-modified": MODIFIED };

/** Fields of a kept page, fields of a request, and the status of the answer. */
const CONDITIONS: readonly (readonly [Record<string, string>, Record<string, string>, number])[] = [
  [{ etag: '"1"' }, { "if-none-match": '"1"' }, 304],
  [{ etag: '"1"' }, { "if-none-match": 'W/"1"' }, 304],
  [{ etag: 'W/"1"' }, { "if-none-match": '"1"' }, 304],
  [{ etag: '"1"' }, { "if-none-match": '"0", "1"' }, 304],
  [{ etag: '"a,b"' }, { "if-none-match": '"x" , W/"a,b"' }, 304],
  [{ etag: '"1"' }, { "if-none-match": "*" }, 304],
  [{}, { "if-none-match": "*" }, 304],
  [{}, { "if-none-match": " * " }, 304],
  [{}, { "if-none-match": '"*"' }, 200],
  [{ etag: '"1"' }, { "if-none-match": '"2"' }, 200],
  [{ etag: '"1"' }, { "if-none-match": "1" }, 200],
  [{ etag: '"1"' }, { "if-none-match": '"11"' }, 200],
  [{ etag: '"1"' }, { "if-none-match": "" }, 200],
  [{}, { "if-none-match": '"1"' }, 200],
  [VALIDATORS, { "if-modified-since": MODIFIED }, 304],
  [VALIDATORS, { "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }, 304],
  [VALIDATORS, { "if-modified-since": "Wednesday, 31-Dec-25 00:00:00 GMT" }, 304],
  [VALIDATORS, { "if-modified-since": "Tue, 30 Dec 2025 23:59:59 GMT" }, 200],
  [VALIDATORS, { "if-modified-since": "yesterday" }, 200],
  [VALIDATORS, { "if-none-match": '"2"', "if-modified-since": MODIFIED }, 200],
  [{}, { "if-modified-since": MODIFIED }, 200],
  [{}, { "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }, 304],
  [{ date: MODIFIED }, { "if-modified-since": MODIFIED }, 304],
  [{ date: MODIFIED }, { "if-modified-since": "Tue, 30 Dec 2025 23:59:59 GMT" }, 200],
  [
    { date: MODIFIED, "last-modified": "Wed, 31 Dec 2025 00:00:01 GMT" },
    { "if-modified-since": MODIFIED },
    200,
  ],
  [{ date: MODIFIED, "last-modified": "yesterday" }, { "if-modified-since": MODIFIED }, 200],
  [{}, { "if-none-match": '"1"', "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }, 200],
  [{}, { "if-match": '"1"' }, 503],
  [VALIDATORS, { "if-match": "*" }, 503],
  [VALIDATORS, { "if-unmodified-since": MODIFIED }, 503],
];

for (const [fields, request, status] of CONDITIONS) {
  const what = `${JSON.stringify(request)} for ${JSON.stringify(fields)}`;
  Deno.test(`F5: ${what} is answered by ${status}`, async () => {
    const site = new Site();
    site.answer = page({ ...fields, "x-own": "1" });
    await site.read();
    site.fail();

    const response = await site.get({ headers: request });

    assertEquals(response.status, status);
    const text = await response.text();
    assertEquals(text, status === 304 ? "" : status === 200 ? "good" : "down");
  });
}

Deno.test("F5: a 304 makes no fields up", async () => {
  const site = new Site();
  site.answer = page({ etag: '"1"' });
  await site.read();
  site.fail();

  const { headers } = await site.get({ headers: { "if-none-match": "*" } });

  assertEquals([...headers.keys()], ["age", "cache-status", "date", "etag"]);
});

Deno.test("F5: HEAD with a condition that holds is answered by 304, too", async () => {
  const site = new Site();
  site.answer = page({ etag: '"1"' });
  await site.read();
  site.fail();

  const response = await site.get({ method: "HEAD", headers: { "if-none-match": '"1"' } });

  assertEquals([response.status, response.headers.get("etag")], [304, '"1"']);
});

for (const way of ["wrap", "hono"] as const) {
  Deno.test(`F5: ${way}: a condition is answered from memory in an outage`, async () => {
    const site = new Site({}, way);
    site.answer = page({ etag: '"1"' });
    await site.read();
    site.fail();

    const response = await site.get({ headers: { "if-none-match": 'W/"1"' } });

    assertEquals([response.status, await response.text()], [304, ""]);
  });
}

Deno.test("F5: a 304 carries the fields that a 304 must, and no others", async () => {
  const site = new Site();
  const carried = {
    "cache-control": "max-age=5",
    "content-location": "/one",
    "date": "Thu, 01 Jan 2026 00:00:00 GMT",
    "etag": '"1"',
    "expires": "Thu, 01 Jan 2026 00:00:05 GMT",
    "vary": "accept",
  };
  site.answer = page({ ...carried, "content-type": "text/plain", "last-modified": MODIFIED });
  await site.read();
  site.clock.tick(7_000);
  site.fail();

  const response = await site.get({ headers: { "if-none-match": '"1"' } });

  const { age, "cache-status": status, ...others } = Object.fromEntries(response.headers);
  assertEquals(others, carried);
  assertEquals([age, status], [
    "7",
    "lastgood; fwd=stale; fwd-status=503; ttl=-2; detail=origin-error",
  ]);
});

Deno.test("F6: a stale answer to Range is the full 200", async () => {
  const site = new Site();
  await site.read();
  site.fail();

  const response = await site.get({ headers: { range: "bytes=0-1", "if-range": '"1"' } });

  assertEquals([response.status, await response.text()], [200, "good"]);
  assertEquals(response.headers.get("content-range"), null);
});

Deno.test("F6: a stale answer to HEAD has the fields and no body", async () => {
  const site = new Site();
  site.answer = page({ "x-own": "1" });
  await site.read();
  site.fail();

  const response = await site.get({ method: "HEAD" });

  assertEquals([response.status, await response.text()], [200, ""]);
  assertEquals(response.headers.get("x-own"), "1");
  assertEquals(response.headers.get("content-length"), "4");
});
