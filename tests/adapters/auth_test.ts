/** A check that stands further out is asked before anything is answered, also from memory. */

import { assertEquals } from "@std/assert";
import type { MiddlewareHandler } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { Edge } from "../stage/hono_stage.ts";

interface Check {
  readonly middleware: () => MiddlewareHandler;
  /** What its users send. */
  readonly ann: Record<string, string>;
  readonly bob: Record<string, string>;
}

const token = ["ann", "bob"];
const CHECKS: Readonly<Record<string, Check>> = {
  "bearerAuth": {
    middleware: () => bearerAuth({ token }),
    ann: { authorization: "Bearer ann" },
    bob: { authorization: "Bearer bob" },
  },
  "bearerAuth by X-Api-Key": {
    middleware: () => bearerAuth({ token, headerName: "X-Api-Key", prefix: "" }),
    ann: { "x-api-key": "ann" },
    bob: { "x-api-key": "bob" },
  },
  "basicAuth": {
    middleware: () =>
      basicAuth({ username: "ann", password: "1" }, { username: "bob", password: "2" }),
    ann: { authorization: `Basic ${btoa("ann:1")}` },
    bob: { authorization: `Basic ${btoa("bob:2")}` },
  },
};

/** What a stranger may try. */
const STRANGERS: readonly Record<string, string>[] = [
  {},
  { "cache-control": "only-if-cached" },
  { "cache-control": "max-stale" },
  { "if-none-match": "*" },
];

for (const [name, { middleware, ann, bob }] of Object.entries(CHECKS)) {
  for (const ignore of [[], ["authorization"]] as const) {
    const policy = ignore.length > 0 ? ", with its fields ignored" : "";
    const edge = () => {
      const made = new Edge({ outer: [middleware()] }, {
        lastGood: { maxBodyMs: Infinity, freshMs: 60_000, ignore },
      });
      made.answer = (c) => c.text("secret", 200, { etag: '"1"' });
      return made;
    };

    Deno.test(`S8, S8b: with ${name} outside, a stranger never gets the page${policy}`, async () => {
      const guarded = edge();
      await guarded.read({ headers: ann });
      const statuses: number[] = [];

      for (const isDown of [false, true]) {
        if (isDown) guarded.fail();
        for (const headers of STRANGERS) {
          const response = await guarded.get({ headers });
          statuses.push(response.status);
          assertEquals((await response.text()).includes("secret"), false);
        }
      }

      assertEquals(statuses, Array(2 * STRANGERS.length).fill(401));
    });
  }

  Deno.test(`S8, S8b: with ${name} outside, nothing is kept for other users`, async () => {
    const edge = new Edge({ outer: [middleware()] });
    edge.answer = (c) => c.text("ann's");
    await edge.read({ headers: ann });
    edge.fail();

    assertEquals(await edge.read({ headers: bob }), "down");
  });

  Deno.test(`S8, S8b: with ${name} outside and its fields ignored, its users share one page`, async () => {
    const edge = new Edge({ outer: [middleware()] }, {
      lastGood: { maxBodyMs: Infinity, ignore: ["authorization"] },
    });
    await edge.read({ headers: ann });
    edge.fail();

    assertEquals(await edge.read({ headers: bob }), "good");
  });
}
