import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { faucet, pieces } from "../stage/bodies.ts";
import { Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

const bearer = { headers: { authorization: "Bearer t" } };

Deno.test("S7: with ignore, the cookie is dropped and the rest is kept", async () => {
  const site = new Site({ lastGood: { ignore: ["set-cookie"] } });
  site.answer = page([["set-cookie", "a=b"], ["set-cookie", "c=d"], ["x-own", "1"]]);

  const live = await site.get();
  await live.text();
  site.fail();
  const stale = await site.get();

  assertEquals([...live.headers.getSetCookie()], ["a=b", "c=d"]);
  assertEquals(stale.headers.get("set-cookie"), null);
  assertEquals(stale.headers.get("x-own"), "1");
  assertEquals(await stale.text(), "good");
});

Deno.test("S8: credentials in the URL count as Authorization", async () => {
  const site = new Site();
  const url = "https://me:secret@origin.test/page";

  await site.read({}, url);

  assertEquals(site.notKept, ["authorization"]);
  assertEquals(JSON.stringify(site.events).includes("secret"), false);
  assertEquals(await site.kept({}, url), undefined);
});

Deno.test("S8: credentials in a Request count like those in init", async () => {
  const site = new Site();

  await (await site.api.fetch(new Request("https://origin.test/page", bearer))).text();

  assertEquals(site.notKept, ["authorization"]);
});

/** A request whose `cache` says "no-store": not every runtime makes one. */
function unstored(onRead = () => {}): Request {
  return Object.defineProperty(new Request("https://origin.test/page"), "cache", {
    get: () => {
      onRead();
      return "no-store";
    },
  });
}

Deno.test("S3: a Request that says cache no-store is not kept", async () => {
  const site = new Site({}, "wrap");

  await (await site.api.wrap(() => new Response("good"))(unstored())).text();

  assertEquals(site.notKept, ["request-no-store"]);
});

Deno.test("S3: the cache member of a request that a server hands over is not read", async () => {
  let reads = 0;
  const site = new Site();
  const guarded = site.api.wrap((_: Request, ..._rest: unknown[]) => new Response("good"));

  await (await guarded(unstored(() => reads++), { incoming: 1, outgoing: 1 })).text();

  assertEquals([reads, site.notKept], [0, []]);
});

Deno.test("S3: the cache member of a request is not read for an answer that is not kept", async () => {
  let reads = 0;
  const site = new Site();
  const guarded = site.api.wrap(() => new Response(null, { status: 404 }));

  await guarded(unstored(() => reads++));

  assertEquals([reads, site.notKept], [0, ["status"]]);
});

Deno.test("S12: a body that breaks is not kept", async () => {
  const site = new Site();
  site.answer = page({}, pieces("go", new Error("reset")));

  const response = await site.get();
  const error = await response.text().catch((error) => error);

  assertEquals((error as Error).message, "reset");
  assertEquals(site.notKept, ["broken"]);
  assertEquals(await site.kept(), undefined);
});

Deno.test("S12: a body that its reader cancels is not kept", async () => {
  const site = new Site();
  site.answer = page({}, faucet().body);

  await (await site.get()).body?.cancel();

  assertEquals(site.notKept, ["cancelled"]);
  assertEquals(await site.kept(), undefined);
});

Deno.test("S13: a body that takes longer than maxBodyMs is not kept", async () => {
  using time = new FakeTime();
  const site = new Site({ lastGood: { maxBodyMs: 1_000 } });
  const slow = faucet();
  slow.drip("go");
  site.answer = page({}, slow.body);

  const response = await site.get();
  await time.tickAsync(1_000);
  slow.drip("od");
  slow.close();

  assertEquals(await response.text(), "good");
  assertEquals(site.notKept, ["too-slow"]);
  assertEquals(await site.kept(), undefined);
});

for (const way of ["fetch", "wrap", "hono"] as const) {
  Deno.test(`S1: ${way}: a request with Upgrade is not answered from memory`, async () => {
    const site = new Site({}, way);
    await site.read();

    assertEquals(await site.kept({ headers: { upgrade: "h2c" } }), undefined);
    assertEquals(await site.kept(), "good");
  });
}

Deno.test("S1: a handler's GET with a body is not kept", async () => {
  const site = new Site({}, "wrap");

  await site.read({ headers: { "content-length": "3" } });

  assertEquals(site.notKept, ["request-body"]);
});
