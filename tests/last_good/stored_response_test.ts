import { assertEquals, assertStrictEquals } from "@std/assert";
import { served, Site } from "../stage/site.ts";
import { madeBy, page } from "../stage/upstream.ts";

Deno.test("H1: status and fields are those of the kept response", async () => {
  const response = await served(page({ "x-own": "1", "content-type": "a/b" }, "gone", 410), {
    options: { statuses: [410] },
  });

  assertEquals([response.status, await response.text()], [410, "gone"]);
  assertEquals(response.headers.get("x-own"), "1");
  assertEquals(response.headers.get("content-type"), "a/b");
});

Deno.test("H1: hop-by-hop fields and those that Connection lists are dropped", async () => {
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

Deno.test("H1: a field named __proto__ does not affect others", async () => {
  const response = await served(page([["__proto__", "evil"], ["x-own", "1"]]));

  assertEquals([await response.text(), response.headers.get("x-own")], ["good", "1"]);
});

/** Fields on arrival, seconds kept, and the resulting Age. */
const AGES: readonly (readonly [string, Record<string, string>, number, string])[] = [
  ["none", {}, 0, "0"],
  ["the time kept", {}, 7, "7"],
  ["the time kept, rounded down", {}, 7.999, "7"],
  ["the Age it came with", { age: "10" }, 7, "17"],
  ["an older Date", { date: "Wed, 31 Dec 2025 23:59:30 GMT" }, 7, "37"],
  ["the greater of Age and Date", { age: "40", date: "Wed, 31 Dec 2025 23:59:30 GMT" }, 7, "47"],
  ["a Date ahead of us", { date: "Thu, 01 Jan 2026 01:00:00 GMT" }, 7, "7"],
  ["a clock that steps back", {}, -60, "0"],
  ["a clock that steps back, with Age", { age: "10" }, -60, "10"],
  ["a huge Age", { age: "99999999999999999999" }, 0, "2147483648"],
];

for (const [what, fields, secs, age] of AGES) {
  Deno.test(`H2: Age is correct: ${what}`, async () => {
    const response = await served(page(fields), { secs });

    assertEquals([await response.text(), response.headers.get("age")], ["good", age]);
  });
}

Deno.test("H2: the time until the head arrived counts as age", async () => {
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
  Deno.test(`H2: a Date that is ${what} is set on arrival`, async () => {
    const response = await served(page(fields), { secs: 60 });

    await response.text();
    assertEquals(response.headers.get("date"), "Thu, 01 Jan 2026 00:00:00 GMT");
  });
}

Deno.test("H10: a stale answer's age counts from its origin's own clock", async () => {
  const fields = {
    "cache-control": "max-age=60",
    date: "Wed, 31 Dec 2025 23:59:30 GMT",
    expires: "Thu, 01 Jan 2026 00:00:30 GMT",
  };

  const { headers } = await served(page(fields), { secs: 100 });

  const kept = Object.keys(fields).map((name) => [name, headers.get(name)]);
  assertEquals(Object.fromEntries(kept), fields);
  assertEquals(headers.get("age"), "130");
});

Deno.test("H10: a stale answer has no caching fields that its origin did not send", async () => {
  const { headers } = await served(page(), { secs: 100 });

  // Bun sets a text's type only when it is sent.
  const names = [...headers.keys()].filter((name) => name !== "content-type");
  assertEquals(names, ["age", "cache-status", "content-length", "date"]);
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

Deno.test("H7: a refused handler with nothing kept answers 503 with no-store", async () => {
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

Deno.test("H8: an answer that no constructor can make is passed on unchanged", async () => {
  const site = new Site({ judge: () => "success" });
  const came = madeBy({ status: 999 });
  site.answer = () => came;

  assertStrictEquals(await site.get(), came);
  assertEquals(site.notKept, ["status"]);
  await came.body?.cancel();
});
