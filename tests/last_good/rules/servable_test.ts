import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CircuitOpenError, type LastGoodOptions } from "@lastgood/breaker";
import { FakeTime } from "@std/testing/time";
import { faucet, pieces } from "../../stage/bodies.ts";
import { ORIGIN, PAGE, Site, WAYS } from "../../stage/site.ts";
import { madeBy, page } from "../../stage/upstream.ts";

const control = (value: string) => ({ "cache-control": value });

Deno.test("F1: a refused call is answered by the last good response", async () => {
  const site = new Site();
  await site.read();
  site.api.circuit(ORIGIN).trip();

  assertEquals(await site.read(), "good");
  assertEquals(site.asked.length, 1);
});

for (const way of WAYS) {
  for (const status of [500, 502, 503, 504, 505, 507, 511, 599]) {
    Deno.test(`F1: ${way}: a ${status} is answered by the last good response`, async () => {
      const site = new Site({}, way);
      await site.read();
      site.answer = page({}, "down", status);

      assertEquals(await site.read(), "good");
    });
  }

  for (const status of [201, 301, 304, 400, 401, 404, 408, 425, 429, 501]) {
    Deno.test(`F1: ${way}: a ${status} passes as the very object that came`, async () => {
      const site = new Site({}, way);
      await site.read();
      const came = page({}, null, status)({ url: PAGE, method: "GET", headers: new Headers() });
      site.answer = () => came;

      assertStrictEquals(await site.get(), came);
    });
  }

  Deno.test(`F1: ${way}: a call that rejects is answered by the last good response`, async () => {
    const site = new Site({}, way);
    await site.read();
    site.answer = () => Promise.reject(new TypeError("reset"));

    assertEquals(await site.read(), "good");
  });

  Deno.test(`F1: ${way}: our timeout is answered by the last good response`, async () => {
    using time = new FakeTime();
    const site = new Site({ timeoutMs: 1_000 }, way);
    await site.read();
    site.answer = () => new Promise(() => {});

    const answer = site.read();
    await time.tickAsync(1_000);

    assertEquals(await answer, "good");
  });
}

Deno.test("F1: a failure by judge is answered by the last good response", async () => {
  const isFailure = (outcome: PromiseSettledResult<Response>) =>
    outcome.status === "fulfilled" && outcome.value.status === 418 ? "failure" : undefined;
  const site = new Site({ judge: isFailure });
  await site.read();
  site.answer = page({}, "teapot", 418);

  assertEquals(await site.read(), "good");
});

Deno.test("F1: the caller's own abort is answered by nothing but its error", async () => {
  const site = new Site();
  await site.read();
  const controller = new AbortController();
  site.answer = () => new Promise(() => {});

  const answer = site.get({ signal: controller.signal });
  controller.abort(new Error("mine"));

  await assertRejects(() => answer, Error, "mine");
});

Deno.test("F1: with serveOn open, a failure passes and a refusal is answered from memory", async () => {
  const site = new Site({ lastGood: { serveOn: "open" } });
  await site.read();
  site.fail();

  assertEquals((await site.get()).status, 503);
  site.api.circuit(ORIGIN).trip();
  assertEquals(await site.read(), "good");
});

for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "FOO"]) {
  Deno.test(`F2: ${method} is never answered from memory`, async () => {
    const site = new Site();
    await site.read();
    site.api.circuit(ORIGIN).trip();

    await assertRejects(() => site.get({ method }), CircuitOpenError);
  });
}

/** Fields of a kept page, its age in seconds at the outage, and whether it is served. */
const AGES: readonly {
  readonly rule: string;
  readonly fields?: Record<string, string>;
  readonly options?: LastGoodOptions;
  readonly request?: Record<string, string>;
  readonly secs: number;
  readonly isServed: boolean;
}[] = [
  { rule: "F3: no freshness, a day old", secs: 86_400, isServed: true },
  { rule: "F3: no freshness, older than a day", secs: 86_401, isServed: false },
  { rule: "F3: maxStaleMs", options: { maxStaleMs: 5_000 }, secs: 5, isServed: true },
  { rule: "F3: past maxStaleMs", options: { maxStaleMs: 5_000 }, secs: 6, isServed: false },
  {
    rule: "F3: maxStaleMs counts from the end of freshness",
    fields: control("max-age=10"),
    options: { maxStaleMs: 5_000 },
    secs: 15,
    isServed: true,
  },
  {
    rule: "F3: past freshness and maxStaleMs",
    fields: control("max-age=10"),
    options: { maxStaleMs: 5_000 },
    secs: 16,
    isServed: false,
  },
  {
    rule: "F3: maxStaleMs 0, fresh",
    fields: control("max-age=10"),
    options: { maxStaleMs: 0 },
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: maxStaleMs 0, stale",
    fields: control("max-age=10"),
    options: { maxStaleMs: 0 },
    secs: 10,
    isServed: false,
  },
  {
    rule: "F3: Age counts against freshness",
    fields: { ...control("max-age=10"), age: "10" },
    options: { maxStaleMs: 5_000 },
    secs: 6,
    isServed: false,
  },
  {
    rule: "F3: stale-if-error",
    fields: control("max-age=10, stale-if-error=5"),
    secs: 15,
    isServed: true,
  },
  {
    rule: "F3: past stale-if-error",
    fields: control("max-age=10, stale-if-error=5"),
    secs: 16,
    isServed: false,
  },
  { rule: "F3: stale-if-error=0", fields: control("stale-if-error=0"), secs: 0, isServed: false },
  {
    rule: "F3: stale-if-error=0, fresh",
    fields: control("max-age=1, stale-if-error=0"),
    secs: 0,
    isServed: true,
  },
  {
    rule: "F3: stale-if-error does not lengthen maxStaleMs",
    fields: control("stale-if-error=100"),
    options: { maxStaleMs: 5_000 },
    secs: 6,
    isServed: false,
  },
  {
    rule: "F3: s-maxage before max-age",
    fields: control("max-age=1, s-maxage=10"),
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: Expires",
    fields: { expires: "Thu, 01 Jan 2026 00:00:10 GMT", date: "Thu, 01 Jan 2026 00:00:00 GMT" },
    options: { maxStaleMs: 5_000 },
    secs: 16,
    isServed: false,
  },
  {
    rule: "F3: Expires, fresh",
    fields: { expires: "Thu, 01 Jan 2026 00:00:10 GMT" },
    options: { maxStaleMs: 0 },
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: max-age before Expires",
    fields: { ...control("max-age=10"), expires: "0" },
    options: { maxStaleMs: 0 },
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: an Expires that is no date has passed",
    fields: { expires: "0" },
    options: { maxStaleMs: 0 },
    secs: 0,
    isServed: false,
  },
  ...["must-revalidate, max-age=10", "proxy-revalidate, max-age=10", "s-maxage=10"].flatMap((
    value,
  ) => [
    { rule: `S6: ${value}, fresh`, fields: control(value), secs: 9, isServed: true },
    { rule: `S6: ${value}, stale`, fields: control(value), secs: 10, isServed: false },
    {
      rule: `S6: ${value} beats stale-if-error`,
      fields: control(`${value}, stale-if-error=100`),
      secs: 10,
      isServed: false,
    },
    {
      rule: `S6: ${value}, stale, lifted`,
      fields: control(value),
      options: { ignore: ["must-revalidate"] as const },
      secs: 10,
      isServed: true,
    },
  ]),
  {
    rule: "S6: must-revalidate without freshness",
    fields: control("must-revalidate"),
    secs: 0,
    isServed: false,
  },
  { rule: "F4: max-stale=N", request: control("max-stale=5"), secs: 5, isServed: true },
  { rule: "F4: past max-stale=N", request: control("max-stale=5"), secs: 6, isServed: false },
  { rule: "F4: max-stale", request: control("max-stale"), secs: 60, isServed: true },
  {
    rule: "F4: max-stale=N does not lengthen",
    request: control("max-stale=100"),
    options: { maxStaleMs: 5_000 },
    secs: 6,
    isServed: false,
  },
  { rule: "F4: stale-if-error=N", request: control("stale-if-error=5"), secs: 6, isServed: false },
  { rule: "F4: no-cache", request: control("no-cache"), secs: 60, isServed: true },
  { rule: "F4: max-age=0", request: control("max-age=0"), secs: 60, isServed: true },
  { rule: "F4: a reload", request: { pragma: "no-cache" }, secs: 60, isServed: true },
  {
    rule: "F4: nonsense says nothing",
    request: control("max-stale=x, a b"),
    secs: 60,
    isServed: true,
  },
];

for (const { rule, fields = {}, options = {}, request = {}, secs, isServed } of AGES) {
  Deno.test(`${rule}: ${isServed ? "is served" : "is not served"} after ${secs} s`, async () => {
    const site = new Site({ lastGood: options });
    site.answer = page(fields);
    await site.read();

    site.clock.tick(secs * 1_000);
    const kept = await site.kept({ headers: request });

    assertEquals(kept, isServed ? "good" : undefined);
  });
}

Deno.test("F4: only-if-cached gets the kept response, and calls nobody", async () => {
  const site = new Site();
  await site.read();

  assertEquals(await site.read({ headers: control("only-if-cached") }), "good");
  assertEquals(site.asked.length, 1);
});

Deno.test("F4: only-if-cached gets a 504 where nothing is kept", async () => {
  const site = new Site();

  const response = await site.get({ headers: control("only-if-cached") });

  await response.body?.cancel();
  assertEquals(response.status, 504);
  assertEquals(site.asked.length, 0);
});

const MODIFIED = "Wed, 31 Dec 2025 00:00:00 GMT";
const VALIDATORS = { etag: '"1"', "last-modified": MODIFIED };

/** Fields of a kept page, of a request, and what is answered. */
const CONDITIONS: readonly (readonly [Record<string, string>, Record<string, string>, number])[] = [
  [{ etag: '"1"' }, { "if-none-match": '"1"' }, 304],
  [{ etag: '"1"' }, { "if-none-match": 'W/"1"' }, 304],
  [{ etag: 'W/"1"' }, { "if-none-match": '"1"' }, 304],
  [{ etag: '"1"' }, { "if-none-match": '"0", "1"' }, 304],
  [{ etag: '"a,b"' }, { "if-none-match": '"x" , W/"a,b"' }, 304],
  [{ etag: '"1"' }, { "if-none-match": "*" }, 304],
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

Deno.test("F5: a 304 carries what a 304 must, and no more", async () => {
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

Deno.test("F6: Range while stale gets the full 200", async () => {
  const site = new Site();
  await site.read();
  site.fail();

  const response = await site.get({ headers: { range: "bytes=0-1", "if-range": '"1"' } });

  assertEquals([response.status, await response.text()], [200, "good"]);
  assertEquals(response.headers.get("content-range"), null);
});

Deno.test("F6: HEAD while stale gets the fields and no body", async () => {
  const site = new Site();
  site.answer = page({ "x-own": "1" });
  await site.read();
  site.fail();

  const response = await site.get({ method: "HEAD" });

  assertEquals([response.status, await response.text()], [200, ""]);
  assertEquals(response.headers.get("x-own"), "1");
  assertEquals(response.headers.get("content-length"), "4");
});

for (const way of WAYS) {
  Deno.test(`F7: ${way}: the body of a failed answer that is replaced is cancelled`, async () => {
    const site = new Site({}, way);
    await site.read();
    const failed = faucet();
    site.answer = page({}, failed.body, 503);

    assertEquals(await site.read(), "good");

    assertEquals(failed.cancelled.length, 1);
  });
}

Deno.test("F7: the body of a failed answer that passes is left to the caller", async () => {
  const site = new Site();
  site.answer = page({}, pieces("do", "wn"), 503);

  assertEquals(await site.read(), "down");
});

Deno.test("F7: a failed answer whose body somebody reads is replaced all the same", async () => {
  const site = new Site();
  await site.read();
  const failed = new Response("down", { status: 503 });
  const reader = failed.body?.getReader();
  site.answer = () => failed;

  assertEquals(await site.read(), "good");
  reader?.releaseLock();
  await failed.body?.cancel();
});

Deno.test("F1: a failure that no constructor can make passes where nothing is kept", async () => {
  const site = new Site();
  const came = madeBy({ status: 999 });
  site.answer = () => came;

  assertStrictEquals(await site.get(), came);
  await came.body?.cancel();
});
