/** Answers that only a runtime can make, beside fields that middleware further out has set. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { breaker } from "@lastgood/breaker/hono";
import type { MiddlewareHandler } from "hono";
import { Clock } from "../stage/clock.ts";
import { notKept } from "../stage/events.ts";
import { calm, Edge, sets } from "../stage/hono_stage.ts";
import { madeBy } from "../stage/upstream.ts";
import type { BreakerEvent } from "@lastgood/breaker";

const REFRESHING = { lastGood: { maxBodyMs: Infinity, refreshMs: 0 } };

/** Answers that are not those of their URL, with the reason why they are not kept (S14). */
const FOREIGN: readonly (readonly [what: string, made: Partial<Response>, why: string])[] = [
  [
    "a redirected answer",
    { redirected: true, url: "http://login.test/", type: "basic" },
    "redirected",
  ],
  ["an opaque answer", { type: "opaque" }, "opaque"],
  ["an opaque redirect", { type: "opaqueredirect" }, "opaque"],
  ["an error answer", { type: "error" }, "opaque"],
];

for (const how of ["c.header", "c.res"] as const) {
  for (const [what, made, why] of FOREIGN) {
    Deno.test(`S14: ${what} beside a field set outside by ${how} is not kept and removes no copy`, async () => {
      const edge = new Edge({ outer: [sets(how, () => ({ "x-outer": "1" }))] }, REFRESHING);
      await edge.read();
      edge.answer = () => madeBy(made, new Response("login"));
      const login = await edge.get();
      edge.fail();

      assertEquals([await login.text(), login.headers.get("x-outer")], ["login", "1"]);
      assertEquals(edge.notKept, [why]);
      assertEquals(await edge.read(), "good");
    });

    for (const status of [404, 302]) {
      Deno.test(`S14: ${what} with ${status} beside a field set outside by ${how} removes no copy`, async () => {
        const edge = new Edge({ outer: [sets(how, () => ({ "x-outer": "1" }))] }, REFRESHING);
        await edge.read();
        edge.answer = () => madeBy(made, new Response(null, { status }));
        for (let call = 0; call < 2; call++) await edge.read();
        edge.fail();

        assertEquals(await edge.read(), "good");
      });
    }
  }

  Deno.test(`S14: a breaker further out keeps no redirected answer that got a field by ${how} in between`, async () => {
    const events: BreakerEvent[] = [];
    const outermost = breaker({ ...calm(new Clock(), events), ...REFRESHING });
    const edge = new Edge({
      outer: [outermost as MiddlewareHandler, sets(how, () => ({ "x-outer": "1" }))],
    });
    edge.answer = () => madeBy({ redirected: true, type: "basic" }, new Response("login"));

    await edge.read();

    assertEquals([notKept(events), edge.notKept], [["redirected"], ["redirected"]]);
  });

  Deno.test(`34: url and type hold beside a field set outside by ${how}, and those of a clone`, async () => {
    const edge = new Edge({ outer: [sets(how, () => ({ "x-outer": "1" }))] }, REFRESHING);
    const url = "http://origin.test/page";
    edge.answer = () => madeBy({ url, type: "basic" });
    const live = await edge.get();
    edge.fail();
    const stale = await edge.get();

    for (const response of [live, stale]) {
      for (const each of [response.clone(), response]) {
        assertEquals([each.url, each.type, each.redirected], [url, "basic", false]);
        assertEquals([each.headers.get("x-outer"), await each.text()], ["1", "good"]);
      }
    }
  });

  Deno.test(`34: what Hono's server has sent already passes as it is, with a field set outside by ${how}`, async () => {
    const sent = new Response(null, { headers: { "x-hono-already-sent": "true" } });
    let given: unknown;
    const edge = new Edge({
      outer: [async (c, next) => {
        await next();
        given = c.res;
      }, sets(how, () => ({ "x-outer": "1" }))],
    });
    edge.answer = () => sent;

    await edge.get();

    assertStrictEquals(given, sent);
    assertEquals(edge.notKept, ["uncopyable"]);
  });

  Deno.test(`34: an upgrade passes as it is, with a field set outside by ${how}`, async () => {
    const upgraded = madeBy({ status: 101 }, new Response(null));
    let given: unknown;
    const edge = new Edge({
      outer: [async (c, next) => {
        await next();
        given = c.res;
      }, sets(how, () => ({ "x-outer": "1" }))],
    });
    await edge.read();
    edge.answer = () => upgraded;

    await edge.get({ headers: { upgrade: "websocket" } });

    assertStrictEquals(given, upgraded);
    assertEquals(edge.notKept, ["upgrade"]);
  });
}
