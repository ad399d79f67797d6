/** Attacks on whose response it is (K4). */

import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { standing } from "../../stage/settle.ts";
import { only } from "../../stage/events.ts";
import { ORIGIN, Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";

for (const way of ["fetch", "wrap", "hono"] as const) {
  Deno.test(`K4: ${way}: an empty partition is heard as an error, and lifts nothing`, async () => {
    const site = new Site({ lastGood: { partition: () => "" } }, way);
    site.answer = page({ "cache-control": "private" }, "ann's");

    await site.read({ headers: { cookie: "sid=ann" } });

    assertEquals(await site.kept({ headers: { cookie: "sid=ann" } }), undefined);
    assertEquals(only(site.events, "error").map(({ source }) => source).at(0), "partition");
    site.answer = page({}, "anybody's");
    await site.read();
    assertEquals(await site.kept(), "anybody's");
  });

  Deno.test(`K4: ${way}: ill-formed strings are partitions of their own`, async () => {
    const names = [
      "\ud800",
      "\udfff",
      "\ufffd",
      "a\ud800",
      "a\udfff",
      "\ud800\udfff",
      "\udc00\ud800",
    ];
    let name = "";
    const site = new Site({ lastGood: { partition: () => name } }, way);
    for (name of names) {
      const own = JSON.stringify(name);
      assertEquals(await site.kept(), undefined);
      site.answer = page({ "cache-control": "private" }, own);
      await site.read();
    }

    for (name of names) assertEquals(await site.kept(), JSON.stringify(name));
  });

  Deno.test(`K4: ${way}: a partition that never settles holds its caller up for timeoutMs at most`, async () => {
    using time = new FakeTime();
    const site = new Site({
      timeoutMs: 100,
      now: Date.now,
      lastGood: { partition: () => new Promise(() => {}), maxBodyMs: Infinity },
    }, way);

    const call = site.get().then((response) => response.body?.cancel(), () => {});
    await time.tickAsync(99);
    assertEquals(await standing(call), "pending");
    await time.tickAsync(1);

    assertEquals(await standing(call), "fulfilled");
    assertEquals(only(site.events, "kept"), []);
    assertEquals(only(site.events, "error").map(({ source }) => source), ["partition"]);
  });

  Deno.test(`K4: ${way}: a partition that never settles ends when its caller leaves`, async () => {
    const site = new Site({ lastGood: { partition: () => new Promise(() => {}) } }, way);
    const controller = new AbortController();

    const call = site.get({ signal: controller.signal }).then(
      ({ status }) => status,
      (error) => error.name,
    );
    controller.abort();

    assertEquals(await call, way === "fetch" ? "AbortError" : 499);
    assertEquals(site.api.circuit(way === "fetch" ? ORIGIN : "circuit").state, "closed");
  });
}
