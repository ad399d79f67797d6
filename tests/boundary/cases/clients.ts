/** Clients from npm that are given `api.fetch` as their `fetch`. */
import { CircuitOpenError } from "@lastgood/breaker";
import { assert, assertEquals } from "std/assert";
import { boundary } from "./stage/case.ts";
import { answerFor, CLIENTS, type Fetch } from "./stage/clients.ts";
import { RawOrigin } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";

/** Asks, and returns what is wrong. */
async function errorOf(ask: Promise<unknown>): Promise<unknown> {
  try {
    return assertEquals(await ask, "an error");
  } catch (error) {
    return error;
  }
}

for (const client of CLIENTS) {
  const { name, value } = client;

  boundary(
    `23: ${name} reads a live answer, and the last good one once the origin is down`,
    async () => {
      using origin = await RawOrigin.start(() => answerFor(client));
      const w = watched({ threshold: 3, fetch: client.fetch });
      const call = w.api.fetch as Fetch;
      const live = await client.get(call, origin.url);
      await w.ended(1);
      origin.close();

      const stale: unknown[] = [];
      for (let n = 0; n < 5; n++) stale.push(await client.get(call, origin.url));

      assertEquals(live, value);
      assertEquals(stale, Array(5).fill(value));
      assertEquals(w.state, "open");
    },
  );

  boundary(`CircuitOpenError.in finds a refusal that ${name} passes on`, async () => {
    using origin = await RawOrigin.start(() => answerFor(client));
    const { api } = watched({ fetch: client.fetch });
    api.circuit(new URL(origin.url).origin).trip();

    const error = await errorOf(client.get(api.fetch as Fetch, origin.url));

    const found = CircuitOpenError.in(error);
    assert(found instanceof CircuitOpenError, String(error));
    assertEquals(found.circuit, new URL(origin.url).origin);
    assertEquals(origin.arrivals.length, 0);
  });
}
