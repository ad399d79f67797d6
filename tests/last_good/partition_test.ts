import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { fetchHead } from "../../src/last_good/request_head.ts";
import { hashPartition } from "../../src/last_good/cache_key.ts";
import { LastGood } from "../../src/last_good/last_good.ts";
import { lastGoodSettings } from "../../src/last_good/options.ts";
import { only } from "../stage/events.ts";
import { Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

const SECRET = "secret-token-of-ann";

Deno.test("K4: a partition keeps private responses for itself alone", async () => {
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

Deno.test("K4: the partition may be a promise", async () => {
  const site = new Site({ lastGood: { partition: () => Promise.resolve("service") } });
  site.answer = page({ "cache-control": "private" });

  await site.read({ headers: { authorization: "x", cookie: "y" } });

  assertEquals(await site.kept({ headers: { authorization: "x" } }), "good");
});

Deno.test("K4: the partition's value is nowhere in clear text", async () => {
  const site = new Site({ lastGood: { partition: () => SECRET } });
  await site.read();
  site.fail();

  const response = await site.get();

  const seen = JSON.stringify([site.events, [...response.headers], await response.text()]);
  assert(seen.includes("good"));
  assert(!seen.includes(SECRET));
  assert(!JSON.stringify([...site.api.circuits()].map(([key]) => key)).includes(SECRET));
});

Deno.test("K4: the partition's value is not in the stored key", async () => {
  const lastGood = new LastGood(lastGoodSettings("test", { partition: () => SECRET }));

  const key = await lastGood.key(fetchHead("https://origin.test/", undefined), "fetch", {
    reportError: () => {},
    waitFor: (work) => work,
  });

  assert(key !== undefined && key.owner !== "");
  assert(!JSON.stringify(key).includes(SECRET));
});

Deno.test("K4: the partition's value is not in an error event about it", async () => {
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
    ["returns a number", () => 1 as never],
    ["returns null", () => null as never],
  ] as const
) {
  Deno.test(`9: with a partition that ${what}, nothing is kept or served`, async () => {
    const site = new Site({ lastGood: { partition } });

    assertEquals(await site.read(), "good");

    assertEquals(await site.kept(), undefined);
    assert(site.events.some((event) => event.type === "error" && event.source === "partition"));
  });
}

for (const [how, partition] of [["gives", () => ""], ["promises", async () => await ""]] as const) {
  Deno.test(`K4: a partition that ${how} an empty string is heard as a mistake and names nobody`, async () => {
    const site = new Site({ lastGood: { partition } });
    await site.read();
    assertEquals(await site.kept(), "good");
    site.answer = page({ "cache-control": "private" });

    await site.read();

    assertEquals(site.notKept, ["private"]);
    const [error] = only(site.events, "error");
    assertEquals(error?.source, "partition");
    assert(String(error?.error).includes("not empty"));
  });
}

/** Partitions of which each is another one, although some are alike in UTF-8, or as bytes. */
const ALIKE = [
  "\ud800",
  "\udfff",
  "\ufffd",
  "\udfff\ud800",
  "a\ud800",
  "\ud800a",
  "\ud880",
  "\ud900",
  "\udc00",
  "\u0600",
  "\0\u0600",
];

Deno.test("K4: partitions that are not well-formed never become one", async () => {
  const hashes = new Set(await Promise.all(ALIKE.map(hashPartition)));

  assertEquals(hashes.size, ALIKE.length);
});

Deno.test("K4: a partition that is not well-formed keeps its responses to itself", async () => {
  let whose = "\ud800";
  const site = new Site({ lastGood: { partition: () => whose } });
  site.answer = page({ "cache-control": "private" });
  await site.read();

  assertEquals(await site.kept(), "good");
  for (whose of ALIKE.slice(1)) assertEquals(await site.kept(), undefined);
});

Deno.test("K4: the same partition has the same key on every runtime", async () => {
  const digest = await hashPartition("abc");

  assertEquals(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assertNotEquals(await hashPartition(""), digest);
});
