/** Attacks by change: an app that changes its arguments or requests while a call is under way (N6). */

import { assertEquals } from "@std/assert";
import { breaker, type BreakerOptions } from "@lastgood/breaker";
import { Clock } from "../../stage/clock.ts";
import { down, page } from "../../stage/upstream.ts";
import { PAGE, Site } from "../../stage/site.ts";
import { handlerBy } from "../../stage/ways.ts";

/** What a request says at first, and how it is changed before the answer comes. */
const CHANGES: readonly (readonly [
  what: string,
  before: Record<string, string>,
  change: (headers: Headers) => void,
])[] = [
  ["Authorization is taken out", { authorization: "ann" }, (it) => it.delete("authorization")],
  ["a cookie is taken out", { cookie: "sid=ann" }, (it) => it.delete("cookie")],
  ["a key is taken out", { "x-api-key": "ann" }, (it) => it.delete("x-api-key")],
  [
    "an echoed host is taken out",
    { "x-forwarded-host": "evil" },
    (it) => it.delete("x-forwarded-host"),
  ],
  ["no-store is taken out", { "cache-control": "no-store" }, (it) => it.delete("cache-control")],
  ["Range is taken out", { range: "bytes=0-1" }, (it) => it.delete("range")],
  ["Upgrade is taken out", { upgrade: "h2c" }, (it) => it.delete("upgrade")],
];

for (const [what, before, change] of CHANGES) {
  Deno.test(`S8 to S11, K3, N6: fetch: what was asked counts, though ${what} right after the call`, async () => {
    const site = new Site();
    const arrivals = site.hold();
    const headers = new Headers(before);
    const call = site.read({ headers });
    change(headers);
    arrivals[0]!(new Response("ann's"));
    await call;

    assertEquals(await site.kept(), undefined);
  });

  for (const way of ["wrap", "respond", "hono"] as const) {
    Deno.test(`S8 to S11, K3, N6: ${way}: what was asked counts, though ${what} in the handler`, async () => {
      const api = breaker({ threshold: 100, timeoutMs: Infinity });
      let isDown = false;
      const handler = handlerBy(way, api, ({ headers }) => {
        try {
          change(headers);
        } catch {
          // Some hosts do not let a handler do that.
        }
        return isDown ? down()() : new Response("ann's");
      });
      await (await handler(new Request(PAGE, { headers: before }))).text();
      isDown = true;

      assertEquals(await (await handler(new Request(PAGE))).text(), "down");
    });
  }
}

Deno.test("K2, N6: fetch: a variant is what was asked for, though the fields change right after the call", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const headers = new Headers({ "x-a": "a" });
  const call = site.read({ headers });
  headers.set("x-a", "b");
  arrivals[0]!(page({ vary: "x-a" }, "a's")());
  await call;

  assertEquals(await site.kept({ headers: { "x-a": "b" } }), undefined);
  assertEquals(await site.kept({ headers: { "x-a": "a" } }), "a's");
});

Deno.test("K2, N6: wrap: a variant is what was asked for, though the handler changes the request", async () => {
  const api = breaker({ threshold: 100, timeoutMs: Infinity });
  let isDown = false;
  const handler = api.wrap(({ headers }: Request) => {
    const text = `${headers.get("x-a")}'s`;
    headers.set("x-a", "b");
    return isDown ? down()() : page({ vary: "x-a" }, text)();
  });
  const ask = async (value: string) =>
    await (await handler(new Request(PAGE, { headers: { "x-a": value } }))).text();
  await ask("a");
  isDown = true;

  assertEquals([await ask("a"), await ask("b")], ["a's", "down"]);
});

Deno.test("K6, N6: fetch: what it is told is what it was at the call", async () => {
  for (const partition of [undefined, () => Promise.resolve("one")]) {
    const site = new Site({ lastGood: { partition } });
    const arrivals = site.hold();
    const cf = { width: 1 };
    const call = site.read({ cf } as RequestInit);
    cf.width = 2;
    // Hashing a partition takes more than microtasks.
    while (arrivals.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    arrivals[0]!(new Response("one wide"));
    await call;

    assertEquals(await site.kept({ cf: { width: 2 } } as RequestInit), undefined);
    assertEquals(await site.kept({ cf: { width: 1 } } as RequestInit), "one wide");
  }
});

Deno.test("K4, N6: wrap: a partition is asked about what was asked, though the handler changes it", async () => {
  let isDown = false;
  const api = breaker({
    threshold: 100,
    timeoutMs: Infinity,
    lastGood: { partition: ({ headers }) => headers.get("x-shard") ?? undefined },
  });
  const handler = api.wrap(({ headers }: Request) => {
    headers.delete("x-shard");
    return isDown ? down()() : page({ "cache-control": "private" }, "ann's")();
  });
  const ask = async (headers: HeadersInit) =>
    await (await handler(new Request(PAGE, { headers }))).text();
  await ask({ "x-shard": "ann" });
  isDown = true;

  assertEquals([await ask({}), await ask({ "x-shard": "ann" })], ["down", "ann's"]);
});

/** A wrapped handler whose circuit is open: what it is asked next is a probe once the delay is over. */
function opened(handler: (request: Request) => Response, options: BreakerOptions = {}) {
  const clock = new Clock();
  const api = breaker({
    name: "app",
    delayMs: 1_000,
    timeoutMs: Infinity,
    now: clock.now,
    background: false,
    ...options,
  });
  const wrapped = api.wrap(handler);
  const circuit = api.circuit("app");
  circuit.trip();
  const ask = async (headers: HeadersInit = {}) =>
    await (await wrapped(new Request(PAGE, { headers }))).text();
  return { ask, circuit, clock };
}

Deno.test("S8b, N6: wrap: a probe is kept by what was asked, though its handler changes the request", async () => {
  const { ask, circuit, clock } = opened(({ headers }) => {
    const name = headers.get("x-user-id") ?? "nobody";
    headers.delete("x-user-id");
    return new Response(`${name}'s`);
  });
  clock.tick(1_000);
  const text = await ask({ "x-user-id": "ann" });
  circuit.trip();

  const after = await ask();

  assertEquals([text, after.includes("ann")], ["ann's", false]);
});

Deno.test("K2, N6: wrap: a probe's variant is what was asked for, though its handler changes the request", async () => {
  const { ask, circuit, clock } = opened(({ headers }) => {
    const text = `${headers.get("x-a")}'s`;
    headers.set("x-a", "b");
    return page({ vary: "x-a" }, text)();
  });
  clock.tick(1_000);
  await ask({ "x-a": "a" });
  circuit.trip();

  const texts = [await ask({ "x-a": "a" }), await ask({ "x-a": "b" })];

  assertEquals([texts[0], texts[1]!.includes("a's")], ["a's", false]);
});

Deno.test("K2, N6: wrap: a refused request gets the variant that it asked for, though a callback changes it", async () => {
  const { ask, circuit, clock } = opened(
    ({ headers }) => page({ vary: "x-a" }, `${headers.get("x-b")}'s`)(),
    {
      lastGood: {
        key: ({ url, headers }) => {
          headers.set("x-b", headers.get("x-a") ?? "");
          headers.set("x-a", "a");
          return url;
        },
      },
    },
  );
  clock.tick(1_000);
  await ask({ "x-a": "a" });
  circuit.trip();

  const texts = [await ask({ "x-a": "a" }), await ask({ "x-a": "b" })];

  assertEquals([texts[0], texts[1]!.includes("a's")], ["a's", false]);
});
