/**
 * What outer middleware has called private is nobody else's, however long it took to say so and
 * whatever came in between (H6, S4, S7, S10, S20).
 */

import { assert, assertEquals } from "@std/assert";
import type { MiddlewareHandler } from "hono";
import { seeded } from "../stage/random.ts";
import { settled } from "../stage/settle.ts";
import { down, Edge } from "../stage/hono_stage.ts";

const STEPS = 500;

/** What outer middleware may say after the handler, and whether others may still see the page. */
const WORDS: readonly (readonly [Record<string, string>, boolean])[] = [
  [{}, true],
  [{ "x-request-id": "7" }, true],
  [{ "content-security-policy": "default-src 'self'" }, true],
  [{ "cache-control": "private" }, false],
  [{ "cache-control": "no-store" }, false],
  [{ vary: "*" }, false],
  [{ "content-security-policy": "script-src 'nonce-abc'" }, false],
];

Deno.test("H6, S4, S10, S20: no page of which a late word says that it is one visitor's reaches another", async () => {
  for (const seed of [1, 2]) {
    const next = seeded(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
    const waiting: (() => void)[] = [];
    const kept = new Map<string, boolean>();
    let made = 0;
    let stale = 0;
    const wrong: string[] = [];
    const outer: MiddlewareHandler = async (c, next) => {
      await next();
      const [words, isForAll] = pick(WORDS);
      if (pick([true, false])) await new Promise<void>((resolve) => waiting.push(resolve));
      const own = c.res.headers.get("x-id");
      if (own !== null && !c.res.headers.has("cache-status")) kept.set(own, isForAll);
      for (const [name, value] of Object.entries(words)) c.res.headers.set(name, value);
    };
    const edge = new Edge({ outer: [outer] }, {
      lastGood: { refreshMs: 0, maxBodyMs: Infinity, freshMs: pick([0, 500]) },
    });
    const asking = new Set<Promise<void>>();
    const ask = async () => {
      const response = await edge.app.request("http://edge.test/page");
      const id = response.headers.get("x-id");
      if (response.headers.has("cache-status") && id !== null) {
        stale++;
        if (kept.get(id) !== true) wrong.push(id);
      }
      if (next() < 0.8) await response.text();
      else await response.body?.cancel();
    };
    // On Workers, reading a body takes more than microtasks.
    const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
    for (let n = 0; n < STEPS; n++) {
      edge.answer = next() < 0.5 ? down : (c) => c.text(`${++made}`, 200, { "x-id": `${made}` });
      if (next() < 0.6) {
        const asked: Promise<void> = ask().finally(() => asking.delete(asked));
        asking.add(asked);
      } else waiting.splice(Math.floor(next() * waiting.length), 1)[0]?.();
      edge.clock.tick(pick([1, 300, 1_100]));
      await settled(pick([0, 5, 100]));
      if (n % 10 === 0) await turn();
    }
    while (asking.size > 0) {
      waiting.pop()?.();
      await turn();
    }

    assertEquals([seed, ...wrong], [seed]);
    assert(stale > 10, `only ${stale} were served stale`);
  }
});
