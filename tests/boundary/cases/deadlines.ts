/** Time limits that callers and their client libraries set. */
import { assert, assertEquals } from "std/assert";
import { boundary, outcome, until } from "./stage/case.ts";
import { answerFor, CLIENTS, type Fetch } from "./stage/clients.ts";
import { nothing, RawOrigin, text } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";

const LIMIT_MS = 20;

for (const client of CLIENTS) {
  const { name, value, limit } = client;

  if (limit === "deadline") {
    boundary(
      `8: time limits of ${name} open the circuit, and the last good is served`,
      async () => {
        let hangs = false;
        using origin = await RawOrigin.start(() => hangs ? nothing() : answerFor(client));
        const w = watched({ threshold: 5, fetch: client.fetch });
        const call = w.api.fetch as Fetch;
        await client.get(call, origin.url);
        await w.ended(1);
        hangs = true;

        const stale: unknown[] = [];
        for (let n = 0; n < 5; n++) stale.push(await client.get(call, origin.url, LIMIT_MS));

        assertEquals(stale, Array(5).fill(value));
        assertEquals(w.ends.slice(1), Array(5).fill("failure deadline"));
        assertEquals(w.state, "open");
      },
    );
  } else {
    boundary(`8: time limits of ${name}, which say that the user left, do not count`, async () => {
      using origin = await RawOrigin.start(nothing);
      const w = watched({ threshold: 2, fetch: client.fetch });
      const bare = await outcome(() => client.get(client.fetch ?? fetch, origin.url, LIMIT_MS));

      const guarded: unknown[] = [];
      for (let n = 0; n < 4; n++) {
        guarded.push(
          await outcome(() => client.get(w.api.fetch as Fetch, origin.url, LIMIT_MS)),
        );
      }
      // Some clients give up a turn before their call has ended.
      await w.ended(4);

      assertEquals(guarded, Array(4).fill(bare));
      assertEquals(w.ends, Array(4).fill("ignored abort"));
      assertEquals(w.state, "closed");
    });
  }
}

boundary("8: a deadline with nothing kept throws its own reason", async () => {
  using origin = await RawOrigin.start(nothing);
  const w = watched();
  const signal = AbortSignal.timeout(LIMIT_MS);

  const error = await w.api.fetch(origin.url, { signal }).catch((error) => error);

  assert(error === signal.reason, String(error));
  assertEquals(w.ends, ["failure deadline"]);
});

boundary("8: a deadline in half open is a failed probe", async () => {
  using origin = await RawOrigin.start(nothing);
  const w = watched({ threshold: 1, delayMs: 30 });
  const ask = () => w.api.fetch(origin.url, { signal: AbortSignal.timeout(LIMIT_MS) });
  await outcome(ask);
  await until(() => w.state === "half_open", "half open");

  await Promise.all(Array.from({ length: 10 }, () => outcome(ask)));

  assertEquals(w.ends, ["failure deadline", "failure deadline"]);
  assertEquals(w.events.filter(({ type }) => type === "probe").length, 1);
});

boundary(
  "8: a signal that has already timed out calls nothing, and its reason is thrown",
  async () => {
    using origin = await RawOrigin.start(() => text("fine"));
    const w = watched();
    await (await w.api.fetch(origin.url)).text();
    await w.ended(1);
    w.api.circuit(new URL(origin.url).origin).trip();
    const signal = AbortSignal.abort(new DOMException("late", "TimeoutError"));

    const error = await w.api.fetch(origin.url, { signal }).catch((error) => error);

    assert(error === signal.reason, String(error));
    assertEquals([w.ends.length, origin.arrivals.length], [1, 1]);
  },
);
