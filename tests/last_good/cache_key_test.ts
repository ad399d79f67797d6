import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { fetchHead } from "../../src/last_good/request_head.ts";
import { hashPartition } from "../../src/last_good/cache_key.ts";
import { LastGood } from "../../src/last_good/last_good.ts";
import { lastGoodSettings } from "../../src/last_good/options.ts";
import { only } from "../stage/events.ts";
import { Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

const echo = (name: string) => ({ headers }: { headers: Headers }) =>
  new Response(headers.get(name) ?? "none");

/** Pairs of URLs, and whether they are one page. */
const URLS: readonly (readonly [string, string, boolean])[] = [
  ["https://o.test/a", "https://o.test/a", true],
  ["https://o.test/a", "https://o.test/a#b", true],
  ["https://o.test/a?b", "https://o.test/a?b#", true],
  ["https://O.test:443/a", "https://o.test/a", true],
  ["https://o.test/a/../b", "https://o.test/b", true],
  ["https://o.test/a", "https://o.test/A", false],
  ["https://o.test/a", "https://o.test/a/", false],
  ["https://o.test/a", "https://o.test/a?", false],
  ["https://o.test/a?b", "https://o.test/a?B", false],
  ["https://o.test/a?b&c", "https://o.test/a?c&b", false],
  ["https://o.test/a?b", "https://o.test/a?b&utm_source=x", false],
  ["https://o.test/a?b", "https://o.test/a?b=", false],
  ["https://o.test/%61", "https://o.test/a", false],
  ["https://o.test/a", "http://o.test/a", false],
  ["https://o.test/a", "https://o.test:8443/a", false],
  ["https://o.test/a", "https://p.test/a", false],
  ["https://o.test/a//b", "https://o.test/a/b", false],
];

for (const [one, other, isSame] of URLS) {
  Deno.test(`K1: ${one} and ${other} are ${isSame ? "one page" : "two pages"}`, async () => {
    const site = new Site();
    await site.read({}, one);

    const kept = await site.kept({}, other);

    assertEquals(kept, isSame ? "good" : undefined);
  });
}

Deno.test("K1: credentials in the URL are neither key nor told", async () => {
  const site = new Site({ lastGood: { ignore: ["authorization"] } });

  await site.read({}, "https://me:pass@origin.test/a@b?c@d");

  assertEquals(await site.kept({}, "https://origin.test/a@b?c@d"), "good");
  assert(!JSON.stringify(site.events).includes("pass"));
});

Deno.test("K1: the key option replaces the URL, but neither Vary nor reflected fields", async () => {
  const site = new Site({ lastGood: { key: () => "one" } });
  site.answer = page({ vary: "accept" });
  await site.read({ headers: { accept: "a" } });

  const [other, accept, host] = [
    await site.kept({ headers: { accept: "a" } }, "https://other.test/"),
    await site.kept({ headers: { accept: "b" } }),
    await site.kept({ headers: { accept: "a", "x-forwarded-host": "h" } }),
  ];

  assertEquals([other, accept, host], ["good", undefined, undefined]);
});

/** Key options that give no string, and whether that is an error. */
const NO_KEYS: readonly (readonly [string, () => string | undefined, boolean])[] = [
  ["undefined", () => undefined, false],
  ["a number", () => 1 as never, true],
  ["an error", () => {
    throw new Error("no");
  }, true],
];

for (const [what, key, isError] of NO_KEYS) {
  Deno.test(`9: a key option that gives ${what} keeps and serves nothing`, async () => {
    const site = new Site({ lastGood: { key } });

    assertEquals(await site.read(), "good");

    assertEquals(await site.kept(), undefined);
    const isHeard = site.events.some((event) =>
      event.type === "error" && event.source === "lastGood.key"
    );
    assertEquals(isHeard, isError);
  });
}

/** What two requests say of X-A, X-B, what the response varies on, and whether they match. */
const VARIANTS: readonly (readonly [string, HeadersInit, HeadersInit, boolean])[] = [
  ["x-a", { "x-a": "1" }, { "x-a": "1" }, true],
  ["X-A", { "x-a": "1" }, { "X-A": "1" }, true],
  ["x-a", { "x-a": "1" }, { "x-a": "2" }, false],
  ["x-a", { "x-a": "a" }, { "x-a": "A" }, false],
  ["x-a", { "x-a": "" }, {}, false],
  ["x-a", {}, { "x-a": "" }, false],
  ["x-a", {}, {}, true],
  ["x-a", { "x-b": "1" }, { "x-b": "2" }, true],
  ["x-b, x-a", { "x-a": "1", "x-b": "2" }, { "x-b": "2", "x-a": "1" }, true],
  ["x-a, x-b", { "x-a": "1", "x-b": "2" }, { "x-a": "2", "x-b": "1" }, false],
  ["x-a", [["x-a", "1"], ["x-a", "2"]], { "x-a": "1, 2" }, true],
  ["", { "x-a": "1" }, { "x-a": "2" }, true],
  [", ,", { "x-a": "1" }, { "x-a": "2" }, true],
  ["__proto__", [["__proto__", "1"]], [["__proto__", "2"]], false],
];

for (const [vary, one, other, matches] of VARIANTS) {
  const names = `${JSON.stringify(one)} and ${JSON.stringify(other)}`;
  Deno.test(`K2: with Vary: ${vary}, ${names} are ${matches ? "one" : "two"}`, async () => {
    const site = new Site();
    site.answer = page({ vary });
    await site.read({ headers: one });

    const kept = await site.kept({ headers: other });

    assertEquals(kept, matches ? "good" : undefined);
  });
}

Deno.test("K2: Vary is taken from all its lines", async () => {
  const site = new Site();
  site.answer = page([["vary", "accept"], ["vary", "x-a"]]);
  await site.read({ headers: { "x-a": "1" } });

  assertEquals(await site.kept({ headers: { "x-a": "2" } }), undefined);
});

Deno.test("K2: at most maxVariants are kept, the least recently used goes first", async () => {
  const site = new Site({ lastGood: { maxVariants: 3 } });
  const variant = (value: number) => ({ headers: { "x-a": String(value) } });
  site.answer = ({ headers }) => new Response(headers.get("x-a"), { headers: { vary: "x-a" } });
  for (const value of [1, 2, 3]) await site.read(variant(value));
  await site.kept(variant(1));

  await site.read(variant(4));

  const kept = [];
  for (const value of [1, 2, 3, 4]) kept.push(await site.kept(variant(value)));
  assertEquals(kept, ["1", undefined, "3", "4"]);
});

Deno.test("K2: where two responses fit, the most recent one is served", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  site.answer = page({ vary: "x-a" }, "varied");
  await site.read({ headers: { "x-a": "1" } });
  site.answer = page({}, "plain");
  await site.read({ headers: { "x-a": "2" } });

  assertEquals(await site.kept({ headers: { "x-a": "1" } }), "plain");
});

const REFLECTED = [
  "X-Forwarded-Host",
  "X-Forwarded-Proto",
  "X-Forwarded-Scheme",
  "X-Host",
  "X-Original-URL",
  "X-Rewrite-URL",
  "X-HTTP-Method-Override",
];

for (const name of REFLECTED) {
  Deno.test(`K3: ${name} belongs to the key`, async () => {
    const site = new Site();
    site.answer = echo(name);
    const evil = { headers: { [name]: "evil.test" } };

    await site.read(evil);

    assertEquals(await site.kept(), undefined);
    assertEquals(await site.kept({ headers: { [name]: "other" } }), undefined);
    assertEquals(await site.kept({ headers: { [name]: "" } }), undefined);
    assertEquals(await site.kept(evil), "evil.test");
  });
}

Deno.test("K3: no value can forge another field", async () => {
  const site = new Site();
  await site.read({ headers: { "x-host": "a", "x-original-url": "b" } });

  const forged = ['a","x-original-url","b', "a, b", "a|b", "a\u00a0b", "a=b&x-original-url=b"];
  for (const value of forged) {
    assertEquals(await site.kept({ headers: { "x-host": value } }), undefined);
  }
});

const SECRET = "secret-token-of-ann";

Deno.test("K4: a partition keeps what is private to it, for nobody else", async () => {
  const whose = ({ headers }: Request) => headers.get("authorization") ?? undefined;
  const site = new Site({ lastGood: { partition: whose } });
  const as = (token: string) => ({ headers: { authorization: token } });
  site.answer = ({ headers }) =>
    new Response(headers.get("authorization"), { headers: { "cache-control": "private" } });

  await site.read(as("ann"));
  await site.read(as("bob"));

  assertEquals(await site.kept(as("ann")), "ann");
  assertEquals(await site.kept(as("bob")), "bob");
  assertEquals(await site.kept(as("eve")), undefined);
  assertEquals(await site.kept(), undefined);
});

Deno.test("K4: the partition may be promised", async () => {
  const site = new Site({ lastGood: { partition: () => Promise.resolve("service") } });
  site.answer = page({ "cache-control": "private" });

  await site.read({ headers: { authorization: "x", cookie: "y" } });

  assertEquals(await site.kept({ headers: { authorization: "x" } }), "good");
});

Deno.test("K4: its value is nowhere in clear", async () => {
  const site = new Site({ lastGood: { partition: () => SECRET } });
  await site.read();
  site.fail();

  const response = await site.get();

  const seen = JSON.stringify([site.events, [...response.headers], await response.text()]);
  assert(seen.includes("good"));
  assert(!seen.includes(SECRET));
  assert(!JSON.stringify([...site.api.circuits()].map(([key]) => key)).includes(SECRET));
});

Deno.test("K4: not even in the key that is kept", async () => {
  const lastGood = new LastGood(lastGoodSettings("test", { partition: () => SECRET }));

  const place = await lastGood.key(fetchHead("https://origin.test/", undefined), {
    reportError: () => {},
  });

  assertEquals(place?.partitioned, true);
  assert(!JSON.stringify(place).includes(SECRET));
});

Deno.test("K4: not even in the event of an error about it", async () => {
  const site = new Site({ lastGood: { partition: () => [SECRET] as never } });

  await site.read();

  const errors = only(site.events, "error");
  assertEquals(errors.map(({ source }) => source), ["partition"]);
  assert(!String(errors[0]?.error).includes(SECRET));
  assertEquals(await site.kept(), undefined);
});

for (
  const [what, partition] of [
    ["throws", () => {
      throw new Error("no");
    }],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["gives a number", () => 1 as never],
    ["gives null", () => null as never],
  ] as const
) {
  Deno.test(`9: a partition that ${what} keeps and serves nothing`, async () => {
    const site = new Site({ lastGood: { partition } });

    assertEquals(await site.read(), "good");

    assertEquals(await site.kept(), undefined);
    assert(site.events.some((event) => event.type === "error" && event.source === "partition"));
  });
}

Deno.test("K4: an empty partition is a partition", async () => {
  const whose = ({ headers }: Request) => headers.get("x-user") ?? undefined;
  const site = new Site({ lastGood: { partition: whose } });
  site.answer = page({ "cache-control": "private" });

  await site.read({ headers: { "x-user": "" } });

  assertEquals(await site.kept({ headers: { "x-user": "" } }), "good");
  assertEquals(await site.kept(), undefined);
});

Deno.test("forget removes every variant and partition of one URL, or everything", async () => {
  const whose = ({ headers }: Request) => headers.get("x-user") ?? undefined;
  const site = new Site({ lastGood: { partition: whose } });
  const other = "https://origin.test/other";
  site.answer = page({ vary: "x-a" });
  const inits = [{}, { headers: { "x-a": "1" } }, { headers: { "x-user": "ann" } }];
  for (const init of inits) {
    await site.read(init);
    await site.read(init, other);
  }

  site.api.forget(new Request("https://origin.test/page#part"));

  for (const init of inits) {
    assertEquals(await site.kept(init), undefined);
    assertEquals(await site.kept(init, other), "good");
  }
  site.api.forget();
  for (const init of inits) assertEquals(await site.kept(init, other), undefined);
});

Deno.test("K4: the same partition has the same place on every runtime", async () => {
  const digest = await hashPartition("abc");

  assertEquals(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assertNotEquals(await hashPartition(""), digest);
});

Deno.test("K1: however many addresses are asked for, each stays itself", async () => {
  const site = new Site({ lastGood: { maxEntries: 2_000 } });
  const urls = Array.from(
    { length: 700 },
    (_, index) => `https://o.test/${index % 600}?${index}#x`,
  );
  site.answer = ({ url }) => new Response(url);
  for (const url of urls) await site.read({}, url);

  for (const url of urls) assertEquals(await site.kept({}, url), url);
  for (const url of urls.slice(0, 5)) {
    assertEquals(await site.kept({}, url.replace("https", "http")), undefined);
  }
});

Deno.test("K2: a request counts as it was asked, whatever its app does to it later", async () => {
  const site = new Site({}, "wrap");
  const headers = new Headers({ accept: "a" });
  const request = new Request("https://origin.test/page", { headers });
  site.answer = () => {
    try {
      request.headers.set("accept", "b");
    } catch {
      // Some runtimes forbid it.
    }
    return new Response("for a", { headers: { vary: "accept" } });
  };
  const guarded = site.api.wrap(() => site.answer(request) as Response);
  await (await guarded(request)).text();
  site.fail();

  const again = await guarded(
    new Request("https://origin.test/page", { headers: { accept: "a" } }),
  );
  const other = await guarded(
    new Request("https://origin.test/page", { headers: { accept: "b" } }),
  );

  assertEquals([await again.text(), other.status], ["for a", 503]);
});
