/** What Workers add to a request and to the arguments of `fetch` (K6). */
import { assertEquals } from "@std/assert";
import { test, until, upstreamOf } from "../border.ts";
import { guarded, type Source, told } from "./ways.ts";

/** How a Worker passes its client's request on. */
const PASSED: Readonly<Record<string, Source>> = {
  "as a Request": (request, env, call) =>
    call(new Request(upstreamOf(request, env), request) as never),
  "in place of init": (request, env, call) => call(upstreamOf(request, env), request as never),
  "with its cf": (request, env, call) =>
    call(upstreamOf(request, env), { cf: (request as { cf?: unknown }).cf } as RequestInit),
  "with its cf and an option": (request, env, call) => {
    const { cf } = request as { cf?: object };
    return call(upstreamOf(request, env), { cf: { ...cf, cacheTtl: 5 } } as RequestInit);
  },
};

for (const [how, source] of Object.entries(PASSED)) {
  const path = guarded(`passed-on-${how.replaceAll(" ", "-")}`, "fetch", source);

  test(`K6: clients whose requests a Worker passes on ${how} share one copy`, async (border) => {
    // Each has a `cf` of its own: it shows the port that the client connects from.
    const live = await border.ask(`${path}/short`);
    await until(async () => (await told(border, path)).events.includes("kept"));
    border.origin.isDown = true;

    const stale = await border.ask(`${path}/short`);

    assertEquals([stale.status, stale.text], [200, live.text]);
  });
}
