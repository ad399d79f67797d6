import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { asFetched } from "../../src/last_good/fetched.ts";
import { stage } from "../stage/breaker_stage.ts";
import { faucet, pieces, spring } from "../stage/bodies.ts";
import { PAGE, Site } from "../stage/site.ts";
import { madeBy, page } from "../stage/upstream.ts";

const FINAL = "https://origin.test/final";

/** What is known about a response that was fetched, and about its clones. */
function known(response: Response): unknown[] {
  const clone = response.clone();
  const again = clone.clone();
  const about = [response, clone, again].map((
    { url, type, redirected },
  ) => [url, type, redirected]);
  for (const copy of [clone, again]) copy.body?.cancel();
  return about;
}

const fetched = (body: () => BodyInit) => () =>
  madeBy({ url: FINAL, type: "basic" }, new Response(body()));

const BODIES: Readonly<Record<string, () => BodyInit>> = {
  "in one piece": () => "good",
  "in a stream": () => pieces("go", "od"),
};

for (const [what, body] of Object.entries(BODIES)) {
  Deno.test(`34: url and type of a copied answer ${what} hold, and those of its clones`, async () => {
    const answer = await stage([fetched(body)]).ask();

    assertEquals(known(answer), Array(3).fill([FINAL, "basic", false]));
    assertEquals([answer instanceof Response, await answer.text()], [true, "good"]);
  });
}

Deno.test("34: a stale answer has the url and the type of the kept one, and so have its clones", async () => {
  const site = new Site();
  site.answer = fetched(() => "good");
  await site.read();
  site.fail();

  const answer = await site.get();

  assertEquals(known(answer), Array(3).fill([FINAL, "basic", false]));
  assertEquals(await answer.text(), "good");
});

Deno.test("34: a stale answer of a constructed one has the URL it was kept under", async () => {
  const site = new Site();
  await site.read();
  site.fail();

  const answer = await site.get({}, `${PAGE}#part`);

  assertEquals([answer.url, answer.type], [PAGE, "default"]);
});

Deno.test("34: a stale answer of a handler has no URL, as the handler's had none", async () => {
  const site = new Site({}, "wrap");
  await site.read();
  site.fail();

  const answer = await site.get();

  assertEquals([answer.url, answer.type, await answer.text()], ["", "default", "good"]);
});

Deno.test("34: what a 304 confirms keeps its url and type", async () => {
  const act = stage([
    () => madeBy({ url: FINAL, type: "basic" }, page({ etag: '"1"' })()),
    500,
    () => new Response(null, { status: 304, headers: { etag: '"1"' } }),
    500,
  ], { threshold: 1 });
  await act.text();
  await act.text();
  act.tick(1_000);
  await act.text();
  await act.api.idle();

  const answer = await act.ask();

  assertEquals([answer.url, answer.type], [FINAL, "basic"]);
});

Deno.test("34: a fetched response keeps the class that the server brought", () => {
  class Own extends Response {}

  const own = asFetched(new Own("good"), { url: FINAL, type: "basic" });

  assert(own instanceof Own);
  assertEquals([own.url, own.constructor], [FINAL, Own]);
});

Deno.test("34: nothing is added to a response that was not fetched", () => {
  const response = new Response("good");

  const same = asFetched(response, { url: "", type: "default" });

  assertStrictEquals(Object.getPrototypeOf(same), Response.prototype);
});

// ---- Readers who bring their own buffers ----

/** Reads a body by buffers of this size. */
async function readByBuffers(body: ReadableStream<Uint8Array> | null, size: number) {
  const reader = body!.getReader({ mode: "byob" });
  let text = "";
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(size));
    if (done) return text;
    text += new TextDecoder().decode(value);
  }
}

for (const [what, body] of Object.entries(BODIES)) {
  Deno.test(`34: a copied answer ${what} can be read into a reader's own buffers`, async () => {
    const answer = await stage([fetched(body)]).ask();

    assertEquals(await readByBuffers(answer.body, 3), "good");
    assert(answer.bodyUsed);
  });
}

Deno.test("34: a stale answer can be read into a reader's own buffers, its clone, too", async () => {
  const act = stage([fetched(() => "good"), 500]);
  await act.text();
  const answer = await act.ask();
  const clone = answer.clone();

  assertEquals(await readByBuffers(answer.body, 64), "good");
  assertEquals(await readByBuffers(clone.body, 1), "good");
});

Deno.test("34: a reader with buffers waits, gets errors and cancels as any other", async () => {
  const flow = faucet();
  const act = stage([fetched(() => flow.body), fetched(() => pieces("go", new Error("cut")))]);
  const reader = (await act.ask()).body!.getReader({ mode: "byob" });
  const read = reader.read(new Uint8Array(8));
  flow.drip("now");

  assertEquals(new TextDecoder().decode((await read).value), "now");
  await reader.cancel("enough");
  assertEquals(flow.cancelled, ["enough"]);

  const error = await readByBuffers((await act.ask({ path: "/cut" })).body, 8).catch(String);
  assertEquals(error, "Error: cut");
});

Deno.test("34: a reader with buffers leaves the chunks of others alone", async () => {
  const pool = new Uint8Array(6).fill(97);
  let source!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
      controller.enqueue(pool.subarray(0, 0));
      controller.enqueue(pool.subarray(0, 3));
    },
  });
  const read = readByBuffers((await stage([fetched(() => body)]).ask()).body, 8);
  source.close();

  assertEquals([await read, pool.byteLength], ["aaa", 6]);
});

Deno.test("34: a body can be read by one kind of reader after the other", async () => {
  const answer = await stage([fetched(() => spring(4, 2).body)]).ask();
  const first = answer.body!.getReader({ mode: "byob" });
  await first.read(new Uint8Array(2));
  first.releaseLock();

  const rest: number[] = [];
  for (const reader = answer.body!.getReader();;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest.push(...value);
  }

  assertEquals(rest.length, 6);
});

Deno.test("34: looking at a body twice gives the same stream", async () => {
  const { signal } = new AbortController();
  const act = stage([fetched(() => "good"), fetched(() => "good")]);

  for (const asking of [{ path: "/1" }, { path: "/2", signal }]) {
    const answer = await act.ask(asking);
    assertStrictEquals(answer.body, answer.body);
    assertEquals([await answer.text(), answer.bodyUsed], ["good", true]);
  }
});
