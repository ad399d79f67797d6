import { assertEquals } from "@std/assert";
import { Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

/** A Vary, the fields of two requests, and whether they match. */
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
  Deno.test(`K2: with Vary: ${vary}, ${names} ${matches ? "match" : "differ"}`, async () => {
    const site = new Site();
    site.answer = page({ vary });
    await site.read({ headers: one });

    const kept = await site.kept({ headers: other });

    assertEquals(kept, matches ? "good" : undefined);
  });
}

Deno.test("K2: Vary is read from all its lines", async () => {
  const site = new Site();
  site.answer = page([["vary", "accept"], ["vary", "x-a"]]);
  await site.read({ headers: { "x-a": "1" } });

  assertEquals(await site.kept({ headers: { "x-a": "2" } }), undefined);
});

Deno.test("K2: at most maxVariants are kept, and the least recently used goes first", async () => {
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

Deno.test("K2: if two responses match, the most recent is served", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  site.answer = page({ vary: "x-a" }, "varied");
  await site.read({ headers: { "x-a": "1" } });
  site.answer = page({}, "plain");
  await site.read({ headers: { "x-a": "2" } });

  assertEquals(await site.kept({ headers: { "x-a": "1" } }), "plain");
});

Deno.test("K2: an answer that varies leaves the older one to all requests it does not fit", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  site.answer = page({}, "plain");
  await site.read();
  site.answer = page({ vary: "x-a" }, "varied");
  const varied = { headers: { "x-a": "1" } };

  await site.read(varied);

  assertEquals([await site.kept(varied), await site.kept()], ["varied", "plain"]);
});

Deno.test("K2: an answer that does not vary takes the place of the one that did", async () => {
  const site = new Site({ lastGood: { refreshMs: 0, maxVariants: 1 } });
  site.answer = page({ vary: "x-a" }, "varied");
  await site.read();
  site.answer = page({}, "plain");

  await site.read();

  assertEquals([await site.kept(), await site.kept({ headers: { "x-a": "1" } })], [
    "plain",
    "plain",
  ]);
});

for (const way of ["fetch", "wrap", "hono"] as const) {
  for (const origin of ["https://a.test", "null"]) {
    Deno.test(`S10: ${way}: what is allowed to the origin ${origin} is kept for it alone, and evicts nothing`, async () => {
      const site = new Site({ lastGood: { refreshMs: 0 } }, way);
      site.answer = ({ headers }) => {
        const asked = headers.get("origin");
        return asked === null
          ? page({}, "for all")()
          : page({ "access-control-allow-origin": asked }, `for ${asked}`)();
      };
      const asking = { headers: { origin } };
      const other = { headers: { origin: "https://b.test" } };
      await site.read();

      await site.read(asking);

      assertEquals(await site.kept(asking), `for ${origin}`);
      assertEquals([await site.kept(), await site.kept(other)], ["for all", "for all"]);
    });
  }
}

Deno.test("S10: a page that is allowed to all origins does not vary", async () => {
  const site = new Site();
  site.answer = page({ "access-control-allow-origin": " * " });
  await site.read({ headers: { origin: "https://a.test" } });

  assertEquals(await site.kept({ headers: { origin: "https://b.test" } }), "good");
});

Deno.test("K2, S10: Vary still counts where one origin is allowed", async () => {
  const site = new Site();
  const asking = (origin: string, value: string) => ({ headers: { origin, "x-a": value } });
  site.answer = page({ "access-control-allow-origin": "https://a.test", vary: "x-a" });
  await site.read(asking("https://a.test", "1"));

  const kept = [];
  for (const [origin, value] of [["a", "1"], ["a", "2"], ["b", "1"]] as const) {
    kept.push(await site.kept(asking(`https://${origin}.test`, value)));
  }

  assertEquals(kept, ["good", undefined, undefined]);
});

Deno.test("S10: the same entity tag freshens the page for its own origin alone", async () => {
  const site = new Site();
  site.answer = page({ etag: '"1"' });
  await site.read();
  site.clock.tick(60_000);
  site.answer = page({ etag: '"1"', "access-control-allow-origin": "https://a.test" });
  await site.read({ headers: { origin: "https://a.test" } });
  site.fail();

  const response = await site.get({ headers: { origin: "https://b.test" } });

  assertEquals([await response.text(), response.headers.get("access-control-allow-origin")], [
    "good",
    null,
  ]);
});

Deno.test("K2: a request counts as it was sent, whatever the app does to it later", async () => {
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
