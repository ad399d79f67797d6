/** The fields of a served answer are made once for a second and a reason, and belong to each answer. */

import { breaker, type LastGoodOptions } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { Clock } from "../stage/clock.ts";
import { PAGE } from "../stage/site.ts";

/** A wrapped handler whose page is fresh for 60 seconds, and whose circuit is opened by hand. */
class App {
  readonly clock = new Clock();
  readonly api;
  readonly #handler;
  page = "good";

  constructor(lastGood: LastGoodOptions = {}) {
    this.api = breaker({
      name: "app",
      delayMs: 600_000,
      timeoutMs: Infinity,
      now: this.clock.now,
      lastGood: { refreshMs: 0, ...lastGood },
    });
    this.#handler = this.api.wrap(() => {
      const headers = { "cache-control": "max-age=60", "x-page": this.page };
      return new Response(this.page, { headers });
    });
  }

  async ask(): Promise<Response> {
    return await this.#handler(new Request(PAGE));
  }

  /** Keeps the page anew, and opens the circuit. */
  async keep(): Promise<this> {
    const circuit = this.api.circuit("app");
    circuit.reset();
    await (await this.ask()).text();
    circuit.trip();
    return this;
  }

  async fields(...names: string[]): Promise<(string | null)[]> {
    const { headers } = await this.ask();
    return names.map((name) => headers.get(name));
  }
}

Deno.test("H1: what an app does to the fields of one answer does not show in the next", async () => {
  const app = await new App().keep();
  const { headers } = await app.ask();
  headers.set("x-page", "changed");
  headers.append("set-cookie", "sid=ann");
  headers.delete("age");

  assertEquals(await app.fields("x-page", "set-cookie", "age"), ["good", null, "0"]);
});

Deno.test("H1: what a server writes into the record of one answer does not show in the next", async () => {
  const app = await new App().keep();
  const original = globalThis.Response;
  globalThis.Response = class extends original {
    constructor(body?: BodyInit | null, init: ResponseInit = {}) {
      super(body, init);
      Object.assign(init.headers!, { "Content-Length": 4, "x-page": "written" });
    }
  } as typeof Response;
  try {
    await app.ask();
  } finally {
    globalThis.Response = original;
  }

  assertEquals(await app.fields("x-page", "content-length"), ["good", "4"]);
});

Deno.test("H2, H3: age and ttl go on from second to second, and not before", async () => {
  const app = await new App().keep();
  const seen: unknown[] = [];
  for (const ms of [0, 999, 1, 999, 1, 58_000]) {
    app.clock.tick(ms);
    seen.push(...await app.fields("age", "cache-status"));
  }

  const at = (secs: number) => [`${secs}`, `lastgood; hit; ttl=${60 - secs}; detail=circuit-open`];
  assertEquals(seen, [0, 0, 1, 1, 2, 60].flatMap(at));
});

Deno.test("H3: another reason within the same second has a Cache-Status of its own", async () => {
  const app = await new App({ freshMs: 2_000 }).keep();
  const open = await app.fields("cache-status");
  app.api.forget(PAGE, { soft: true });

  const outdated = await app.fields("cache-status");

  assertEquals([open, outdated], [
    ["lastgood; hit; ttl=60"],
    ["lastgood; hit; ttl=60; detail=circuit-open"],
  ]);
});

Deno.test("H1: a copy that is made anew is served with its own fields in the same second", async () => {
  const app = await new App().keep();
  const before = await app.fields("x-page", "content-length");
  app.page = "second";
  await app.keep();

  const after = await app.fields("x-page", "content-length");

  assertEquals([before, after], [["good", "4"], ["second", "6"]]);
});

Deno.test("H3: failures within the same second each have a Cache-Status of their own", async () => {
  const answers = [200, 503, 500];
  const api = breaker({ name: "app", threshold: 10, timeoutMs: Infinity, now: new Clock().now });
  const handler = api.wrap(() => {
    const status = answers.shift();
    if (status === undefined) throw new Error("down");
    return new Response("good", { status });
  });
  const ask = async () => (await handler(new Request(PAGE))).headers.get("cache-status");
  await ask();

  const seen = [await ask(), await ask(), await ask()];

  assertEquals(seen, [
    "lastgood; fwd=stale; fwd-status=503; detail=origin-error",
    "lastgood; fwd=stale; fwd-status=500; detail=origin-error",
    "lastgood; fwd=stale; detail=origin-error",
  ]);
});

Deno.test("H1: what a server writes into the fields of one answer does not show in the next", async () => {
  const app = await new App().keep();
  const seen: unknown[] = [];
  const { Response } = globalThis;
  class Writing extends Response {
    constructor(body?: BodyInit | null, init?: ResponseInit) {
      super(body, init);
      const { headers } = init ?? {};
      if (headers === undefined || headers instanceof Headers) return;
      seen.push(Object.hasOwn(headers, "x-written"));
      Object.assign(headers, { "x-written": "1" });
    }
  }
  globalThis.Response = Writing;
  try {
    await app.fields();
    await app.fields();
  } finally {
    globalThis.Response = Response;
  }

  assertEquals(seen.includes(true), false);
});

Deno.test("F5: only a kept 200 is answered by a 304", async () => {
  const api = breaker({ name: "app", timeoutMs: Infinity, lastGood: { statuses: [200, 404] } });
  const handler = api.wrap(() =>
    new Response("none", { status: 404, headers: { etag: '"1"', "cache-control": "max-age=60" } })
  );
  await (await handler(new Request(PAGE))).text();
  api.circuit("app").trip();

  const { status } = await handler(new Request(PAGE, { headers: { "if-none-match": '"1"' } }));

  assertEquals(status, 404);
});

Deno.test("H1: each answer has its own fields although a server has replaced Response since the last", async () => {
  const app = await new App().keep();
  const { Response } = globalThis;
  const isBun = "Bun" in globalThis;
  // A host whose responses copy the `Headers` that they are given.
  if (!isBun) Object.assign(globalThis, { Bun: {} });
  /** As that of a server, which holds on to what it is given. */
  class Light {
    readonly headers;
    readonly status;
    constructor(_body?: BodyInit | null, { headers, status = 200 }: ResponseInit = {}) {
      this.headers = headers instanceof Headers ? headers : new Headers(headers);
      this.status = status;
    }
  }
  try {
    await app.fields();
    Object.assign(globalThis, { Response: Light });
    const { headers } = await app.ask();
    headers.set("x-page", "changed");
    assertEquals(await app.fields("x-page"), ["good"]);
  } finally {
    globalThis.Response = Response;
    if (!isBun) Reflect.deleteProperty(globalThis, "Bun");
  }
});
