/** An app may change its request before it answers: what came in decides whether the answer is kept. */

import { breaker, type BreakerOptions } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { Clock } from "../stage/clock.ts";
import { PAGE } from "../stage/site.ts";
import { handlerBy } from "../stage/ways.ts";

/** Fields whose answers are not for everybody. */
const FIELDS = {
  "authorization": "Bearer 1",
  "x-user-id": "ann",
  "x-forwarded-host": "other.test",
  "cache-control": "no-store",
};

/** Makes an app that takes all those fields out of its request, and answers with one of them. */
function stripping(way: "wrap" | "respond" | "hono", judge?: BreakerOptions["judge"]) {
  const clock = new Clock();
  const api = breaker({ delayMs: 1_000, probes: 1, timeoutMs: Infinity, now: clock.now, judge });
  const handler = handlerBy(way, api, ({ headers }) => {
    const values = Object.keys(FIELDS).map((name) => headers.get(name));
    for (const name of Object.keys(FIELDS)) headers.delete(name);
    return new Response(String(values));
  });
  const circuits = () => [...api.circuits()].map(([, circuit]) => circuit);
  return {
    ask: (headers: HeadersInit) => handler(new Request(PAGE, { headers })),
    trip: () => circuits().forEach((circuit) => circuit.trip()),
    wait: () => clock.ms += 1_000,
  };
}

const JUDGES = {
  "no judge": undefined,
  "a judge that gets the request": (_outcome: unknown, _request?: Request) => undefined,
};

for (const way of ["wrap", "respond", "hono"] as const) {
  for (const [what, judge] of Object.entries(JUDGES)) {
    for (const [name, value] of Object.entries(FIELDS)) {
      Deno.test(`S8: ${way}, ${what}: an answer stays ${name}'s although the handler deletes it`, async () => {
        const app = stripping(way, judge);

        await (await app.ask({ [name]: value })).text();

        app.trip();
        assertEquals((await app.ask({})).status, 503);
      });

      Deno.test(`S8: ${way}, ${what}: a probe's answer stays ${name}'s although the handler deletes it`, async () => {
        const app = stripping(way, judge);
        await (await app.ask({ authorization: "Bearer 1" })).text();
        app.trip();
        app.wait();

        assertEquals((await app.ask({ [name]: value })).status, 200);

        app.trip();
        assertEquals((await app.ask({})).status, 503);
      });
    }

    Deno.test(`S8: ${way}, ${what}: a handler that deletes fields has its answers to others kept`, async () => {
      const app = stripping(way, judge);

      await (await app.ask({})).text();

      app.trip();
      assertEquals((await app.ask({})).status, 200);
    });
  }
}

Deno.test("F5: what partition takes out of a request still decides what it gets while open", async () => {
  const partition = ({ headers }: Request) => void headers.delete("if-match");
  const api = breaker({ name: "app", timeoutMs: Infinity, lastGood: { partition } });
  const handler = api.wrap(() => new Response("ours"));
  await (await handler(new Request(PAGE))).text();
  api.circuit("app").trip();

  const conditional = await handler(
    new Request(PAGE, { headers: { "if-match": '"1"' } }),
  );

  assertEquals(conditional.status, 503);
  assertEquals((await handler(new Request(PAGE))).status, 200);
});
