import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";
import { cacheKey, keyLength, matchesVariant } from "../../src/last_good/cache_key.ts";

const none = new Headers();

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

Deno.test("K1: credentials in the URL are neither in the key nor in events", async () => {
  const site = new Site({ lastGood: { ignore: ["authorization"] } });

  await site.read({}, "https://me:pass@origin.test/a@b?c@d");

  assertEquals(await site.kept({}, "https://origin.test/a@b?c@d"), "good");
  assert(!JSON.stringify(site.events).includes("pass"));
});

Deno.test("K1: the key option replaces the URL, but not Vary or reflected fields", async () => {
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

/** Key options that return no string, and whether that is an error. */
const NO_KEYS: readonly (readonly [string, () => string | undefined, boolean])[] = [
  ["undefined", () => undefined, false],
  ["a number", () => 1 as never, true],
  ["an error", () => {
    throw new Error("no");
  }, true],
];

for (const [what, key, isError] of NO_KEYS) {
  Deno.test(`9: with a key option that returns ${what}, nothing is kept or served`, async () => {
    const site = new Site({ lastGood: { key } });

    assertEquals(await site.read(), "good");

    assertEquals(await site.kept(), undefined);
    const isHeard = site.events.some((event) =>
      event.type === "error" && event.source === "lastGood.key"
    );
    assertEquals(isHeard, isError);
  });
}

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
  Deno.test(`K3: ${name} is part of the key`, async () => {
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

Deno.test("K3: the host that fetch is told is part of the key", async () => {
  const site = new Site();
  site.answer = echo("host");

  await site.read({ headers: { host: "a.test" } });

  assertEquals(await site.kept({ headers: { host: "a.test" } }), "a.test");
  assertEquals(await site.kept({ headers: { host: "b.test" } }), undefined);
  assertEquals(await site.kept({ headers: { host: "origin.test" } }), undefined);
  assertEquals(await site.kept(), undefined);
});

Deno.test("K3: no value can forge another field", async () => {
  const site = new Site();
  await site.read({ headers: { "x-host": "a", "x-original-url": "b" } });

  const forged = ['a","x-original-url","b', "a, b", "a|b", "a\u00a0b", "a=b&x-original-url=b"];
  for (const value of forged) {
    assertEquals(await site.kept({ headers: { "x-host": value } }), undefined);
  }
});

Deno.test("K1: however many URLs are requested, each gets its own response", async () => {
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

Deno.test("K1, K5: the key of a plain request is its URL and the memory it belongs to", () => {
  assertEquals(cacheKey("u", "fetch", { headers: none }, ""), {
    primary: "u",
    place: "fetch",
    added: "",
    owner: "",
  });
});

Deno.test("K3, K4, K6: no two different requests share a key", () => {
  const keys = [
    cacheKey("u", "fetch", { headers: none }, ""),
    cacheKey("u", "fetch", { headers: none }, "p"),
    cacheKey("u", "fetch", { headers: none }, "x-host"),
    cacheKey("u", "fetch", { headers: none, extraKey: "p" }, ""),
    cacheKey("u", "fetch", { headers: none, extraKey: "x-host" }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ host: "p" }), isOutgoing: true }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ host: "" }), isOutgoing: true }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ "x-host": "a" }) }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ "x-host": "" }) }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ "x-host": "a" }) }, "p"),
    cacheKey("u", "fetch", { headers: new Headers({ "x-host": 'a","p' }) }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ "x-host": "a", "x-original-url": "b" }) }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ "x-host": 'a","x-original-url","b' }) }, ""),
    cacheKey("u", "fetch", { headers: new Headers({ "x-host": "b", "x-original-url": "a" }) }, ""),
  ];

  for (const [index, key] of keys.entries()) {
    for (const other of keys.slice(index + 1)) {
      assertNotEquals([key.added, key.owner], [other.added, other.owner]);
    }
  }
});

Deno.test("K2: absent differs from empty", () => {
  assertEquals(matchesVariant([["a", null]], none), true);
  assertEquals(matchesVariant([["a", null]], new Headers({ a: "" })), false);
  assertEquals(matchesVariant([["a", ""]], none), false);
  assertEquals(matchesVariant([["a", ""]], new Headers({ a: "" })), true);
});

Deno.test("S15: the length of a key counts all its parts", () => {
  const place = cacheKey("four", "fetch", { headers: new Headers({ "x-host": "ab" }) }, "");

  assertEquals(keyLength(place, [["x", null], ["yy", "zzz"]]), 4 + place.added.length + 6);
});
