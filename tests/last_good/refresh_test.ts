import { assert, assertEquals } from "@std/assert";
import type { BreakerOptions } from "@lastgood/breaker";
import { only } from "../stage/events.ts";
import { keeping, PAGE, Site } from "../stage/site.ts";
import { madeBy, page } from "../stage/upstream.ts";

const kept = (site: Site) => only(site.events, "kept").length;

Deno.test("refreshMs: a response kept a moment ago is not copied again", async () => {
  const site = await keeping({}, 0.999);
  site.answer = page({}, "newer");

  assertEquals(await site.read(), "newer");

  assertEquals([kept(site), await site.kept()], [1, "good"]);
});

Deno.test("refreshMs: a response kept longer ago is copied again", async () => {
  const site = await keeping({}, 1);
  site.answer = page({}, "newer");

  assertEquals(await site.read(), "newer");

  assertEquals([kept(site), await site.kept()], [2, "newer"]);
});

Deno.test("refreshMs: a response that is not copied passes through as the same object", async () => {
  const site = await keeping({}, 0.5);
  const came = new Response("newer");
  site.answer = () => came;

  assert(await site.get() === came);
  await came.text();
});

Deno.test("refreshMs: many requests within it do not delay the next copy", async () => {
  const site = await keeping({}, 0.5);
  site.answer = page({}, "newer");
  await site.read();
  site.clock.tick(500);

  await site.read();

  assertEquals(await site.kept(), "newer");
});

Deno.test("refreshMs: a response that is not copied does not freshen the kept one", async () => {
  const site = await keeping({}, 30, { lastGood: { refreshMs: 60_000 } });
  site.answer = page({}, "newer");
  await site.read();
  site.fail();

  const response = await site.get();

  assertEquals([await response.text(), response.headers.get("age")], ["good", "30"]);
});

Deno.test("refreshMs: the same entity tag freshens the kept one", async () => {
  const site = await keeping({ etag: '"1"' }, 30, { lastGood: { refreshMs: 60_000 } });
  await site.read();
  site.clock.tick(5_000);
  site.fail();

  const response = await site.get();

  assertEquals([await response.text(), response.headers.get("age")], ["good", "5"]);
});

Deno.test("refreshMs: a refusal within it removes the kept response", async () => {
  const site = await keeping({}, 0);
  site.answer = page({ "cache-control": "no-store" });

  await site.read();

  assertEquals(await site.kept(), undefined);
});

Deno.test("S18: the same entity tag from an older request freshens nothing", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const slow = site.read();
  site.answer = page({ etag: '"a"' });
  await site.read();

  arrivals[0]!(new Response("good", { headers: { etag: '"a"', "cache-control": "max-age=99" } }));
  await slow;
  site.fail();

  const response = await site.get();
  assertEquals(await response.text(), "good");
  assert(!response.headers.get("cache-status")?.includes("ttl"));
});

Deno.test("12: a clock that steps back does not delay the next copy", async () => {
  const site = await keeping({}, -10);
  site.answer = page({}, "newer");

  await site.read();

  assertEquals(await site.kept(), "newer");
});

/** Answers within refreshMs, and the body kept afterwards, with or without a listener. */
const WITHIN: readonly {
  readonly what: string;
  readonly answer: Site["answer"];
  readonly kept: string | undefined;
  readonly options?: BreakerOptions;
}[] = [
  { what: "another body", answer: page({}, "newer"), kept: "good" },
  {
    what: "max-age that counts down",
    answer: page({ "cache-control": "max-age=9" }),
    kept: "good",
  },
  { what: "Set-Cookie", answer: page({ "set-cookie": "a=b" }, "newer"), kept: "good" },
  { what: "Vary: *", answer: page({ vary: "*" }, "newer"), kept: "good" },
  { what: "a failure", answer: page({}, "newer", 500), kept: "good" },
  { what: "403", answer: page({}, "newer", 403), kept: "good" },
  { what: "no-store", answer: page({ "cache-control": "no-store" }), kept: undefined },
  { what: "private", answer: page({ "cache-control": "private" }), kept: undefined },
  { what: "no-store for CDNs", answer: page({ "cdn-cache-control": "no-store" }), kept: undefined },
  {
    what: "no-store for surrogates",
    answer: page({ "surrogate-control": "no-store" }),
    kept: undefined,
  },
  { what: "Pragma: no-cache", answer: page({ pragma: "no-cache" }), kept: undefined },
  { what: "410", answer: page({}, "newer", 410), kept: undefined },
  { what: "404", answer: page({}, "newer", 404), kept: "good" },
  { what: "a redirect", answer: page({}, null, 302), kept: "good" },
  {
    what: "no-store after a redirect",
    answer: () =>
      madeBy({ redirected: true }, new Response("", { headers: { "cache-control": "no-store" } })),
    kept: "good",
  },
  {
    what: "a veto",
    answer: page({}, "newer"),
    options: { lastGood: { keep: (_request, _response, { length }) => length < 5 } },
    kept: "good",
  },
];

for (const { what, answer, kept, options = {} } of WITHIN) {
  for (const how of ["with a listener", "without a listener"]) {
    Deno.test(`refreshMs: ${what} within it ${kept === undefined ? "removes" : "leaves"} the kept one, ${how}`, async () => {
      const heard = how === "with a listener" ? {} : { onEvent: undefined as never };
      const site = await keeping({}, 0.5, { ...options, ...heard });
      site.answer = answer;

      await site.read();

      assertEquals(await site.kept(), kept);
    });
  }
}

for (const how of ["with a listener", "without a listener"]) {
  Deno.test(`refreshMs: the same entity tag freshens the kept one ${how}`, async () => {
    const heard = how === "with a listener" ? {} : { onEvent: undefined as never };
    const site = await keeping({ etag: '"a"' }, 0.5, { ...heard, lastGood: { refreshMs: 9_000 } });
    site.clock.tick(4_000);
    await site.read();
    site.clock.tick(2_000);
    site.fail();

    assertEquals((await site.get()).headers.get("age"), "2");
  });
}

Deno.test("an unchanged strong validator freshens times and fields without a copy", async () => {
  const site = await keeping({ etag: '"1"', "x-own": "old", "cache-control": "max-age=5" }, 60);
  const came = new Response("good", {
    headers: { etag: '"1"', "x-own": "new", "cache-control": "max-age=9" },
  });
  site.answer = () => came;
  assert(await site.get() === came);
  await came.text();
  site.clock.tick(2_000);
  site.fail();

  const { headers } = await site.get();

  assertEquals([headers.get("age"), headers.get("x-own"), headers.get("etag")], [
    "2",
    "new",
    '"1"',
  ]);
  assertEquals(headers.get("cache-status")?.includes("ttl=7"), true);
  assertEquals([kept(site), await site.kept()], [1, "good"]);
});

/** Fields of two responses, and whether the second body is copied again. */
const VALIDATORS: readonly (readonly [string, HeadersInit, HeadersInit, boolean])[] = [
  ["a weak tag", { etag: 'W/"1"' }, { etag: 'W/"1"' }, true],
  ["no tag", {}, {}, true],
  ["another tag", { etag: '"1"' }, { etag: '"2"' }, true],
  ["a tag without quotes", { etag: "1" }, { etag: "1" }, true],
  ["another coding", { etag: '"1"', "content-encoding": "x-own" }, { etag: '"1"' }, true],
  ["a strong tag", { etag: '"1"' }, { etag: '"1"' }, false],
];

for (const [what, before, after, isCopied] of VALIDATORS) {
  Deno.test(`a response with ${what} ${isCopied ? "is copied again" : "is not copied again"}`, async () => {
    const site = await keeping(before as Record<string, string>, 60);
    site.answer = page(after, "newer");

    await site.read();

    assertEquals(await site.kept(), isCopied ? "newer" : "good");
  });
}

Deno.test("H4: a freshened response that was decoded stays decoded", async () => {
  const fields = { etag: '"1"', "content-encoding": "gzip" };
  const site = await keeping(fields, 60);
  await site.read();
  site.fail();

  const { headers } = await site.get();

  assertEquals([headers.get("content-encoding"), headers.get("etag")], [null, 'W/"1"']);
});

Deno.test("S15: fields that have grown too large are not taken over", async () => {
  const site = await keeping({ etag: '"1"' }, 60);
  site.answer = page({ etag: '"1"', "x-long": "x".repeat(17_000) });

  await site.read();

  assertEquals(site.notKept, ["headers-too-large"]);
});

Deno.test("K2: a freshened response is kept under its new Vary, beside the older one", async () => {
  const site = await keeping({ etag: '"1"', "x-own": "old" }, 60);
  site.answer = page({ etag: '"1"', "x-own": "new", vary: "x-a" });
  await site.read({ headers: { "x-a": "1" } });
  site.fail();

  const [one, other] = await Promise.all(
    ["1", "2"].map((value) => site.get({ headers: { "x-a": value } })),
  );

  assertEquals([one!.headers.get("x-own"), one!.headers.get("age")], ["new", "0"]);
  assertEquals([other!.headers.get("x-own"), other!.headers.get("age")], ["old", "60"]);
});

const own = ({ headers }: Response) =>
  ["age", "x-own", "cache-control"].map((name) => headers.get(name));

/** Entity tag, how much later it comes again, in ms, refreshMs, and whether the copy is freshened. */
const AGAIN: readonly (readonly [string, number, number, boolean])[] = [
  ['"1"', 999, 60_000, false],
  ['"1"', 1_000, 60_000, true],
  ['"1"', 1_000, 1_000, true],
  ['"1"', 99, 100, false],
  ['"1"', 100, 100, true],
  ['"1"', 0, 0, true],
  ['"1"', -999, 60_000, false],
  ['"1"', -1_000, 60_000, true],
  ['W/"1"', 59_999, 60_000, false],
];

for (const [etag, laterMs, refreshMs, isFreshened] of AGAIN) {
  for (const options of [{}, { onEvent: undefined as never }]) {
    const how = `${laterMs} ms later, refreshMs ${refreshMs}, ${Object.keys(options)}`;
    Deno.test(`H10: ${etag} again ${isFreshened ? "freshens fields and times together" : "leaves the copy"}: ${how}`, async () => {
      const before = { etag, "x-own": "old", "cache-control": "max-age=900" };
      const site = await keeping(before, laterMs / 1_000, { ...options, lastGood: { refreshMs } });
      site.answer = page({ etag, "x-own": "new", "cache-control": "max-age=9" }, "other");
      await site.read();
      site.clock.tick(60_000);
      site.fail();

      const response = await site.get();

      const age = String(Math.floor((60_000 + laterMs) / 1_000));
      const expected = isFreshened ? ["60", "new", "max-age=9"] : [age, "old", "max-age=900"];
      assertEquals([await response.text(), ...own(response)], ["good", ...expected]);
    });
  }
}

Deno.test("H10: a softly forgotten copy is freshened by the next answer with its tag", async () => {
  const site = await keeping({ etag: '"1"', "x-own": "old" }, 0);
  site.api.forget(PAGE, { soft: true });
  site.answer = page({ etag: '"1"', "x-own": "new" });

  await site.read();

  site.fail();
  assertEquals(own(await site.get())[1], "new");
});

Deno.test("refreshMs: a softly forgotten copy is replaced by the next answer", async () => {
  const site = await keeping({}, 0);
  site.api.forget(PAGE, { soft: true });
  site.answer = page({}, "newer");

  await site.read();

  assertEquals(await site.kept(), "newer");
});

Deno.test("the same entity tag under another status is another answer", async () => {
  const site = await keeping({ etag: '"1"' }, 60, { lastGood: { statuses: [200, 404] } });
  site.answer = page({ etag: '"1"' }, "none", 404);

  await site.read();

  assertEquals(await site.kept(), "none");
});

Deno.test("refreshMs: the same entity tag in another coding is not copied again within it", async () => {
  const fields = { etag: '"1"', "content-encoding": "x-own" };
  const site = await keeping(fields, 30, { lastGood: { refreshMs: 60_000 } });
  site.answer = page({ etag: '"1"' }, "newer");

  await site.read();

  assertEquals([kept(site), await site.kept()], [1, "good"]);
});

Deno.test("S15: a copy whose key would grow too large stays as it was", async () => {
  const site = await keeping({ etag: '"1"', "x-own": "old" }, 60);
  site.answer = page({ etag: '"1"', "x-own": "new", vary: "x-a" });

  await site.read({ headers: { "x-a": "x".repeat(8_192) } });

  assertEquals(site.notKept, ["key-too-large"]);
  site.fail();
  assertEquals(own(await site.get()).slice(0, 2), ["60", "old"]);
});

Deno.test("S15: a copy whose fields would grow too large stays as it was", async () => {
  const site = await keeping({ etag: '"1"', "x-own": "old" }, 60);
  site.answer = page({ etag: '"1"', "x-own": "new", "x-long": "x".repeat(17_000) });

  await site.read();

  site.fail();
  assertEquals(own(await site.get()).slice(0, 2), ["60", "old"]);
});

Deno.test("keep: an answer that would freshen the copy is asked about, with the kept body", async () => {
  const seen: string[] = [];
  const site = await keeping({ etag: '"1"', "x-own": "old" }, 60, {
    lastGood: {
      keep: (_, { headers }, body) => {
        seen.push(`${headers.get("x-own")} ${new TextDecoder().decode(body)}`);
        return headers.get("x-own") === "old";
      },
    },
  });
  site.answer = page({ etag: '"1"', "x-own": "new" });

  await site.read();

  assertEquals(seen, ["old good", "new good"]);
  assertEquals(site.notKept, ["veto"]);
  site.fail();
  assertEquals(own(await site.get()).slice(0, 2), ["60", "old"]);
});
