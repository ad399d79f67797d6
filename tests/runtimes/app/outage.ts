import { assert, assertEquals, assertMatch } from "../../std/assert.ts";
import type { Upstream } from "./upstream.ts";

/** A deployed app, and its upstream. */
export interface Deployed {
  readonly url: string;
  readonly upstream: Upstream;
  /** How far the app's clock is set ahead. */
  aheadMs: number;
}

/** Checks one step of the story. Each step continues where the previous one ended. */
export type Step = (deployed: Deployed) => Promise<void>;

/** The same as in the example. */
const THRESHOLD = 5;
const DELAY_MS = 30_000;

/** Two complete outages, as a client sees them. */
export const OUTAGE: Readonly<Record<string, Step>> = {
  "a good answer passes unchanged": async (app) => {
    const { status, text, headers } = await ask(app);

    assertEquals([status, text], [200, "/api/items 1"]);
    assertEquals([headers.get("age"), headers.get("cache-status")], [null, null]);
  },

  "a failed answer is replaced by the last good one, with its age": async (app) => {
    app.upstream.breakDown();
    app.aheadMs += 7_000;

    for (let call = 0; call < THRESHOLD; call++) {
      const { status, text, headers } = await ask(app);

      assertEquals([status, text], [200, "/api/items 1"]);
      assertEquals(
        headers.get("cache-status"),
        "lastgood; fwd=stale; fwd-status=500; detail=origin-error",
      );
      assertAge(headers, 7);
      assertEquals(headers.get("x-failed"), null);
    }
  },

  "an open circuit serves the last good answer without a call": async (app) => {
    const { calls } = app.upstream;
    app.aheadMs += 10_000;

    const { status, text, headers } = await ask(app);

    assertEquals([status, text], [200, "/api/items 1"]);
    assertEquals(headers.get("cache-status"), "lastgood; hit; detail=circuit-open");
    assertAge(headers, 17);
    assertEquals(app.upstream.calls, calls);
  },

  "HEAD and If-None-Match are answered from memory": async (app) => {
    const head = await ask(app, "/api/items", { method: "HEAD" });
    const same = await ask(app, "/api/items", { headers: { "if-none-match": '"1"' } });

    assertEquals([head.status, head.text], [200, ""]);
    assertEquals([same.status, same.text], [304, ""]);
  },

  "if nothing is kept, a 503 says when to come back": async (app) => {
    const { status, text, headers } = await ask(app, "/api/other");

    assertEquals([status, headers.get("content-type")], [503, "application/problem+json"]);
    assertEquals(JSON.parse(text).status, 503);
    const secs = Number(headers.get("retry-after"));
    assert(secs >= 10 && secs <= 20, `Retry-After is ${secs}`);
    assertEquals(headers.get("cache-status"), null);
  },

  "a probe that fails serves the last good answer, and the circuit stays open": async (app) => {
    const { calls } = app.upstream;
    app.aheadMs += DELAY_MS;

    const { status, headers } = await ask(app);
    const next = await ask(app);

    assertEquals(status, 200);
    assertMatch(headers.get("cache-status") ?? "", /fwd-status=500/);
    assertMatch(next.headers.get("cache-status") ?? "", /circuit-open/);
    assertEquals(app.upstream.calls, calls + 1);
  },

  "after the delay, a healed upstream answers again": async (app) => {
    app.upstream.heal();
    app.aheadMs += DELAY_MS;

    const probe = await ask(app);
    const other = await ask(app, "/api/other");

    assertEquals([probe.status, probe.text], [200, "/api/items 2"]);
    assertEquals(probe.headers.get("cache-status"), null);
    assertEquals([other.status, other.text], [200, "/api/other 2"]);
  },

  "answers from an unreachable upstream are replaced, too": async (app) => {
    await app.upstream.hangUp();

    for (let call = 0; call < THRESHOLD; call++) {
      const { status, text, headers } = await ask(app);

      assertEquals([status, text], [200, "/api/items 2"]);
      assertEquals(headers.get("cache-status"), "lastgood; fwd=stale; detail=origin-error");
    }
    const { headers } = await ask(app, "/api/other");
    assertEquals(headers.get("cache-status"), "lastgood; hit; detail=circuit-open");
  },

  "50 clients at once get the last good answer while one probes": async (app) => {
    app.upstream.listen();
    app.upstream.heal();
    const { calls } = app.upstream;
    app.aheadMs += DELAY_MS;

    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(app)));

    const good = ["/api/items 2", "/api/items 3"];
    for (const { status, text } of answers) {
      assertEquals(status, 200);
      assert(good.includes(text), text);
    }
    assert(app.upstream.calls > calls);
    assertEquals((await ask(app)).text, "/api/items 3");
  },
};

async function ask({ url, aheadMs }: Deployed, path = "/api/items", init: RequestInit = {}) {
  const headers = new Headers(init.headers);
  headers.set("x-ahead-ms", String(aheadMs));
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(new URL(path, url), { ...init, headers, signal });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Allows some seconds more, as the real clock also moves. */
function assertAge(headers: Headers, secs: number): void {
  const age = Number(headers.get("age") ?? NaN);
  assert(age >= secs && age <= secs + 10, `Age is ${age}, not ${secs}`);
}
