import { breaker } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { assert, assertEquals } from "@std/assert";
import { Hono } from "hono";
import { MemoryBudget } from "../../src/last_good/budget.ts";
import { Copies } from "../../src/last_good/copies.ts";
import { faucet, pieces, spring } from "../stage/bodies.ts";
import { stage } from "../stage/breaker_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { asWorkers } from "../stage/hosting.ts";
import { budgetOf, holdIn, NO_NEED } from "../stage/holds.ts";
import { settled } from "../stage/settle.ts";
import { ORIGIN, Site } from "../stage/site.ts";
import { keyOf } from "../stage/stored.ts";
import { madeBy, page } from "../stage/upstream.ts";
import type { Way } from "../stage/ways.ts";

// ---- One copy at a time for each place ----

for (const way of ["fetch", "wrap", "hono"] as const satisfies readonly Way[]) {
  Deno.test(`N3: while one answer is copied, others for its place pass uncopied, by ${way}`, async () => {
    const site = new Site({ lastGood: { refreshMs: 0 } }, way);
    const flow = faucet();
    site.answer = page({}, flow.body);
    const first = await site.get();
    flow.drip("first");
    site.answer = page({}, "second");

    assertEquals(await site.read(), "second");
    assertEquals(site.notKept, ["under-way"]);

    flow.close();
    assertEquals(await first.text(), "first");
    assertEquals(await site.read(), "second");
    assertEquals(await site.kept(), "second");
  });
}

Deno.test("20, N3: an answer that passes uncopied is the very object, and counts at its head", async () => {
  const [flow, other] = [faucet(), faucet()];
  const answers = [new Response(flow.body), new Response(other.body)];
  const act = stage([...answers.map((answer) => () => answer)]);
  const first = await act.ask();

  assert(await act.ask() === answers[1]);

  assertEquals(act.types, ["success", "not_kept"]);
  await first.body!.cancel();
  await other.body.cancel();
});

Deno.test("N3: answers for other URLs are copied at the same time", async () => {
  const site = new Site();
  const flow = faucet();
  site.answer = page({}, flow.body);
  const first = await site.get();
  site.answer = page();

  await site.read({}, `${ORIGIN}/other`);

  assertEquals(site.notKept, []);
  await first.body!.cancel();
});

Deno.test("N3, K4: answers of other partitions are copied at the same time", async () => {
  const whose = (request: Request) => request.headers.get("x-user") ?? undefined;
  const site = new Site({ lastGood: { partition: whose } });
  const flow = faucet();
  site.answer = page({}, flow.body);
  const first = await site.get({ headers: { "x-user": "ann" } });
  site.answer = page();

  await site.read({ headers: { "x-user": "bob" } });
  await site.read();

  assertEquals(site.notKept, []);
  await first.body!.cancel();
});

Deno.test("N3: a copy that has ended, in whichever way, makes room for the next", async () => {
  const site = new Site({ lastGood: { refreshMs: 0, maxBodyBytes: 6 } });
  const ends = [
    pieces("go", new Error("cut")),
    pieces("too", "large"),
    page({ "content-length": "9" })().body,
  ];
  for (const [n, body] of ends.entries()) {
    site.answer = page(n === 2 ? { "content-length": "9" } : {}, body);
    await site.read().catch(() => {});
  }
  site.answer = page({}, faucet().body);
  await (await site.get()).body!.cancel();
  site.answer = page();

  await site.read();

  assertEquals(site.notKept, ["broken", "too-large", "too-large", "cancelled"]);
  assertEquals(await site.kept(), "good");
});

Deno.test("N3: a copy that cannot begin leaves its place", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } }, "wrap");
  const unreadable = new ReadableStream();
  unreadable.getReader = () => {
    throw new TypeError("unreadable");
  };
  site.answer = () => madeBy({ body: unreadable }, new Response());
  await site.get();
  site.answer = page();

  await site.read();

  assertEquals(site.notKept, []);
  assertEquals(await site.kept(), "good");
});

for (const [maxBodyMs, leaseMs] of [[5_000, 5_000], [Infinity, 30_000]] as const) {
  Deno.test(`N3: a copy that vanishes holds its place for ${leaseMs} ms`, () => {
    const copies = new Copies(budgetOf(), maxBodyMs);
    copies.begin(keyOf("/"), 1_000, 0, NO_NEED);

    assert(copies.isUnderWay(keyOf("/"), 1_000 + leaseMs - 1));
    assert(!copies.isUnderWay(keyOf("/"), 1_000 + leaseMs));
  });
}

Deno.test("12, N3: a clock that steps back gives a copy one more lease, not more", () => {
  const copies = new Copies(budgetOf(), 5_000);
  copies.begin(keyOf("/"), 1_000_000, 0, NO_NEED);

  assert(copies.isUnderWay(keyOf("/"), 10_000));
  assert(!copies.isUnderWay(keyOf("/"), 15_000));
});

Deno.test("N3, K5: of the copies under way for one URL, each holds its own place until it ends", () => {
  const copies = new Copies(budgetOf(), 5_000);
  const keys = ["fetch", "wrap 1", "wrap 2"].map((place) => keyOf("/", "", place));
  const holds = keys.map((key) => copies.begin(key, 0, 0, NO_NEED)!);

  assertEquals(keys.map((key) => copies.isUnderWay(key, 0)), [true, true, true]);
  holds[1]!.endCopy();
  assertEquals(keys.map((key) => copies.isUnderWay(key, 0)), [true, false, true]);
});

Deno.test("N3: on Workers what waits for a reader, or is copied, is let go when its lease is over", () => {
  using _workers = asWorkers();
  const budget = budgetOf();
  const copies = new Copies(budget, 5_000);
  const [copying, waiting, kept] = ["/copying", "/waiting", "/kept"].map((url) =>
    copies.begin(keyOf(url), 0, 0, NO_NEED)!
  );
  copying!.take(10);
  for (const [hold, isKept] of [[waiting!, false], [kept!, true]] as const) {
    hold.take(10);
    hold.endCopy();
    hold.wait(10, isKept);
  }
  // What is kept counts by itself.
  assertEquals(budget.bytes, 20);

  copies.isUnderWay(keyOf("/"), 4_999);
  assertEquals(budget.bytes, 20);

  copies.isUnderWay(keyOf("/"), 5_000);
  assertEquals([budget.bytes, kept!.isOver], [0, true]);
});

// ---- What is held ----

/** A body of 1,000 bytes that needs some time, so that it is not passed on in one piece. */
const streamed = () => page({}, spring(20, 50).body);

/** Waits for the copy, and returns its bytes without the overhead of an entry. */
async function heldBy(site: Site): Promise<number> {
  await settled();
  return site.api.kept.bytes;
}

Deno.test("N3: what is being copied counts as it grows", async () => {
  const site = new Site();
  const flow = faucet();
  site.answer = page({}, flow.body);
  const response = await site.get();
  const seen = [await heldBy(site)];
  for (const text of ["1234", "5678"]) {
    flow.drip(text);
    seen.push(await heldBy(site));
  }

  assertEquals(seen, [0, 4, 8]);

  await response.body!.cancel();
  assertEquals(await heldBy(site), 0);
});

Deno.test("N3: if there is no room for a copy, its reader goes on, and nothing is lost", async () => {
  const site = new Site({ lastGood: { maxBytes: 6_000, refreshMs: 0 } });
  // What was asked for twice does not go for what is asked for once (N4).
  for (let n = 0; n < 2; n++) await site.read({}, `${ORIGIN}/kept`);
  const flow = faucet();
  site.answer = page({}, flow.body);
  const hog = await site.get({}, `${ORIGIN}/hog`);
  flow.drip("x".repeat(2_000));
  await settled();
  site.answer = page({}, spring(40, 50).body);

  const text = await site.read();

  assertEquals(text, "a".repeat(2_000));
  assertEquals(site.notKept, ["no-room"]);
  await hog.body!.cancel();
  assertEquals(await site.kept({}, `${ORIGIN}/kept`), "good");
});

Deno.test("N3: an answer whose length has no room passes as the very object", async () => {
  const flow = faucet();
  const large = page({ "content-length": "3000" }, "x".repeat(3_000))();
  const site = new Site({ lastGood: { maxBytes: 6_000 } }, "wrap");
  site.answer = page({}, flow.body);
  const hog = await site.get({}, `${ORIGIN}/hog`);
  flow.drip("x".repeat(2_000));
  await settled();
  site.answer = () => large;

  assert(await site.get() === large);

  assertEquals(site.notKept, ["no-room"]);
  await hog.body!.cancel();
  await large.body!.cancel();
});

Deno.test("N3: what a reader has still to get of a kept body is not counted twice", async () => {
  const site = new Site();
  site.answer = streamed();
  const unread = await site.get();
  const withReader = await heldBy(site);

  await unread.body!.cancel();

  assertEquals(await heldBy(site), withReader);
  assertEquals(site.api.kept.entries, 1);
});

Deno.test("N3: it counts once the body is no longer kept, until the reader has it", async () => {
  const site = new Site();
  site.answer = streamed();
  const unread = await site.get();
  await settled();

  site.api.forget();
  assertEquals(site.api.kept, { entries: 0, bytes: 1_000 });

  const reader = unread.body!.getReader();
  await reader.read();
  assertEquals(site.api.kept.bytes, 950);
  while (!(await reader.read()).done);
  assertEquals(site.api.kept.bytes, 0);
});

Deno.test("N3: bytes that only a reader holds make no room, and those of both do not count as room", () => {
  const budget = new MemoryBudget(100, { evictableBytes: () => 60, evict: () => {} });
  budget.reserve(60, false);
  const hold = holdIn(budget);
  hold.take(10);
  hold.endCopy();
  hold.wait(10, true);
  const seen = [budget.hasRoom(90, false), budget.hasRoom(91, false)];
  budget.release(60 - hold.inherit());

  assertEquals(seen, [true, false]);
  assertEquals([budget.bytes, budget.hasRoom(150, false)], [10, true]);
});

Deno.test("N3: a reader who is gone before the copy has ended waits for nothing", () => {
  const budget = budgetOf();
  const hold = holdIn(budget);
  hold.take(10);
  hold.leave();
  hold.endCopy();

  hold.wait(10, false);

  assertEquals([budget.bytes, hold.isOver], [0, true]);
});

Deno.test("N3: a reader who cancels lets go of what waits for it", async () => {
  const site = new Site();
  site.answer = streamed();
  const unread = await site.get();
  await settled();
  site.api.forget();

  await unread.body!.cancel();

  assertEquals(site.api.kept.bytes, 0);
});

Deno.test("N3: what waits for a reader of a copy that came too late counts, too", async () => {
  const site = new Site();
  const flow = faucet();
  site.answer = page({}, flow.body);
  const late = await site.get();
  flow.drip("1234");
  await settled();
  site.api.forget();
  flow.close();
  await settled();

  const { bytes } = site.api.kept;

  assertEquals([bytes, site.notKept], [4, ["superseded"]]);
  assertEquals([await late.text(), site.api.kept.bytes], ["1234", 0]);
});

Deno.test("N3: a body that waits for its reader counts until the chain has let it be kept", async () => {
  const api = breaker({ timeoutMs: Infinity });
  const app = new Hono();
  const gate = deferred<void>();
  app.use(async (_, next) => {
    await next();
    await gate.promise;
  });
  app.use(middleware(api));
  app.get("*", () => new Response(spring(20, 50).body));
  const asked = app.request(ORIGIN);
  await settled();

  assertEquals(api.kept, { entries: 0, bytes: 1_000 });

  gate.resolve();
  await (await asked).text();
  await settled();
  assertEquals(api.kept.entries, 1);
});

Deno.test("N3: what waits for a reader after a copy was given up counts, too", async () => {
  const site = new Site({ lastGood: { maxBodyBytes: 920 } });
  site.answer = streamed();
  const unread = await site.get();

  assertEquals(await heldBy(site), 900);

  assertEquals((await unread.text()).length, 1_000);
  assertEquals(site.api.kept.bytes, 0);
});

Deno.test("N3: unread answers never take more than maxBytes, and the later ones pass uncopied", async () => {
  const maxBytes = 10_000;
  const site = new Site({ lastGood: { maxBytes, refreshMs: 0 } });
  site.answer = streamed();
  const unread: Response[] = [];
  let most = 0;
  for (let n = 0; n < 30; n++) {
    site.answer = streamed();
    unread.push(await site.get());
    most = Math.max(most, await heldBy(site));
  }

  assert(most <= maxBytes, `${most} bytes are held`);
  assert(site.notKept.includes("no-room"));
  for (const response of unread) assertEquals((await response.text()).length, 1_000);
  await settled();
  assertEquals(site.api.kept.entries, 1);
  assert(site.api.kept.bytes < 3_000, "only what is kept counts in the end");
});

Deno.test("N3: a body is read as it came, however much of it was copied before", async () => {
  for (const readFirst of [0, 1, 3, 20]) {
    const site = new Site();
    const flow = faucet();
    site.answer = page({ "content-type": "text/plain" }, flow.body);
    const reader = (await site.get()).body!.getReader();
    const read: string[] = [];
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    for (let n = 0; n < 20; n++) {
      flow.drip(`chunk ${n} `);
      if (n % 2 === 0) await settled();
      if (n < readFirst) read.push(await next());
    }
    flow.close();
    await settled();
    while (read.length < 20) read.push(await next());

    assertEquals(read, Array.from({ length: 20 }, (_, n) => `chunk ${n} `));
    assertEquals((await reader.read()).done, true);
    assertEquals(await site.kept(), read.join(""));
  }
});

Deno.test("N3: an app that fills one buffer again and again spoils no copy", async () => {
  const site = new Site({}, "wrap");
  const buffer = new Uint8Array(4);
  let n = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (n === 8) return controller.close();
      controller.enqueue(buffer.fill(97 + n++));
    },
  }, { highWaterMark: 0 });
  site.answer = page({}, body);

  await site.read();

  assertEquals(await site.kept(), [..."abcdefgh"].map((letter) => letter.repeat(4)).join(""));
});

Deno.test("N3: a reader may change or transfer each chunk, before and after the copy is whole", async () => {
  const site = new Site();
  const flow = faucet();
  site.answer = page({}, flow.body);
  const reader = (await site.get()).body!.getReader();
  const spoil = async () => {
    const { value } = await reader.read();
    value!.fill(0);
    structuredClone(value, { transfer: [value!.buffer] });
  };
  const reading = spoil();
  for (const text of ["awaited", "ahead", "rest", "end"]) flow.drip(text);
  await settled();
  await reading;
  await spoil();
  flow.close();
  await settled();
  for (let n = 0; n < 2; n++) await spoil();

  assertEquals(await site.kept(), "awaitedaheadrestend");
});
