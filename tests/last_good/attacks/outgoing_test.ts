/** Attacks on what the app tells its fetch besides fields (K6, S3, F4). */

import { assertEquals } from "@std/assert";
import { PAGE, Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";

/** Members of init that change what comes back; objects count by identity, data by its JSON. */
const TOLD: readonly (readonly [a: object, b: object, what: string])[] = [
  [{ cf: { image: { width: 9 } } }, { cf: { image: { width: 10 } } }, "cf.image"],
  [{ cf: { cacheKey: "a" } }, {}, "cf or none"],
  [{ encodeResponseBody: "manual" }, { encodeResponseBody: "automatic" }, "encodeResponseBody"],
  [{ client: { pool: 1 } }, { client: { pool: 1 } }, "client"],
  [{ dispatcher: { of: "a" } }, { dispatcher: { of: "a" } }, "dispatcher"],
  [{ dispatcher: { of: "a" } }, {}, "dispatcher or none"],
  [{ unix: "/a.sock" }, { unix: "/b.sock" }, "unix"],
  [{ tls: { ca: "a" } }, { tls: { ca: "a" } }, "tls"],
  [{ proxy: "http://a.test" }, { proxy: "http://b.test" }, "proxy"],
  [{ proxy: { url: "http://a.test" } }, { proxy: { url: "http://a.test" } }, "proxy by identity"],
  [{ headers: { host: "a.test" } }, { headers: { host: "b.test" } }, "host"],
  [{ headers: { Host: "a.test" } }, {}, "host or none"],
];
for (const [a, b, what] of TOLD) {
  Deno.test(`K6, K3: fetch: ${what}: nobody gets what came over another way`, async () => {
    const site = new Site();
    site.answer = page({}, "a's");
    await site.read(a);
    site.answer = page({}, "b's");

    assertEquals(await site.kept(b), undefined);
    await site.read(b);
    const found = [await site.kept(a), await site.kept(b)];

    // Not kept at all is right as well, but for fields.
    const wanted = "headers" in a
      ? ["a's", "b's"]
      : found.map((text, at) => text && ["a's", "b's"][at]);
    assertEquals(found, wanted);
  });
}

Deno.test("K6: fetch: the same told again is served what was kept for it", async () => {
  for (
    const told of [{ cf: { image: { width: 9 } } }, { dispatcher: { of: "a" } }, { proxy: "a" }]
  ) {
    const site = new Site();
    await site.read(told as RequestInit);

    assertEquals(await site.kept({ ...told } as RequestInit), "good");
    assertEquals(
      await site.kept(structuredClone(told) as RequestInit),
      "cf" in told || "proxy" in told ? "good" : undefined,
    );
  }
});

Deno.test("K6: fetch: a told that cannot be written as JSON is passed on, and mixed up with nothing", async () => {
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  for (
    const cf of [loop, { n: 1n }, {
      toJSON: () => {
        throw new Error("no");
      },
    }]
  ) {
    const site = new Site();
    await site.read();

    assertEquals(await site.read({ cf } as RequestInit), "good");
    assertEquals(await site.kept({ cf: { other: 1 } } as RequestInit), undefined);
    assertEquals(await site.kept(), "good");
  }
});

Deno.test("S3: fetch: what is asked for with cache no-store is not kept", async () => {
  for (const init of [{ cache: "no-store" } as const, {}] as const) {
    const site = new Site();

    await site.read(init);

    assertEquals(await site.kept(), "cache" in init ? undefined : "good");
  }
  const request = new Site();
  await (await request.api.fetch(new Request(PAGE, { cache: "no-store" }))).text();
  assertEquals(await request.kept(), undefined);
});

Deno.test("S3, S17: fetch: cache no-store removes nothing, and gets the copy in an outage", async () => {
  const site = new Site();
  await site.read();
  site.answer = page({}, "newer");

  assertEquals(await site.read({ cache: "no-store" }), "newer");

  assertEquals([await site.kept(), await site.kept({ cache: "no-store" })], ["good", "good"]);
});

Deno.test("F4: fetch: no-store, reload and no-cache get past freshMs", async () => {
  const site = new Site({ lastGood: { freshMs: 60_000 } });
  await site.read();
  site.answer = page({}, "newer");

  for (const cache of ["no-store", "reload", "no-cache"] as const) {
    assertEquals([cache, await site.read({ cache })], [cache, "newer"]);
  }
  for (const cache of ["default", "force-cache"] as const) {
    assertEquals([cache, await site.read({ cache })], [cache, "good"]);
  }
});
