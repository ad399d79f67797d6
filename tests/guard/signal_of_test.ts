/** Promises 11 and 33: `signalOf` lets a handler stop when its call is over before it is. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { type Breaker, breaker, signalOf } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { ORIGIN } from "../stage/breaker_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { settled } from "../stage/settle.ts";
import { requestWith } from "../stage/ways.ts";

type Work = (request: Request) => Promise<Response>;

/** The ways whose handlers can ask for the signal of their request. */
const WAYS: Readonly<Record<string, (api: Breaker, work: Work) => Work>> = {
  wrap: (api, work) => async (request) => await api.wrap(work)(request),
  respond: (api, work) => (request) => api.respond(request, work),
  hono: (api, work) => {
    const app = new Hono();
    app.onError(() => new Response(null, { status: 500 }));
    app.use(middleware(api));
    app.all("*", (c) => work(c.req.raw));
    return async (request) => await app.fetch(request);
  },
};

for (const [way, make] of Object.entries(WAYS)) {
  Deno.test(`11: after a timeout no handler of ${way} that has asked for its signal still runs`, async () => {
    using time = new FakeTime();
    let running = 0;
    const handler = make(breaker({ timeoutMs: 1_000, threshold: 1_000 }), (request) => {
      running++;
      return new Promise((_, reject) => {
        signalOf(request).addEventListener("abort", (event) => {
          running--;
          reject((event.target as AbortSignal).reason);
        });
      });
    });
    const asked = Array.from({ length: 100 }, () => handler(new Request(ORIGIN)));
    const ended = Promise.allSettled(asked);
    await time.tickAsync(999);
    assertEquals(running, 100);
    await time.tickAsync(1);
    await ended;

    assertEquals(running, 0);
  });

  Deno.test(`11: the signal of ${way}'s handler aborts with its caller, for the same reason`, async () => {
    const caller = new AbortController();
    let signal: AbortSignal | undefined;
    const handler = make(breaker({ timeoutMs: Infinity }), (request) => {
      signal = signalOf(request);
      return new Promise(() => {});
    });
    const asked = handler(requestWith(ORIGIN, {}, caller.signal));
    asked.catch(() => {});
    await settled();
    assertEquals(signal?.aborted, false);
    caller.abort("gone");
    await settled();

    assertEquals([signal?.aborted, signal?.reason], [true, "gone"]);
  });

  Deno.test(`11: the signal of ${way}'s handler reaches the body, which its caller still can abort`, async () => {
    const caller = new AbortController();
    let signal: AbortSignal | undefined;
    const handler = make(breaker({ lastGood: false }), (request) => {
      signal = signalOf(request);
      return Promise.resolve(new Response("answered"));
    });
    await handler(requestWith(ORIGIN, {}, caller.signal));
    assertEquals(signal?.aborted, false);

    caller.abort("gone");
    await settled();

    assertEquals([signal?.aborted, signal?.reason], [true, "gone"]);
  });

  Deno.test(`11: our timeout leaves the signal of ${way}'s handler alone once it has answered`, async () => {
    using time = new FakeTime();
    let signal: AbortSignal | undefined;
    const handler = make(breaker({ timeoutMs: 1_000 }), (request) => {
      signal = signalOf(request);
      return Promise.resolve(new Response("answered"));
    });
    await (await handler(new Request(ORIGIN))).text();
    await time.tickAsync(2_000);

    assertEquals(signal?.aborted, false);
  });

  Deno.test(`11: a handler of ${way} that asks after its timeout gets an aborted signal`, async () => {
    using time = new FakeTime();
    const asks = deferred();
    let signal: AbortSignal | undefined;
    const handler = make(breaker({ timeoutMs: 1_000 }), async (request) => {
      await asks.promise;
      signal = signalOf(request);
      return new Response();
    });
    const asked = handler(new Request(ORIGIN));
    asked.catch(() => {});
    await time.tickAsync(1_000);
    asks.resolve();
    await settled();

    assertEquals([signal?.aborted, signal?.reason?.name], [true, "TimeoutError"]);
  });
}

Deno.test("11: a handler that asks twice gets one signal", async () => {
  const signals: AbortSignal[] = [];
  await breaker().wrap((request: Request) => {
    signals.push(signalOf(request), signalOf(request));
    return new Response();
  })(new Request(ORIGIN));

  assertStrictEquals(signals[0], signals[1]);
});

Deno.test("11: nothing is made for a handler that does not ask for a signal", async () => {
  const request = new Request(ORIGIN);
  const { AbortController: Original } = globalThis;
  let made = 0;
  globalThis.AbortController = class extends Original {
    constructor() {
      super();
      made++;
    }
  };
  try {
    await breaker({ lastGood: false }).wrap(() => new Response())(request);
  } finally {
    globalThis.AbortController = Original;
  }

  assertEquals(made, 0);
});

Deno.test("a request that no breaker guards gives its own signal", () => {
  const { signal } = new AbortController();
  const request = requestWith(ORIGIN, {}, signal);

  assertStrictEquals(signalOf(request), request.signal);
  const without = { url: ORIGIN, method: "GET", headers: new Headers() } as Request;
  assertEquals(signalOf(without).aborted, false);
});

Deno.test("11: an outer call's timeout reaches the signal of a handler inside", async () => {
  using time = new FakeTime();
  let signal: AbortSignal | undefined;
  const inner = breaker({ timeoutMs: Infinity }).wrap((request: Request) => {
    signal = signalOf(request);
    return new Promise<Response>(() => {});
  });
  const outer = breaker({ timeoutMs: 1_000 }).wrap((request: Request) => inner(request));
  Promise.resolve(outer(new Request(ORIGIN))).catch(() => {});
  await time.tickAsync(1_000);
  await settled();

  assertEquals(signal?.aborted, true);
});

Deno.test("11: a call that timed out does not stop a later one for the same request", async () => {
  using time = new FakeTime();
  const signals: AbortSignal[] = [];
  const handler = breaker({ timeoutMs: 1_000 }).wrap((request: Request) => {
    signals.push(signalOf(request));
    return new Promise<Response>(() => {});
  });
  const request = new Request(ORIGIN);
  Promise.resolve(handler(request)).catch(() => {});
  await time.tickAsync(1_000);
  await settled();
  Promise.resolve(handler(request)).catch(() => {});
  await settled();

  assertEquals(signals.map(({ aborted }) => aborted), [true, false]);
  await time.tickAsync(1_000);
  await settled();
  assertEquals(signals[1]?.aborted, true);
});

for (const [what, own] of [["no", {}], ["an empty", { signal: null }]] as const) {
  Deno.test(`11: a handler whose request has ${what} signal gets one that our timeout aborts`, async () => {
    using time = new FakeTime();
    let signal: AbortSignal | undefined;
    const request = { url: `${ORIGIN}/`, method: "GET", headers: new Headers(), ...own };
    const handler = breaker({ timeoutMs: 1_000 }).wrap((request: Request) => {
      signal = signalOf(request);
      return new Promise<Response>(() => {});
    });
    Promise.resolve(handler(request as unknown as Request)).catch(() => {});
    await time.tickAsync(1_000);
    await settled();

    assertEquals(signal?.aborted, true);
  });
}

Deno.test("a guarded request looks like any other", async () => {
  const request = new Request(ORIGIN);
  const before = Reflect.ownKeys(request);
  await breaker().wrap(() => new Response())(request);

  assertEquals(Reflect.ownKeys(request), before);
});

Deno.test("11, 33: our timeout reaches the request that a handler in the background has of its own", async () => {
  using time = new FakeTime();
  const requests: Request[] = [];
  const answers = [() => new Response("good"), () => new Response(null, { status: 500 })];
  const api = breaker({ threshold: 1, delayMs: 1_000, timeoutMs: 500, background: true });
  const handler = api.wrap((request: Request) => {
    requests.push(request);
    return answers.shift()?.() ?? new Promise<Response>(() => {});
  });
  for (let call = 1; call <= 2; call++) await (await handler(new Request(ORIGIN))).text();
  await time.tickAsync(1_000);
  await (await handler(new Request(ORIGIN))).text();
  await time.tickAsync(500);
  await settled();

  const signal: AbortSignal | undefined = requests.at(-1)?.signal;

  assertEquals(requests.length, 3);
  if (signal === undefined) return; // Vercel Edge has no signal.
  assertEquals(signal.aborted, true);
});
