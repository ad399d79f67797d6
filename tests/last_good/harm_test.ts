import { assert, assertEquals, assertNotStrictEquals } from "@std/assert";
import { faucet, pieces, spring } from "../stage/bodies.ts";
import { Site, WAYS } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

/** Reads a body, and overwrites the bytes it got. */
async function overwrite({ body }: Response): Promise<void> {
  const reader = body?.getReader();
  for (;;) {
    const chunk = (await reader?.read())?.value;
    if (chunk === undefined) return;
    chunk.fill(0);
  }
}

Deno.test("the reader gets every chunk as soon as it arrives", async () => {
  const site = new Site();
  const flow = faucet();
  site.answer = page({}, flow.body);
  const reader = (await site.get()).body?.getReader();

  for (const text of ["a", "b", "c"]) {
    flow.drip(text);

    assertEquals(new TextDecoder().decode((await reader?.read())?.value), text);
  }
  await reader?.cancel();
});

Deno.test("a small enough body is kept even without a reader", async () => {
  const site = new Site();
  site.answer = page({}, pieces("go", "od"));

  const unread = await site.get();
  await site.api.idle();

  assertEquals(await site.kept(), "good");
  await unread.body?.cancel();
});

Deno.test("a body without a reader is not read beyond maxBodyBytes (N1)", async () => {
  const site = new Site({ lastGood: { maxBodyBytes: 10 } });
  const source = spring(1_000, 4);
  site.answer = page({}, source.body);

  const response = await site.get();
  await site.api.idle();

  assert(source.made <= 4, `${source.made} chunks of 4 bytes were read`);
  assertEquals(site.notKept, ["too-large"]);
  await response.body?.cancel();
});

Deno.test("a body over the limit reaches its reader in full (N2)", async () => {
  const site = new Site({ lastGood: { maxBodyBytes: 5 } });
  site.answer = page({}, pieces("abc", "def", "ghi"));

  assertEquals(await site.read(), "abcdefghi");
  assertEquals(await site.kept(), undefined);
});

for (const way of WAYS) {
  Deno.test(`${way}: an app's changes to an answer never show in the next one (N6)`, async () => {
    const site = new Site({}, way);
    site.answer = page({ "x-own": "1" });
    await site.read();
    site.fail();

    const first = await site.get();
    first.headers.set("x-own", "2");
    first.headers.append("set-cookie", "a=b");
    first.headers.delete("age");
    new Uint8Array(await first.arrayBuffer()).fill(0);
    const second = await site.get();
    await overwrite(second);
    const third = await site.get();
    const { buffer } = new Uint8Array(await third.arrayBuffer());
    structuredClone(buffer, { transfer: [buffer] });
    const last = await site.get();

    assertEquals(await last.text(), "good");
    assertEquals(last.headers.get("x-own"), "1");
    assertEquals([last.headers.has("set-cookie"), last.headers.get("age")], [false, "0"]);
    assertNotStrictEquals(first.headers, last.headers);
  });
}

Deno.test("an app's changes to the live answer never show in the kept one (N6)", async () => {
  const site = new Site();
  const flow = faucet();
  site.answer = page({ "x-own": "1" }, flow.body);

  const live = await site.get();
  live.headers.set("x-own", "2");
  const reader = live.body?.getReader();
  flow.drip("go");
  (await reader?.read())?.value?.fill(0);
  flow.drip("od");
  (await reader?.read())?.value?.fill(0);
  flow.close();
  await reader?.read();
  site.fail();
  const stale = await site.get();

  assertEquals([await stale.text(), stale.headers.get("x-own")], ["good", "1"]);
});

Deno.test("the live answer is the same as without a breaker (N6)", async () => {
  const came = new Response("good", {
    status: 200,
    statusText: "Fine",
    headers: [["set-cookie", "a=b"], ["set-cookie", "c=d"], ["x-own", "1"], ["age", "7"]],
  });
  const fields = [...came.headers];
  Object.defineProperty(came, "url", { value: "https://origin.test/final" });

  for (const ignore of [[], ["set-cookie"]] as const) {
    const asked = new Site({ lastGood: { ignore } });
    asked.answer = () => {
      const copy = came.clone();
      Object.defineProperty(copy, "url", { value: came.url });
      return copy;
    };
    const live = await asked.get();

    assertEquals([live.status, live.statusText, live.url], [200, "Fine", came.url]);
    assertEquals([...live.headers], fields);
    assertEquals(await live.text(), "good");
  }
  await came.body?.cancel();
});

Deno.test("responses without a body are kept", async () => {
  const site = new Site({ lastGood: { statuses: [200, 204] } });
  site.answer = page({ "x-own": "1" }, null, 204);
  await site.read();
  site.fail();

  const response = await site.get();

  assertEquals([response.status, response.body], [204, null]);
  assertEquals(response.headers.get("content-length"), null);
});

Deno.test("22, N3: kept bytes are bounded, including fields and keys", async () => {
  const site = new Site({ lastGood: { maxBytes: 20_000, maxVariants: 1_000 } });
  const length = 3_000;

  for (const n of [1, 2, 3, 4]) {
    site.answer = page({ x: "x".repeat(length), vary: "x-a" }, "y".repeat(length));
    await site.read({ headers: { "x-a": `${n}`.repeat(length) } });
  }

  const kept = [];
  for (const n of [1, 2, 3, 4]) {
    kept.push(await site.kept({ headers: { "x-a": `${n}`.repeat(length) } }) !== undefined);
  }
  assertEquals(kept, [false, false, false, true]);
});

Deno.test("22: a response that can never fit evicts nothing", async () => {
  const site = new Site({ lastGood: { maxBytes: 4_000 } });
  await site.read();
  site.answer = page({}, "x".repeat(4_001));

  await site.read({}, "https://origin.test/large");

  assertEquals(site.notKept, ["too-large"]);
  assertEquals(await site.kept(), "good");
});
