/** Promise 37: what is hardly a request reaches the handler as it would without the breaker. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import type { BreakerOptions } from "@lastgood/breaker";
import { ORIGIN, stage, waiting } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";

const GOOD = { headers: new Headers(), method: "GET" };

const HARDLY: Readonly<Record<string, object>> = {
  "with a path for a URL": { ...GOOD, url: "/" },
  "with a space in its host": { ...GOOD, url: "http://a b/" },
  "with a port that is too high": { ...GOOD, url: "http://a:99999/" },
  "without a URL": GOOD,
  "without headers": { method: "GET", url: ORIGIN },
  "without a method": { url: ORIGIN, headers: new Headers() },
  "with nothing": {},
  "whose members throw": new Proxy({}, {
    get() {
      throw new Error("gone");
    },
  }),
};

/** Mocks that have all that is needed. */
const MOCKS: Readonly<Record<string, object>> = {
  "with Headers": { ...GOOD, url: `${ORIGIN}/` },
  "with plain headers": { method: "get", url: `${ORIGIN}/`, headers: { accept: "text/html" } },
  "with a Map of headers": { method: "GET", url: `${ORIGIN}/`, headers: new Map() },
  "with a URL object": { ...GOOD, url: new URL(ORIGIN) },
};

const NEVER = () => {
  throw new Error("asked");
};

/** Asks a wrapped handler that answers with a page each time, then fails. */
async function ask(request: object, options: BreakerOptions = {}) {
  const act = stage([200], { threshold: 2, waitUntil: waiting().waitUntil, ...options });
  const seen: unknown[] = [];
  let status = 200;
  const handler = act.api.wrap((request: Request) => {
    seen.push(request);
    return new Response(status === 200 ? "page" : null, { status });
  });
  const answers: unknown[] = [];
  for (status of [200, 500, 500, 500]) {
    const answer = await handler(request as Request);
    answers.push([answer.status, await answer.text()]);
  }
  return { ...act, seen, answers, state: act.circuit.state, name: act.circuit.name };
}

for (const [what, request] of Object.entries(HARDLY)) {
  Deno.test(`37: a request ${what} reaches the handler, and nothing is kept for it`, async () => {
    const { seen, answers, events, state, name } = await ask(request, {
      key: NEVER,
      lastGood: { key: NEVER, partition: NEVER },
    });

    assertEquals(answers.slice(0, 3), [[200, "page"], [500, ""], [500, ""]]);
    assertStrictEquals(seen[0], request);
    assertEquals([seen.length, state, name], [3, "open", "circuit"]);
    assertEquals(only(events, "error"), []);
    assertEquals([...only(events, "kept"), ...only(events, "stale")], []);
  });
}

for (const [what, request] of Object.entries(MOCKS)) {
  Deno.test(`37: a mock ${what} is guarded like a request`, async () => {
    const { seen, answers, events } = await ask(request);

    assertEquals(answers, Array(4).fill([200, "page"]));
    assertStrictEquals(seen[0], request);
    assertEquals(only(events, "error"), []);
  });
}

Deno.test("37: a handler that cannot read the URL either does not open the circuit", async () => {
  const act = stage([200], { threshold: 1 });
  const handler = act.api.wrap(({ url }: Request) => new Response(new URL(url).pathname));
  await Promise.resolve(handler({ ...GOOD, url: "http://a b/" } as Request)).catch(() => {});

  assertEquals([act.circuit.state, act.types], ["closed", ["ignored"]]);
});

Deno.test("37: a fallback gets such a request as it is", async () => {
  const request = { ...GOOD, method: "POST", url: "/" } as Request;
  let given: unknown;
  const act = stage([200], {
    fallback: (request) => {
      given = request;
      return new Response("instead");
    },
  });
  const failing = () => new Response(null, { status: 500 });
  const answer = await act.api.wrap(failing)(request);

  assertEquals(await answer.text(), "instead");
  assertStrictEquals(given, request);
});

Deno.test("37: an unsafe request without a readable URL removes nothing", async () => {
  const act = stage([200]);
  const handler = act.api.wrap((request: Request) => new Response(request.method));
  await (await handler(new Request(ORIGIN))).text();
  await handler({ ...GOOD, method: "POST", url: "/" } as Request);
  act.circuit.trip();

  assertEquals(await (await handler(new Request(ORIGIN))).text(), "GET");
});

Deno.test("28: a callback gets the cf of a request whose body it does not get", async () => {
  const cf = { country: "NL" };
  const request = new Request(ORIGIN, { method: "POST", body: "text", cf } as RequestInit);
  if ((request as { cf?: unknown }).cf === undefined) {
    Object.defineProperty(request, "cf", { value: cf });
  }
  const inits: unknown[] = [];
  const { Request: Original } = globalThis;
  globalThis.Request = class extends Original {
    constructor(...args: ConstructorParameters<typeof Request>) {
      super(...args);
      inits.push(args[1]);
    }
  };
  try {
    const act = stage([200], { key: () => "key" });
    await act.api.wrap(() => new Response())(request);
  } finally {
    globalThis.Request = Original;
  }

  assertEquals(inits.map((init) => (init as { cf?: unknown }).cf), [cf]);
});
