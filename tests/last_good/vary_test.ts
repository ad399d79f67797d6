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
