import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { ORIGIN, stage } from "../stage/breaker_stage.ts";

type Arguments = [input: RequestInfo | URL, init?: RequestInit];

/** Makes a breaker whose upstream records its arguments. */
function heard(options: BreakerOptions = {}) {
  const calls: Arguments[] = [];
  const fetch = (...args: Arguments) => {
    calls.push(args);
    return Promise.resolve(new Response("fine"));
  };
  return Object.assign(stage([200], { timeoutMs: 60_000, fetch, ...options }), { calls });
}

const REQUEST = new Request(`${ORIGIN}/a?b#c`);

/** What is given, and what the upstream's `fetch` gets: nothing that an app can change later. */
const INPUTS: readonly (readonly [given: RequestInfo | URL, sent: RequestInfo])[] = [
  [`${ORIGIN}/a?b#c`, `${ORIGIN}/a?b#c`],
  [new URL(`${ORIGIN}/a?b#c`), `${ORIGIN}/a?b#c`],
  [REQUEST, REQUEST],
];

for (const [given, sent] of INPUTS) {
  Deno.test(`28: fetch passes a ${given.constructor.name} on`, async () => {
    const { api, calls } = heard();
    await (await api.fetch(given)).text();

    assertStrictEquals(calls[0]![0], sent);
    assertEquals(Object.keys(calls[0]![1]!), ["signal"]);
  });
}

Deno.test("28: fetch passes init on, and adds only its signal", async () => {
  const { api, calls } = heard();
  const [cf, client, dispatcher] = [{ cacheTtl: 5 }, { close() {} }, { dispatch() {} }];
  const body = new Blob(["text"]);
  const headers = { "X-A": "1" };
  const unknown = Symbol("unknown");
  const init = { method: "PUT", body, headers, cf, client, dispatcher, [unknown]: 1 };
  await api.fetch(ORIGIN, Object.freeze(init) as RequestInit);

  const { signal, ...rest } = calls[0]![1] as typeof init & RequestInit;
  assert(signal instanceof AbortSignal);
  assertEquals(Object.keys(rest), Object.keys(init));
  assertEquals(rest.headers, headers);
  assertStrictEquals(rest[unknown], 1);
  for (const name of ["body", "cf", "client", "dispatcher"] as const) {
    assertStrictEquals(rest[name], init[name]);
  }
});

Deno.test("28: a Request as init takes full effect", async () => {
  const act = heard();
  const headers = { "x-a": "1", "content-type": "text/plain" };
  const init = new Request("http://elsewhere.test/", { method: "POST", headers, body: "text" });
  await act.api.fetch(`${ORIGIN}/here`, init);

  const [input, given] = act.calls[0]!;
  const request = new Request(input, given);
  assertEquals([request.url, request.method], [`${ORIGIN}/here`, "POST"]);
  assertEquals(request.headers.get("x-a"), "1");
  assertEquals(await request.text(), "text");
});

Deno.test("28: the rules for keeping read method and fields from a Request as init", async () => {
  const act = heard();
  const headers = { authorization: "secret" };
  await (await act.api.fetch(`${ORIGIN}/`, new Request("http://b.test/", { headers }))).text();

  const event = act.events.find(({ type }) => type === "not_kept");
  assert(event?.type === "not_kept" && event.why === "authorization");
});

Deno.test("28: a background probe keeps every argument, and adds its condition", async () => {
  const calls: Arguments[] = [];
  let status = 200;
  const fetch = (...args: Arguments) => {
    calls.push(args);
    return Promise.resolve(new Response("x", { status, headers: { etag: '"1"' } }));
  };
  const act = stage([200], { fetch, threshold: 1, waitUntil: () => {} });
  const init = { headers: [["x-a", "1"]] as [string, string][], cf: { cacheTtl: 5 } };
  const text = async () => await (await act.api.fetch(ORIGIN, init)).text();
  await text();
  status = 500;
  await text();
  act.tick(1_000);
  await text();
  await act.api.idle();

  const given = calls[2]![1] as typeof init;
  assertEquals(calls.length, 3);
  assertStrictEquals(given.cf, init.cf);
  const headers = new Headers(given.headers);
  assertEquals([headers.get("if-none-match"), headers.get("x-a")], ['"1"', "1"]);
  assertEquals(init.headers, [["x-a", "1"]]);
});

for (const url of ["http://", "http://a b/"]) {
  Deno.test(`28: the bad URL ${JSON.stringify(url)} rejects and is not counted`, async () => {
    const act = heard({ threshold: 1 });

    await assertRejects(() => act.api.fetch(url), TypeError);

    assertEquals([act.calls.length, act.events, [...act.api.circuits()]], [0, [], []]);
  });
}

for (const url of ["", "no url", "http://", "/relative", "http://a b/"]) {
  Deno.test(`28: the global fetch says what is wrong with ${JSON.stringify(url)}`, async () => {
    const events: BreakerEvent[] = [];
    const api = breaker({ threshold: 1, onEvent: (event) => events.push(event) });
    const bare = await assertRejects(() => fetch(url), TypeError);

    const guarded = await assertRejects(() => api.fetch(url), TypeError);

    assertEquals(guarded.message, bare.message);
    assertEquals([events, [...api.circuits()]], [[], []]);
  });
}

Deno.test("28: bad header fields reject and are not counted", async () => {
  const act = heard({ threshold: 1 });

  await assertRejects(() => act.api.fetch(ORIGIN, { headers: { "a b": "c" } }), TypeError);

  assertEquals([act.calls.length, act.events], [0, []]);
});

Deno.test("28: callbacks get a Request without a body", async () => {
  const seen: Request[] = [];
  const see = (request: Request) => (seen.push(request), "key");
  const options = {
    key: see,
    lastGood: { key: see, partition: see },
    fallback: (request: Request) => (seen.push(request), new Response("F")),
  };
  const post = { method: "POST", body: "secret", headers: { "x-a": "1" } };
  const failing = () => Promise.resolve(new Response("bad", { status: 500 }));
  const act = stage([200], { ...options, fetch: failing });
  await act.api.fetch(`${ORIGIN}/p?q`, post);
  await act.api.fetch(new Request(`${ORIGIN}/p?q`, post));
  await act.api.wrap(failing)(new Request(`${ORIGIN}/p?q`, post));
  await act.api.respond(new Request(`${ORIGIN}/p?q`, post), failing);

  assert(seen.length >= 12);
  for (const request of seen) {
    assertEquals([request.url, request.method], [`${ORIGIN}/p?q`, "POST"]);
    assertEquals(request.headers.get("x-a"), "1");
    assertEquals(await request.text(), "");
  }
});

Deno.test("29: a request body is neither read nor buffered nor locked", async () => {
  const input = new Request(ORIGIN, { method: "POST", body: "text" });
  const act = heard({ threshold: 1 });
  await act.api.fetch(input);
  assertEquals(input.bodyUsed, false);

  const respond = (request: Request) => request.text().then((text) => new Response(text));
  assertEquals(await (await act.api.respond(input, respond)).text(), "text");
  const wrapped = act.api.wrap(respond);
  const again = new Request(ORIGIN, { method: "POST", body: "more" });
  assertEquals(await (await wrapped(again)).text(), "more");
});

Deno.test("29: a failed request with a body is not retried", async () => {
  let calls = 0;
  const fetch = (_: RequestInfo | URL, init?: RequestInit) => {
    calls++;
    assertEquals(init?.body, "text");
    return Promise.reject(new TypeError("reset"));
  };
  const act = stage([200], { fetch });

  await assertRejects(() => act.api.fetch(ORIGIN, { method: "POST", body: "text" }), TypeError);

  assertEquals(calls, 1);
});

for (const [what, answer] of [["rejects", "reset"], ["is answered by 503", 503]] as const) {
  Deno.test(`N7: a GET that ${what} is not retried`, async () => {
    const act = stage([answer], { lastGood: false });

    await act.api.fetch(ORIGIN).catch(() => {});

    assertEquals(act.origin.calls, 1);
  });
}

Deno.test("28: without the fetch option, each call uses the current global fetch", async () => {
  const before = globalThis.fetch;
  const api = breaker();
  const response = new Response(null, { status: 404 });
  globalThis.fetch = () => Promise.resolve(response);
  try {
    assertStrictEquals(await api.fetch(ORIGIN), response);
  } finally {
    globalThis.fetch = before;
  }
});
