/** A breaker within the handler that another one guards. */
import { assertEquals } from "std/assert";
import { boundary, until } from "./stage/case.ts";
import { type Handler, serve } from "./stage/host.ts";
import { deadUrl, nothing, RawOrigin, text } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";
import { WAYS } from "./stage/ways.ts";

/** Two calls that begin at most so long apart count as begun at once. */
const AT_ONCE_MS = 1;

for (const [way, guard] of Object.entries(WAYS)) {
  boundary(
    `35: ${way} gets the inner breaker's last good when both limits end together`,
    async () => {
      let hangs = false;
      using origin = await RawOrigin.start(() => hangs ? nothing() : text("page"));
      const limits = { timeoutMs: 150, threshold: 100 };
      const inner = watched(limits);
      const outer = watched({ ...limits, lastGood: false });
      let begun = 0;
      let apartMs = 0;
      const guarded = guard(outer.api, () => {
        const call = inner.api.fetch(origin.url);
        apartMs = performance.now() - begun;
        return call;
      });
      await using served = await serve((request, ...rest) => {
        begun = performance.now();
        return guarded(request, ...rest);
      });
      await (await fetch(served.url)).text();
      await inner.ended(1);
      hangs = true;

      const texts: string[] = [];
      for (let asked = 0; asked < 20 && texts.length < 6; asked++) {
        const answer = await (await fetch(served.url)).text();
        if (apartMs < AT_ONCE_MS) texts.push(answer);
      }

      assertEquals(texts, Array(6).fill("page"), `${inner.ends} / ${outer.ends}`);
    },
  );

  boundary(`31: one dead upstream of ${way} closes no other route`, async () => {
    using origin = await RawOrigin.start(() => text("alive"));
    const dead = await deadUrl();
    const inner = watched({ threshold: 1 });
    const outer = watched({ threshold: 3 });
    const handler: Handler = ({ url }) =>
      inner.api.fetch(new URL(url).pathname === "/dead" ? dead : origin.url);
    await using served = await serve(guard(outer.api, handler));

    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) {
      const response = await fetch(`${served.url}dead`);
      statuses.push(response.status);
      await response.text();
    }
    const alive = await (await fetch(`${served.url}alive`)).text();

    assertEquals(alive, "alive");
    assertEquals(outer.state, "closed");
    assertEquals(outer.ends.filter((end) => end === "ignored inner").length, 5);
    assertEquals(statuses.every((status) => status >= 500), true);
  });
}

boundary("31: a wrapped fetch within another breaker's fetch does not count twice", async () => {
  const dead = await deadUrl();
  const inner = watched({ threshold: 1 });
  const outer = watched({ threshold: 3, fetch: inner.api.fetch });

  for (let n = 0; n < 6; n++) await outer.api.fetch(dead).catch(() => {});
  await until(() => outer.ends.length === 6, "six calls have ended");

  assertEquals(outer.ends, ["failure upstream", ...Array(5).fill("ignored inner")]);
});
