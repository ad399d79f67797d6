/** Attacks while the upstream is well: memory answers nobody who has credentials (F8). */

import type { LastGoodOptions } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

for (const way of EVERY_WAY) {
  Deno.test(`F8: ${way}: while the upstream is well, credentials get past an anonymous copy`, async () => {
    const callers = [
      "Authorization",
      "Cookie",
      "X-Api-Key",
      "X_Api_Key",
      "Dpop",
      "X-Forwarded-User",
      "X-Tenant-Id",
    ];
    for (const option of [{ freshMs: 60_000 }, { freshMs: 60_000, ignore: ["authorization"] }]) {
      const site = new Site({ lastGood: option as LastGoodOptions }, way);
      site.answer = page({}, "anybody's");
      await site.read();
      site.answer = ({ headers }) => new Response([...headers.values()].join());

      assertEquals(await site.read(), "anybody's");
      for (const name of callers) {
        const text = await site.read({ headers: { [name]: "ann" } });

        assertEquals([name, text], [name, "ann"]);
      }
    }
  });

  Deno.test(`F8: ${way}: what is public, or the visitor's own, is served to credentials at once`, async () => {
    const partition = (request: Request) => request.headers.get("x-api-key") ?? undefined;
    const own = new Site({ lastGood: { freshMs: 60_000, partition } }, way);
    const shared = new Site({ lastGood: { freshMs: 60_000 } }, way);
    const ann = { headers: { "x-api-key": "ann" } };
    shared.answer = page({ "cache-control": "public" }, "public");
    own.answer = page({ "cache-control": "private" }, "ann's");
    await shared.read();
    await own.read(ann);
    shared.answer = own.answer = page({}, "newer");

    assertEquals([await shared.read(ann), await own.read(ann)], ["public", "ann's"]);
    assertEquals(await own.read({ headers: { "x-api-key": "bob" } }), "newer");
  });

  Deno.test(`S6: ${way}: freshMs serves nothing past the freshness that its origin insists on`, async () => {
    for (
      const value of ["max-age=5, must-revalidate", "max-age=5, proxy-revalidate", "s-maxage=5"]
    ) {
      const site = new Site({ lastGood: { freshMs: 60_000 } }, way);
      site.answer = page({ "cache-control": value });
      await site.read();
      site.answer = page({}, "newer");

      site.clock.tick(4_999);
      assertEquals([value, await site.read()], [value, "good"]);
      site.clock.tick(1);
      assertEquals([value, await site.read()], [value, "newer"]);
    }
  });

  Deno.test(`F8: ${way}: a quoted or malformed public is none`, async () => {
    for (const value of ['public="x"', "public=1"]) {
      const site = new Site({ lastGood: { freshMs: 60_000 } }, way);
      site.answer = page({ "cache-control": value }, "anybody's");
      await site.read();
      site.answer = page({}, "ann's");

      assertEquals(await site.read({ headers: { authorization: "ann" } }), "ann's");
    }
  });
}

for (const way of ["fetch", "wrap", "respond"] as const) {
  Deno.test(`F8: ${way}: patience gives an anonymous copy to nobody with credentials`, async () => {
    using time = new FakeTime();
    for (const name of ["authorization", "cookie", "x-api-key"]) {
      const site = new Site({ lastGood: { patienceMs: 100, maxBodyMs: Infinity } }, way);
      site.answer = page({}, "anybody's");
      await site.read();
      const [arrivals, ann] = [site.hold(), site.read({ headers: { [name]: "ann" } })];

      await time.tickAsync(100);
      arrivals[0]!(new Response("ann's"));

      assertEquals([name, await ann], [name, "ann's"]);
    }
  });

  Deno.test(`F8: ${way}: patience gives the copy to anybody without credentials`, async () => {
    using time = new FakeTime();
    const lastGood = { patienceMs: 100, maxBodyMs: Infinity };
    const site = new Site({ lastGood, waitUntil: () => {} }, way);
    await site.read();
    const [arrivals, anybody] = [site.hold(), site.read()];

    await time.tickAsync(100);
    arrivals[0]!(new Response("late"));

    assertEquals(await anybody, "good");
    await site.api.idle();
  });
}
