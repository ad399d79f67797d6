/** K5: each way of asking has a memory of its own within the shared budget. */

import { assertEquals } from "@std/assert";
import { type Breaker, breaker, type BreakerOptions } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";

const PAGE = "https://v.test/page";

/** One way of asking for the page, with what it makes of it. */
type Ask = (init?: RequestInit) => Response | Promise<Response>;

/** All ways through one breaker to the same URL; each answers with its name, or fails. */
function waysOf(api: Breaker, isDown: () => boolean): Readonly<Record<string, Ask>> {
  const answer = (name: string) =>
    isDown() ? new Response("down", { status: 503 }) : new Response(name);
  const wrapped = (name: string): Ask => {
    const handler = api.wrap((_: Request) => answer(name));
    return (init) => handler(new Request(PAGE, init));
  };
  const responded = (name: string, key: string | undefined): Ask => (init) =>
    api.respond(new Request(PAGE, init), () => answer(name), { key });
  const chained = (name: string): Ask => {
    const app = new Hono().use(middleware(api)).all("*", () => answer(name));
    return async (init) => await app.request(PAGE, init);
  };
  return {
    fetch: (init) => api.fetch(PAGE, init),
    "one handler": wrapped("one handler"),
    "another handler": wrapped("another handler"),
    respond: responded("respond", undefined),
    "respond, no text for a key": responded("respond, no text for a key", ""),
    "respond, one key": responded("respond, one key", "one"),
    "respond, another key": responded("respond, another key", "another"),
    "respond, a key like another memory": responded("respond, a key like another memory", "fetch"),
    "respond, a key like a handler": responded("respond, a key like a handler", "wrap 1"),
    "one middleware": chained("one middleware"),
    "another middleware": chained("another middleware"),
  };
}

function stage(options: BreakerOptions = {}) {
  let isDown = false;
  const api = breaker({
    threshold: 1_000,
    lastGood: { refreshMs: 0, maxVariants: 20 },
    fetch: () =>
      Promise.resolve(isDown ? new Response("down", { status: 503 }) : new Response("fetch")),
    ...options,
  });
  const ways = waysOf(api, () => isDown);
  const read = async (name: string, init?: RequestInit) => await (await ways[name]!(init)).text();
  return {
    api,
    names: Object.keys(ways),
    read,
    /** What each way serves while all upstreams fail. */
    async kept(): Promise<Record<string, string>> {
      isDown = true;
      const texts: Record<string, string> = {};
      for (const name of Object.keys(ways)) texts[name] = await read(name);
      isDown = false;
      return texts;
    },
  };
}

/** With one circuit for all, and with those of each. */
const CIRCUITS: Readonly<Record<string, BreakerOptions>> = {
  "circuits of their own": {},
  "one circuit by the option key": { key: () => "all" },
};

for (const [what, options] of Object.entries(CIRCUITS)) {
  Deno.test(`K5: with ${what}, each way of asking keeps its own page of one URL`, async () => {
    const { names, read, kept } = stage(options);

    for (const name of names) await read(name);

    assertEquals(await kept(), Object.fromEntries(names.map((name) => [name, name])));
  });

  Deno.test(`K5: with ${what}, a page that one way has kept is served by no other`, async () => {
    for (const one of stage(options).names) {
      const { names, read, kept } = stage(options);

      await read(one);

      const expected = names.map((name) => [name, name === one ? one : "down"]);
      assertEquals(await kept(), Object.fromEntries(expected));
    }
  });
}

Deno.test("K5, S19: an unsafe method by any way removes the page from all memories", async () => {
  for (const one of stage().names) {
    const { names, read, kept } = stage();
    for (const name of names) await read(name);

    await read(one, { method: "POST" });

    assertEquals(await kept(), Object.fromEntries(names.map((name) => [name, "down"])));
  }
});

Deno.test("K5: forget removes the page from all memories", async () => {
  const { api, names, read, kept } = stage();
  for (const name of names) await read(name);

  api.forget(PAGE);

  assertEquals(await kept(), Object.fromEntries(names.map((name) => [name, "down"])));
});

Deno.test("K5: two handlers, two keys of respond, and a handler around api.fetch of its own URL", async () => {
  let isDown = false;
  const upstream = () =>
    isDown ? new Response("down", { status: 503 }) : Response.json({ price: 9, cost: 2 });
  const api = breaker({ threshold: 1_000, fetch: () => Promise.resolve(upstream()) });
  const priceOf = async () => {
    const response = await api.fetch(PAGE);
    // The last good answer of the upstream would be enough, so let this one fail by itself.
    if (isDown) return new Response("down", { status: 503 });
    return new Response(`costs ${(await response.json()).price}`);
  };
  const handler = api.wrap(priceOf);
  const asks: readonly Ask[] = [
    () => handler(new Request(PAGE)),
    () => api.respond(new Request(PAGE), () => handler(new Request(PAGE)), { key: "outer" }),
    () =>
      api.respond(new Request(PAGE), () => isDown ? upstream() : new Response("b"), { key: "b" }),
    () => api.wrap(upstream)(new Request(PAGE)),
  ];
  for (const ask of asks) await (await ask()).text();
  isDown = true;

  const texts: string[] = [];
  for (const ask of asks) texts.push(await (await ask()).text());

  assertEquals(texts, ["costs 9", "costs 9", "b", "down"]);
  assertEquals(await (await api.fetch(PAGE)).text(), '{"price":9,"cost":2}');
});
