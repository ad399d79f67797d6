import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import type { LastGoodOptions } from "@lastgood/breaker";
import { START } from "../stage/clock.ts";
import { ORIGIN, PAGE, Site } from "../stage/site.ts";
import { type Answer, madeBy, page } from "../stage/upstream.ts";
import type { Way } from "../stage/ways.ts";

/** What is served after an outage of so many seconds. */
async function served(
  answer: Answer,
  { secs = 0, options = {}, way = "fetch" as Way, prior = START } = {} as {
    secs?: number;
    options?: LastGoodOptions;
    way?: Way;
    prior?: number;
  },
): Promise<Response> {
  const site = new Site({ lastGood: options }, way);
  site.clock.ms = prior;
  site.answer = answer;
  await site.read();
  site.clock.tick(secs * 1_000);
  site.fail();
  const response = await site.get();
  assert(response.status !== 503);
  return response;
}

Deno.test("H1: status and fields are those of the kept response", async () => {
  const response = await served(page({ "x-own": "1", "content-type": "a/b" }, "gone", 410), {
    options: { statuses: [410] },
  });

  assertEquals([response.status, await response.text()], [410, "gone"]);
  assertEquals(response.headers.get("x-own"), "1");
  assertEquals(response.headers.get("content-type"), "a/b");
});

Deno.test("H1: fields between two neighbours are dropped, and what Connection lists", async () => {
  const dropped = {
    "connection": "close, X-Hop , x-other",
    "keep-alive": "timeout=5",
    "proxy-authenticate": "Basic",
    "proxy-connection": "x",
    "te": "trailers",
    "trailer": "x-end",
    "transfer-encoding": "chunked",
    "upgrade": "h2c",
    "x-hop": "1",
    "x-other": "1",
  };
  const response = await served(page({ ...dropped, "x-own": "1" }));

  await response.text();
  for (const name of Object.keys(dropped)) assertEquals(response.headers.get(name), null, name);
  assertEquals(response.headers.get("x-own"), "1");
});

Deno.test("H1: a field named __proto__ disturbs no other", async () => {
  const response = await served(page([["__proto__", "evil"], ["x-own", "1"]]));

  assertEquals([await response.text(), response.headers.get("x-own")], ["good", "1"]);
});

/** Fields at reception, seconds kept, and the Age that is told. */
const AGES: readonly (readonly [string, Record<string, string>, number, string])[] = [
  ["none", {}, 0, "0"],
  ["time kept", {}, 7, "7"],
  ["time kept, rounded down", {}, 7.999, "7"],
  ["the Age it came with", { age: "10" }, 7, "17"],
  ["an older Date", { date: "Wed, 31 Dec 2025 23:59:30 GMT" }, 7, "37"],
  ["the greater of both", { age: "40", date: "Wed, 31 Dec 2025 23:59:30 GMT" }, 7, "47"],
  ["a Date ahead of us", { date: "Thu, 01 Jan 2026 01:00:00 GMT" }, 7, "7"],
  ["a clock that steps back", {}, -60, "0"],
  ["a clock that steps back, with Age", { age: "10" }, -60, "10"],
  ["a huge Age", { age: "99999999999999999999" }, 0, "2147483648"],
];

for (const [what, fields, secs, age] of AGES) {
  Deno.test(`H2: Age is told: ${what}`, async () => {
    const response = await served(page(fields), { secs });

    assertEquals([await response.text(), response.headers.get("age")], ["good", age]);
  });
}

Deno.test("H2: the time until the head came counts as age", async () => {
  const site = new Site();
  site.answer = async () => {
    await Promise.resolve();
    site.clock.tick(3_000);
    return new Response("good", { headers: { age: "10" } });
  };
  await site.read();
  site.fail();

  const response = await site.get();

  await response.text();
  assertEquals(response.headers.get("age"), "13");
});

Deno.test("H2: the kept Date stays", async () => {
  const date = "Wed, 31 Dec 2025 23:59:30 GMT";
  const response = await served(page({ date }), { secs: 60 });

  assertEquals([await response.text(), response.headers.get("date")], ["good", date]);
});

for (
  const [what, fields] of [["missing", {}], ["listed in Connection", {
    connection: "date",
    date: "Wed, 31 Dec 2025 23:59:30 GMT",
  }]] as const
) {
  Deno.test(`H2: a Date that is ${what} is set at reception`, async () => {
    const response = await served(page(fields), { secs: 60 });

    await response.text();
    assertEquals(response.headers.get("date"), "Thu, 01 Jan 2026 00:00:00 GMT");
  });
}

Deno.test("H10: a stale answer's age counts on from its origin's own clock", async () => {
  const fields = {
    "cache-control": "max-age=60",
    date: "Wed, 31 Dec 2025 23:59:30 GMT",
    expires: "Thu, 01 Jan 2026 00:00:30 GMT",
  };

  const { headers } = await served(page(fields), { secs: 100 });

  const told = Object.keys(fields).map((name) => [name, headers.get(name)]);
  assertEquals(Object.fromEntries(told), fields);
  assertEquals(headers.get("age"), "130");
});

Deno.test("H10: a stale answer says nothing about caching that its origin did not say", async () => {
  const { headers } = await served(page(), { secs: 100 });

  // Bun gives a text its type only when it is sent.
  const names = [...headers.keys()].filter((name) => name !== "content-type");
  assertEquals(names, ["age", "cache-status", "content-length", "date"]);
});

const MAX_AGE = { "cache-control": "max-age=60" };

Deno.test("H3: Cache-Status of a refused call", async () => {
  const site = new Site();
  site.answer = page(MAX_AGE);
  await site.read();
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(1_000);

  const response = await site.get();

  await response.text();
  assertEquals(response.headers.get("cache-status"), "lastgood; hit; ttl=59; detail=circuit-open");
});

/** What the origin does, and what Cache-Status says of it 472 seconds later. */
const STATUSES: readonly (readonly [string, Answer, Record<string, string>, string])[] = [
  [
    "a 503",
    page({}, null, 503),
    MAX_AGE,
    "lastgood; fwd=stale; fwd-status=503; ttl=-412; detail=origin-error",
  ],
  [
    "a network error",
    () => Promise.reject(new TypeError("evil\r\nX: y")),
    MAX_AGE,
    "lastgood; fwd=stale; ttl=-412; detail=origin-error",
  ],
  [
    "a failure without freshness named",
    page({}, null, 500),
    {},
    "lastgood; fwd=stale; fwd-status=500; detail=origin-error",
  ],
  [
    "a failure after another cache's word",
    page({}, null, 500),
    { "cache-status": "edge; hit" },
    "edge; hit, lastgood; fwd=stale; fwd-status=500; detail=origin-error",
  ],
];

for (const [what, answer, fields, status] of STATUSES) {
  Deno.test(`H3: Cache-Status of ${what}`, async () => {
    const site = new Site();
    site.answer = page(fields);
    await site.read();
    site.clock.tick(472_000);
    site.answer = answer;

    const response = await site.get();

    await response.text();
    assertEquals(response.headers.get("cache-status"), status);
    assertEquals([response.headers.get("warning"), response.headers.get("x-cache")], [null, null]);
  });
}

Deno.test("H3: Cache-Status of our timeout, and of a slow call", async () => {
  using time = new FakeTime();
  for (const [patienceMs, detail] of [[Infinity, "timeout"], [500, "slow"]] as const) {
    const site = new Site({
      timeoutMs: 1_000,
      lastGood: { patienceMs },
      waitUntil: () => {},
    });
    await site.read();
    site.answer = () => new Promise(() => {});

    const answer = site.get();
    await time.tickAsync(1_000);
    const response = await answer;

    await response.text();
    assertEquals(response.headers.get("cache-status"), `lastgood; fwd=stale; detail=${detail}`);
    await site.api.idle();
  }
});

for (
  const [cacheStatus, expected] of [
    ["edge-1", "edge-1; hit; detail=circuit-open"],
    ['my "own" cache', '"my \\"own\\" cache"; hit; detail=circuit-open'],
    [false, null],
  ] as const
) {
  Deno.test(`H3: cacheStatus ${cacheStatus} names us ${expected}`, async () => {
    const site = new Site({ lastGood: { cacheStatus } });
    await site.read();
    site.api.circuit(ORIGIN).trip();

    const response = await site.get();

    await response.text();
    assertEquals(response.headers.get("cache-status"), expected);
  });
}

Deno.test("H3: a cacheStatus that would break the field is refused", () => {
  for (const cacheStatus of ["", "a\r\nb", "a\nb", "\u00e9", 1, true, null]) {
    let error: unknown;
    try {
      new Site({ lastGood: { cacheStatus: cacheStatus as string } });
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof TypeError || error instanceof RangeError, String(cacheStatus));
  }
});

const coded = (coding: string, body: BodyInit = "good") =>
  page({ "content-encoding": coding, "content-length": "24", "etag": '"1"' }, body);

for (const coding of ["gzip", "GZIP", "deflate", "br", "zstd"]) {
  Deno.test(`H4: a body decoded from ${coding} loses what described the coded one`, async () => {
    const response = await served(coded(coding));

    const { headers } = response;
    assertEquals(await response.text(), "good");
    assertEquals(headers.get("content-encoding"), null);
    assertEquals([headers.get("content-length"), headers.get("etag")], ["4", 'W/"1"']);
  });
}

Deno.test("H4: a weak ETag stays as it is", async () => {
  const response = await served(page({ "content-encoding": "gzip", "etag": 'W/"1"' }));

  assertEquals([await response.text(), response.headers.get("etag")], ["good", 'W/"1"']);
});

for (const coding of ["x-own", "gzip, x-own"]) {
  Deno.test(`H4: ${coding} is not decoded and stays`, async () => {
    const answer = page({ "content-encoding": coding, "etag": '"1"' });
    const response = await served(answer);

    assertEquals(await response.text(), "good");
    assertEquals(response.headers.get("content-encoding"), coding);
    assertEquals(response.headers.get("etag"), '"1"');
  });
}

Deno.test("H4: a plain body keeps its strong ETag", async () => {
  const response = await served(page({ etag: '"1"', "content-length": "4" }));

  assertEquals([await response.text(), response.headers.get("etag")], ["good", '"1"']);
});

const GZIPPED = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0);

Deno.test("H4: a handler's coded bytes stay coded", async () => {
  const answer = page({ "content-encoding": "gzip", "etag": '"1"' }, GZIPPED);
  const response = await served(answer, { way: "wrap" });

  assertEquals(new Uint8Array(await response.arrayBuffer()), GZIPPED);
  assertEquals(response.headers.get("content-encoding"), "gzip");
  assertEquals(response.headers.get("etag"), '"1"');
});

Deno.test("H4: a handler that hands on a fetched body is seen through", async () => {
  for (
    const answer of [coded("gzip"), () => madeBy({ url: PAGE }, coded("br")(undefined as never))]
  ) {
    const response = await served(answer, { way: "wrap" });

    assertEquals(await response.text(), "good");
    assertEquals(response.headers.get("content-encoding"), null);
  }
});

Deno.test("S12: a handler's coded bytes that are cut short are not kept", async () => {
  const site = new Site({}, "wrap");
  site.answer = page({ "content-encoding": "gzip", "content-length": "99" }, GZIPPED);

  await (await site.get()).arrayBuffer();

  assertEquals(site.notKept, ["truncated"]);
});

Deno.test("H5: nothing of the failed answer shows", async () => {
  const site = new Site();
  site.answer = page({ "x-own": "1" });
  await site.read();
  const failed = {
    "retry-after": "9",
    "set-cookie": "a=b",
    "etag": '"2"',
    "cache-control": "no-store",
    "x-failed": "yes",
    "www-authenticate": "Basic",
  };
  site.answer = page(failed, "down", 503);

  const response = await site.get();

  assertEquals(await response.text(), "good");
  for (const name of Object.keys(failed)) assertEquals(response.headers.get(name), null, name);
});

Deno.test("H7: a refused handler with nothing kept answers a 503 that nobody stores", async () => {
  const site = new Site({ threshold: 1, delayMs: 1_500 }, "wrap");
  site.fail();
  await site.read();

  const response = await site.get();

  const { headers } = response;
  const detail = "The upstream is failing, retry after 2 secs";
  assertEquals(response.status, 503);
  assertEquals(headers.get("content-type"), "application/problem+json");
  assertEquals(headers.get("cache-control"), "no-store");
  assertEquals(headers.get("retry-after"), "2");
  assertEquals([headers.get("cache-status"), headers.get("age")], [null, null]);
  assertEquals(JSON.parse(await response.text()), {
    type: "about:blank",
    title: "Service Unavailable",
    status: 503,
    detail,
  });
});

Deno.test("H8: an answer that no constructor can make is passed on as it is", async () => {
  const site = new Site({ judge: () => "success" });
  const came = madeBy({ status: 999 });
  site.answer = () => came;

  assertStrictEquals(await site.get(), came);
  assertEquals(site.notKept, ["status"]);
  await came.body?.cancel();
});
