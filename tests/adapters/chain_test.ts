import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { cache } from "hono/cache";
import { etag } from "hono/etag";
import { timeout } from "hono/timeout";
import { down, Edge, orders } from "../stage/hono_stage.ts";

for (const [order, chain] of orders(() => etag())) {
  Deno.test(`F5: etag ${order}: a client that has the last good response gets a 304`, async () => {
    const edge = new Edge(chain);
    const good = await edge.get();
    assertEquals(await good.text(), "good");
    const tag = good.headers.get("etag");
    assertNotEquals(tag, null);
    edge.fail();

    const same = await edge.get({ headers: { "if-none-match": tag! } });
    const whole = await edge.get();

    assertEquals([same.status, await same.text()], [304, ""]);
    assertEquals(same.headers.get("etag"), tag);
    assertEquals([whole.status, await whole.text()], [200, "good"]);
    assertEquals(whole.headers.get("etag"), tag);
  });

  Deno.test(`S17: etag ${order}: a 304 to one client does not drop the kept page`, async () => {
    const edge = new Edge(chain);
    const good = await edge.get();
    await good.text();
    const same = await edge.get({ headers: { "if-none-match": good.headers.get("etag")! } });
    await same.text();
    edge.fail();

    assertEquals(same.status, 304);
    assertEquals(await edge.read(), "good");
  });
}

/** The minimum of `caches` that Hono's middleware needs. */
async function withCaches(run: (stored: Map<string, Response>) => Promise<void>): Promise<void> {
  const stored = new Map<string, Response>();
  const open = () =>
    Promise.resolve({
      match: (key: string) => Promise.resolve(stored.get(key)?.clone()),
      put: (key: string, response: Response) => Promise.resolve(void stored.set(key, response)),
    });
  const before = Object.getOwnPropertyDescriptor(globalThis, "caches");
  Object.defineProperty(globalThis, "caches", { value: { open }, configurable: true });
  try {
    await run(stored);
  } finally {
    if (before) Object.defineProperty(globalThis, "caches", before);
    else delete (globalThis as { caches?: unknown }).caches;
  }
}

for (const place of ["outer", "inner"] as const) {
  Deno.test(`1: an ${place} cache answers without the handler`, async () => {
    await withCaches(async (stored) => {
      const edge = new Edge({ [place]: [cache({ cacheName: "edge", wait: true })] });

      const texts = [await edge.read(), await edge.read()];

      assertEquals(texts, ["good", "good"]);
      assertEquals([edge.calls, stored.size], [1, 1]);
    });
  });

  Deno.test(`23: an ${place} cache stores no answer from a failing handler`, async () => {
    await withCaches(async (stored) => {
      const edge = new Edge({ [place]: [cache({ cacheName: "edge", wait: true })] });
      edge.fail();

      assertEquals(await edge.read(), "down");
      assertEquals(stored.size, 0);
    });
  });
}

Deno.test("H6: timeout inside: an answer that takes too long is a failure, and is replaced", async () => {
  using time = new FakeTime();
  const edge = new Edge({ inner: [timeout(100)] });
  const first = edge.read();
  await time.tickAsync(0);
  assertEquals(await first, "good");
  edge.fail(() => new Promise(() => {}));

  const pending = edge.read();
  await time.tickAsync(100);

  assertEquals(await pending, "good");
  assertEquals(edge.types.slice(1), ["failure", "stale"]);
});

Deno.test("1: timeout outside answers on its own while the breaker waits", async () => {
  using time = new FakeTime();
  const edge = new Edge({ outer: [timeout(100)] });
  const arrivals = edge.hold();

  const pending = edge.get();
  await time.tickAsync(100);
  const response = await pending;
  arrivals[0]!(new Response("late"));
  await time.tickAsync(0);

  assertEquals([response.status, await response.text()], [504, "Gateway Timeout"]);
});

Deno.test("H6: an outer middleware may replace the answer, whether stale or new", async () => {
  const edge = new Edge({
    outer: [async (c, next) => {
      await next();
      const text = await (c.res as Response).text();
      c.res = new Response(text.toUpperCase(), { headers: { "x-outer": "1" } });
    }],
  });
  const good = await edge.get();
  edge.fail();

  const stale = await edge.get();

  for (const response of [good, stale]) {
    assertEquals(response.headers.get("x-outer"), "1");
    assertEquals(await response.text(), "GOOD");
  }
  assert(stale.headers.has("age"));
});

Deno.test("21: an answer that an outer middleware drops unread is still kept", async () => {
  const edge = new Edge({
    outer: [async (c, next) => {
      await next();
      if (c.req.header("x-drop")) {
        c.res = undefined;
        c.res = new Response("other");
      }
    }],
  });
  assertEquals(await edge.read({ headers: { "x-drop": "1" } }), "other");
  edge.fail();

  assertEquals(await edge.read(), "good");
});

Deno.test("H6: an outer middleware may set fields on a stale answer", async () => {
  const edge = new Edge({
    outer: [async (c, next) => {
      await next();
      c.header("x-outer", "1");
      (c.res as Response).headers.set("x-res", "1");
    }],
  });
  await edge.read();
  edge.fail();

  for (let call = 0; call < 2; call++) {
    const response = await edge.get();

    assertEquals(await response.text(), "good");
    assertEquals([response.headers.get("x-outer"), response.headers.get("x-res")], ["1", "1"]);
  }
});

Deno.test("H5: a stale answer carries nothing of the failed one, however its fields were set", async () => {
  const edge = new Edge({
    inner: [async (c, next) => {
      c.header("x-inner-before", c.req.header("x-turn") ?? "");
      await next();
      c.header("x-inner-after", c.req.header("x-turn") ?? "");
    }],
  });
  await edge.read();
  edge.fail((c) => {
    c.header("set-cookie", "failed=1");
    c.header("etag", '"failed"');
    c.header("cache-control", "no-store");
    return down(c);
  });

  const response = await edge.get({ headers: { "x-turn": "failed" } });

  assertEquals(await response.text(), "good");
  assertEquals(Object.keys(Object.fromEntries(response.headers)).sort(), [
    "age",
    "cache-status",
    "content-length",
    "content-type",
    "date",
    "x-inner-after",
    "x-inner-before",
  ]);
  assertEquals(response.headers.get("x-inner-before"), "");
  assertEquals(response.headers.get("x-inner-after"), "");
});

Deno.test("H6: an outer middleware sees both the stale answer and the error it replaced", async () => {
  const seen: unknown[] = [];
  const edge = new Edge({
    outer: [async (c, next) => {
      await next();
      seen.push((c.res as Response).status, c.error?.message);
    }],
  });
  await edge.read();
  edge.fail(() => {
    throw new Error("for the log");
  });

  assertEquals(await edge.read(), "good");
  assertEquals(seen, [200, undefined, 200, "for the log"]);
});

Deno.test("23: an outer middleware that answers on its own never reaches the breaker", async () => {
  const edge = new Edge({ outer: [(c) => Promise.resolve(c.text("wall", 500))] }, { threshold: 1 });

  assertEquals([await edge.read(), await edge.read()], ["wall", "wall"]);
  assertEquals(edge.types, []);
});

Deno.test("30: a chain that ends without an answer is a failure and is not kept", async () => {
  let isBroken = false;
  const edge = new Edge({
    inner: [async (_, next) => isBroken ? undefined : await next()],
  });
  isBroken = true;
  const broken = await edge.get();
  isBroken = false;
  await edge.read();
  isBroken = true;

  assertEquals([broken.status, await broken.text()], [500, "Internal Server Error"]);
  assertEquals(await edge.read(), "good");
  assertEquals(edge.types, ["failure", "success", "failure", "stale"]);
});
