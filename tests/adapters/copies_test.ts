/** An app may have the package twice, from JSR and from npm say. */

import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { type Breaker, breaker as makeBreaker, type BreakerEvent } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { Clock } from "../stage/clock.ts";
import { calm, Edge, PAGE, thrown, typesButKept } from "../stage/hono_stage.ts";

// Not literals, so that no type is looked for.
const COPY = "?copy";
const copy: { breaker: typeof breaker } = await import(`../../src/adapters/hono.ts${COPY}`);
const main: { breaker: typeof makeBreaker } = await import(`../../src/breaker.ts${COPY}`);

Deno.test("30: an error that a middleware of another copy has replaced counts once", async () => {
  const events: BreakerEvent[] = [];
  const edge = new Edge({ outer: [copy.breaker(calm(new Clock(), events))] });
  await edge.read();
  edge.fail(thrown);

  assertEquals(await edge.read(), "good");
  assertEquals(edge.types, ["success", "failure", "stale"]);
  assertEquals(typesButKept(events), ["success", "success"]);
});

for (const [whose, make] of [["this", makeBreaker], ["another", main.breaker]] as const) {
  Deno.test(`27, 30: nested middlewares of two copies that share a breaker of ${whose} copy count one failure once each`, async () => {
    const events: BreakerEvent[] = [];
    const api: Breaker = make({ ...calm(new Clock(), events), lastGood: false });
    const app = new Hono().use(copy.breaker(api), breaker(api)).get(
      "*",
      (c) => c.text("down", 500),
    );

    await (await app.request(PAGE)).text();

    assertEquals(events.map(({ type, circuit }) => [type, circuit]), [
      ["failure", "hono-2"],
      ["failure", "hono-1"],
    ]);
  });
}

for (const [whose, make] of [["this", makeBreaker], ["another", main.breaker]] as const) {
  Deno.test(`K5: middlewares of two copies that share a breaker of ${whose} copy keep a page each`, async () => {
    let isDown = false;
    const api: Breaker = make({ threshold: 1_000 });
    const apps = [["one", breaker], ["other", copy.breaker], ["third", breaker]] as const;
    const asks = apps.map(([name, middleware]) => {
      const app = new Hono().use(middleware(api))
        .get("*", (c) => isDown ? c.text("down", 503) : c.text(name));
      return async () => await (await app.request(PAGE)).text();
    });
    for (const ask of asks) await ask();
    isDown = true;

    assertEquals(await Promise.all(asks.map((ask) => ask())), ["one", "other", "third"]);
  });
}
