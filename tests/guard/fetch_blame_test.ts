import { assertEquals, assertRejects } from "@std/assert";
import { breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { pieces } from "../stage/bodies.ts";
import { ORIGIN, stage } from "../stage/breaker_stage.ts";

/** The causes of the calls that have ended. */
function causes(events: readonly BreakerEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === "ignored") return [event.why];
    return event.type === "failure" ? [event.cause ?? "upstream"] : [];
  });
}

/** Sets a stage that calls the runtime's own fetch. */
function real(options: BreakerOptions = {}) {
  const events: BreakerEvent[] = [];
  const api = breaker({ threshold: 1, onEvent: (event) => events.push(event), ...options });
  return { api, events };
}

const used = async () => {
  const request = new Request(ORIGIN, { method: "POST", body: "text" });
  await request.text();
  return request;
};
const read = async () => {
  const body = pieces("text");
  await body.getReader().read();
  return body;
};

/** What every runtime's fetch refuses. */
const REFUSED: Readonly<Record<string, () => Promise<[Request | string, RequestInit?]>>> = {
  "a used Request": async () => [await used()],
  "a body that is read elsewhere": async () => [
    ORIGIN,
    { method: "POST", body: await read(), duplex: "half" } as RequestInit,
  ],
  "a GET with a body": () => Promise.resolve([ORIGIN, { body: "text" }]),
  "a HEAD with a body": () => Promise.resolve([ORIGIN, { method: "HEAD", body: "text" }]),
  "a bogus redirect": () => Promise.resolve([ORIGIN, { redirect: "bogus" as "follow" }]),
  "a bogus signal": () => Promise.resolve([ORIGIN, { signal: {} as AbortSignal }]),
};

for (const [what, make] of Object.entries(REFUSED)) {
  Deno.test(`31: ${what} is refused by fetch itself and does not count`, async () => {
    let asked = 0;
    const act = real({ judge: () => (asked++, undefined) });
    const [input, init] = await make();

    await assertRejects(() => act.api.fetch(input, init), TypeError);

    assertEquals([causes(act.events), asked], [["arguments"], 0]);
  });
}

for (const method of ["TRACE", "CONNECT"]) {
  Deno.test(`31: a ${method} that fetch refuses does not count`, async () => {
    const fetch = () => Promise.reject(new TypeError("Method is forbidden"));
    const act = stage([200], { fetch, threshold: 1 });

    await assertRejects(() => act.api.fetch(ORIGIN, { method }), TypeError);

    assertEquals(causes(act.events), ["arguments"]);
  });
}

/** Requests with nothing wrong about them. */
const FINE: Readonly<Record<string, () => [Request | string, RequestInit?]>> = {
  "a GET": () => [ORIGIN],
  "a GET with fields": () => [ORIGIN, { headers: { "x-a": "1" }, redirect: "manual" }],
  "a POST": () => [ORIGIN, { method: "POST", body: "text" }],
  "a POST of a stream": () => [
    ORIGIN,
    { method: "POST", body: pieces("text"), duplex: "half" } as RequestInit,
  ],
  "a POST of an async iterable": () => [
    ORIGIN,
    { method: "POST", duplex: "half", body: { async *[Symbol.asyncIterator]() {} } } as never,
  ],
  "a Request": () => [new Request(ORIGIN, { method: "PUT", body: "text" })],
  "a GET whose body is null": () => [ORIGIN, { body: null, signal: null }],
};

for (const [what, make] of Object.entries(FINE)) {
  for (
    const error of [new TypeError("fetch failed"), new TypeError("odd"), new Error("reset"), "odd"]
  ) {
    Deno.test(`31: ${what} that is rejected by ${error} counts`, async () => {
      const fetch = () => Promise.reject(error);
      const act = stage([200], { fetch, threshold: 1, timeoutMs: 60_000 });
      const [input, init] = make();

      await act.api.fetch(input, init).catch(() => {});

      assertEquals(causes(act.events), ["upstream"]);
      assertEquals(act.circuit.state, "open");
    });
  }
}

// ---- Integrity ----

Deno.test("34: a request with integrity is never answered from memory", async () => {
  const bodies = ["old", "new"];
  const fetch = () => {
    const body = bodies.shift();
    return Promise.resolve(new Response(body ?? "", { status: body === undefined ? 503 : 200 }));
  };
  const act = stage([200], { fetch, threshold: 1, lastGood: { freshMs: 60_000 } });
  await act.text();
  const integrity = "sha256-AAAA";
  const ask = async (given: string | Request, init?: RequestInit) =>
    await (await act.api.fetch(given, init)).text();

  assertEquals(await ask(`${ORIGIN}/`, { integrity }), "new");
  assertEquals(await ask(`${ORIGIN}/`, { integrity }), "");
  await assertRejects(() => ask(`${ORIGIN}/`, { integrity }), Error, "open");
});

for (
  const error of [
    new TypeError("fetch failed", { cause: new Error("integrity mismatch") }),
    new TypeError("Subrequest integrity checking is not implemented."),
  ]
) {
  Deno.test(`34: "${error.cause ?? error.message}" is the caller's affair`, async () => {
    const act = stage([200], { fetch: () => Promise.reject(error), threshold: 1 });
    await act.api.fetch(ORIGIN, { integrity: "sha256-AAAA" }).catch(() => {});
    await act.api.fetch(ORIGIN).catch(() => {});

    assertEquals(causes(act.events), ["arguments", "upstream"]);
  });
}

Deno.test("34: a connection that fails while integrity is asked for counts", async () => {
  const fetch = () => Promise.reject(new TypeError("fetch failed"));
  const act = stage([200], { fetch, threshold: 1 });

  await act.api.fetch(ORIGIN, { integrity: "sha256-AAAA" }).catch(() => {});

  assertEquals(causes(act.events), ["upstream"]);
});

// ---- Uploads ----

/** Sends an async iterable, as undici does. */
const sending = async (_: unknown, init?: RequestInit): Promise<Response> => {
  for await (const _chunk of init?.body as unknown as AsyncIterable<unknown>);
  throw new TypeError("fetch failed");
};
const chunks = async function* (error?: Error) {
  yield "one";
  await Promise.resolve();
  if (error !== undefined) throw error;
};

for (const isBroken of [true, false]) {
  Deno.test(`32: an async iterable that ${isBroken ? "breaks does not count" : "ends counts"}`, async () => {
    const act = stage([200], { fetch: sending, threshold: 1 });
    const body = chunks(isBroken ? new Error("the client left") : undefined);

    await act.api.fetch(ORIGIN, { method: "POST", body, duplex: "half" } as never).catch(() => {});

    assertEquals(causes(act.events), [isBroken ? "upload" : "upstream"]);
  });
}

const never = () => new Promise<never>(() => {});
const hanging = async (_: unknown, init?: RequestInit): Promise<Response> => {
  const { body } = init ?? {};
  if (typeof body === "object" && body !== null && !("getReader" in body) && "next" in body) {
    for await (const _chunk of body as AsyncIterable<unknown>);
  }
  return await never();
};

/** Bodies, and who is to blame for a call with them that takes too long. */
const SLOW: readonly (readonly [what: string, make: () => unknown, cause: string])[] = [
  ["a stream that is still open", () => new ReadableStream({}), "upload"],
  ["an async iterable that goes on", async function* () {
    yield "one";
    await never();
  }, "upload"],
  ["an async iterable that has ended", chunks, "timeout"],
  ["text", () => "text", "timeout"],
  ["bytes", () => new Uint8Array(3), "timeout"],
  ["a Blob", () => new Blob(["text"]), "timeout"],
  ["a form", () => new FormData(), "timeout"],
  ["parameters", () => new URLSearchParams("a=b"), "timeout"],
  ["nothing", () => undefined, "timeout"],
];

for (const [what, make, cause] of SLOW) {
  Deno.test(`32: a timeout while sending ${what} is ${cause}`, async () => {
    const act = stage([200], { fetch: hanging, threshold: 1, timeoutMs: 5 });
    const init = { method: "POST", body: make(), duplex: "half" } as RequestInit;

    await assertRejects(() => act.api.fetch(ORIGIN, init), DOMException);

    assertEquals(causes(act.events), [cause]);
  });
}

Deno.test("32: a deadline while a stream is still open is no evidence either", async () => {
  const act = stage([200], { fetch: hanging, threshold: 1 });
  const init = { method: "POST", body: new ReadableStream({}), duplex: "half" } as RequestInit;
  const signal = AbortSignal.timeout(5);

  await assertRejects(() => act.api.fetch(ORIGIN, { ...init, signal }), DOMException);

  assertEquals(causes(act.events), ["upload"]);
});

Deno.test("32: a timeout of a Request that has no body counts", async () => {
  const act = stage([200], { fetch: hanging, threshold: 1, timeoutMs: 5 });

  await assertRejects(() => act.api.fetch(new Request(ORIGIN, { method: "DELETE" })), DOMException);

  assertEquals(causes(act.events), ["timeout"]);
});

/** A stream as Node's packages have it, for a fetch that takes one. */
const nodeStream = (state: { errored?: unknown; readableEnded?: boolean }) => {
  const stream = { pipe() {}, destroyed: 0, destroy: () => stream.destroyed++, ...state };
  return Object.assign(stream, { async *[Symbol.asyncIterator]() {} });
};

for (
  const [what, state, rejected, late] of [
    ["is under way", { errored: null, readableEnded: false }, "upstream", "upload"],
    ["has ended", { errored: null, readableEnded: true }, "upstream", "timeout"],
    ["has broken", { errored: new Error("gone"), readableEnded: false }, "upload", "upload"],
  ] as const
) {
  Deno.test(`32: a Node stream that ${what} is told by its own words`, async () => {
    const init = () => ({ method: "POST", body: nodeStream(state), duplex: "half" }) as never;
    const failing = stage([200], { fetch: () => Promise.reject(new Error("reset")) });
    const slow = stage([200], { fetch: hanging, timeoutMs: 5 });
    await failing.api.fetch(ORIGIN, init()).catch(() => {});
    await slow.api.fetch(ORIGIN, init()).catch(() => {});

    assertEquals([causes(failing.events), causes(slow.events)], [[rejected], [late]]);
  });
}

Deno.test("28: a Node stream of a call that is never made is destroyed, and sent as it is otherwise", async () => {
  const sent: unknown[] = [];
  const fetch = (_: unknown, init?: RequestInit) => {
    sent.push(init?.body);
    return Promise.resolve(new Response());
  };
  const act = stage([200], { fetch });
  const [first, second] = [nodeStream({}), nodeStream({})];
  await act.api.fetch(ORIGIN, { method: "POST", body: first } as never);
  act.circuit.trip();
  await act.api.fetch(ORIGIN, { method: "POST", body: second } as never).catch(() => {});

  assertEquals([sent.length, sent[0] === first], [1, true]);
  assertEquals([first.destroyed, second.destroyed], [0, 1]);
});

Deno.test("32: a POST Request without a body that takes too long counts", async () => {
  const act = stage([200], { fetch: hanging, timeoutMs: 5 });

  await act.api.fetch(new Request(ORIGIN, { method: "POST" })).catch(() => {});

  assertEquals(causes(act.events), ["timeout"]);
});
