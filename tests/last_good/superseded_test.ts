import { assertEquals } from "@std/assert";
import { faucet } from "../stage/bodies.ts";
import { settled } from "../stage/settle.ts";
import { Site } from "../stage/site.ts";

Deno.test("S18: an older, slower response does not overwrite a newer one", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const arrivals = site.hold();
  const older = site.read();
  const newer = site.read();
  await settled();

  arrivals[1]?.(new Response("newer"));
  await newer;
  site.clock.tick(60_000);
  arrivals[0]?.(new Response("older"));

  assertEquals(await older, "older");
  assertEquals(site.notKept, ["superseded"]);
  assertEquals(await site.kept(), "newer");
});

Deno.test("S18: a newer response overwrites an older one", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const arrivals = site.hold();
  const older = site.read();
  const newer = site.read();
  await settled();

  arrivals[0]?.(new Response("older"));
  await older;
  arrivals[1]?.(new Response("newer"));
  await newer;

  assertEquals(await site.kept(), "newer");
});

Deno.test("S18: an older response does not come back after a newer 410", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const older = site.read();
  const newer = site.read();
  await settled();

  arrivals[1]?.(new Response(null, { status: 410 }));
  await newer;
  arrivals[0]?.(new Response("older"));
  await older;

  assertEquals(await site.kept(), undefined);
});

Deno.test("S17, S18: an older 404 says nothing about a newer page", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const older = site.read();
  site.answer = () => new Response("good");
  await site.read();

  arrivals[0]?.(new Response(null, { status: 404 }));
  await older;
  site.answer = () => new Response(null, { status: 404 });
  await site.read();

  assertEquals(await site.kept(), "good");
});

Deno.test("S18: a 410 for another variant or key does not supersede an older response", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const older = site.read();
  await settled();
  const others = [{ "accept-language": "xx" }, { "x-forwarded-host": "evil.test" }]
    .map((headers) => site.read({ headers }));
  await settled();

  arrivals[1]?.(new Response(null, { status: 410 }));
  arrivals[2]?.(new Response(null, { status: 410 }));
  await Promise.all(others);
  arrivals[0]?.(new Response("good", { headers: { vary: "accept-language" } }));
  await older;

  assertEquals(await site.kept(), "good");
});

Deno.test("S18: an older response whose body takes too long does not overwrite a newer one", async () => {
  const site = new Site({ lastGood: { refreshMs: 0, maxBodyMs: Infinity } });
  const arrivals = site.hold();
  const older = site.get();
  const newer = site.read();
  await settled();
  const slow = faucet();
  slow.drip("older");

  arrivals[0]?.(new Response(slow.body));
  const response = await older;
  site.clock.tick(30_000);
  arrivals[1]?.(new Response("newer"));
  await newer;
  slow.close();

  assertEquals(await response.text(), "older");
  assertEquals(await site.kept(), "newer");
});
