/** A breaker within the handler that another one guards. */
import { assertEquals } from "std/assert";
import { boundary, until } from "./stage/case.ts";
import { type Handler, serve } from "./stage/host.ts";
import { deadUrl, nothing, RawOrigin, text } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";
import { WAYS } from "./stage/ways.ts";

for (const [way, guard] of Object.entries(WAYS)) {
  boundary(
    `35: ${way} gets the inner breaker's last good when both limits end together`,
    async () => {
      let hangs = false;
      using origin = await RawOrigin.start(() => hangs ? nothing() : text("page"));
      const limits = { timeoutMs: 60, threshold: 3 };
      const inner = watched(limits);
      const outer = watched({ ...limits, lastGood: false });
      const handler: Handler = () => inner.api.fetch(origin.url);
      await using served = await serve(guard(outer.api, handler));
      await (await fetch(served.url)).text();
      await inner.ended(1);
      hangs = true;

      const texts: string[] = [];
      for (let n = 0; n < 5; n++) texts.push(await (await fetch(served.url)).text());

      assertEquals(texts, Array(5).fill("page"));
      assertEquals([inner.state, outer.state], ["open", "closed"]);
      assertEquals(outer.ends.filter((end) => end.startsWith("failure")), []);
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
