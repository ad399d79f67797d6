import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { breaker, type BreakerOptions, CircuitOpenError } from "@lastgood/breaker";
import { faucet } from "../stage/bodies.ts";
import { ORIGIN, stage } from "../stage/breaker_stage.ts";
import { settled } from "../stage/settle.ts";

type Arguments = [input: string | URL | Request, init?: RequestInit, ...rest: unknown[]];

/** Sets a stage whose upstream records what it gets. */
function heard(options: BreakerOptions = {}) {
  const calls: Arguments[] = [];
  const fetch = (...args: Arguments) => {
    calls.push(args);
    return Promise.resolve(new Response(`page ${calls.length}`));
  };
  return Object.assign(stage([200], { fetch, timeoutMs: 60_000, ...options }), { calls });
}

const partition = () => Promise.resolve("alice");
const fieldsOf = ([, init]: Arguments) => new Headers(init?.headers);

// ---- Read once, at once ----

Deno.test("28: a URL that changes after the call is called and kept as it was", async () => {
  const act = heard({ lastGood: { partition } });
  const url = new URL(`${ORIGIN}/1`);
  const asked: Promise<Response>[] = [];
  for (const path of ["/1", "/2", "/3"]) {
    url.pathname = path;
    asked.push(act.api.fetch(url));
  }
  await Promise.all(asked.map(async (answer) => await (await answer).text()));
  await act.api.idle();

  const called = act.calls.map(([input]) => String(input));
  assertEquals(called.sort(), ["1", "2", "3"].map((n) => `${ORIGIN}/${n}`));
  const kept = act.events.flatMap((event) => event.type === "kept" ? [event.url] : []);
  assertEquals(kept.sort(), ["1", "2", "3"].map((n) => `${ORIGIN}/${n}`));
});

/** Fields in every form, and how an app changes them. */
const FIELDS: Readonly<Record<string, () => [headers: HeadersInit, change: () => void]>> = {
  "Headers": () => {
    const headers = new Headers({ "x-a": "1" });
    return [headers, () => headers.set("x-a", "2")];
  },
  "a plain object": () => {
    const headers: Record<string, string> = { "x-a": "1" };
    return [headers, () => headers["x-a"] = "2"];
  },
  "a list": () => {
    const headers: [string, string][] = [["x-a", "1"]];
    return [headers, () => headers[0]![1] = "2"];
  },
};

for (const [form, make] of Object.entries(FIELDS)) {
  for (const late of ["partition", "fetch"]) {
    Deno.test(`28: fields as ${form} that change while ${late} waits are sent as they were`, async () => {
      const sent: (string | null)[] = [];
      const fetch = async (_: unknown, init?: RequestInit) => {
        if (late === "fetch") await settled();
        sent.push(new Headers(init?.headers).get("x-a"));
        return new Response();
      };
      const { api } = stage([200], { fetch, lastGood: late === "fetch" ? {} : { partition } });
      const [headers, change] = make();
      const answer = api.fetch(ORIGIN, { headers });

      change();
      await answer;

      assertEquals(sent, ["1"]);
    });
  }
}

Deno.test("28: an init that changes after the call is sent as it was", async () => {
  const act = heard({ lastGood: { partition } });
  const init: RequestInit = { method: "PUT", body: "1" };
  const answer = act.api.fetch(ORIGIN, init);

  Object.assign(init, { method: "DELETE", body: "2" });
  await answer;

  const { method, body } = act.calls[0]![1]!;
  assertEquals([method, body], ["PUT", "1"]);
});

Deno.test("28: the fields of a Request that change after the call are sent as they were", async () => {
  const act = heard({ lastGood: { partition } });
  const request = new Request(ORIGIN, { headers: { "x-a": "1" } });
  const answer = act.api.fetch(request);

  request.headers.set("x-a", "2");
  await answer;

  const [input, init] = act.calls[0]!;
  assertEquals(new Request(input, init).headers.get("x-a"), "1");
});

Deno.test("28: each member of init is read once", async () => {
  let reads = 0;
  const init = {
    get method() {
      return ++reads === 1 ? "POST" : "DELETE";
    },
  };
  const act = heard();
  await act.api.fetch(ORIGIN, init);

  assertEquals([reads, act.calls[0]![1]?.method], [1, "POST"]);
});

Deno.test("28: fields given as an iterator are read once and arrive", async () => {
  const act = heard();
  await act.api.fetch(ORIGIN, { headers: new Map([["x-a", "1"]]).entries() as never });

  assertEquals(fieldsOf(act.calls[0]!).get("x-a"), "1");
});

// ---- By shape ----

class Options {
  readonly #method = "POST";
  get method() {
    return this.#method;
  }
  get headers() {
    return { "x-a": "1" };
  }
}

for (
  const [what, init] of [
    ["a prototype", Object.create({ method: "POST", headers: { "x-a": "1" } })],
    ["a class", new Options()],
  ] as const
) {
  Deno.test(`28: what init inherits from ${what} arrives`, async () => {
    const act = heard();
    await act.api.fetch(ORIGIN, init);

    assertEquals(act.calls[0]![1]?.method, "POST");
    assertEquals(fieldsOf(act.calls[0]!).get("x-a"), "1");
  });
}

/** A Request as other realms and packages make it: nothing of it is the runtime's. */
class OtherRequest {
  readonly #headers = new Headers({ authorization: "Bearer a", "x-a": "1" });
  get url() {
    return `${ORIGIN}/other`;
  }
  get method() {
    return "GET";
  }
  get headers() {
    return this.#headers;
  }
}

for (
  const [what, make] of [
    ["of another class", () => new OtherRequest()],
    ["made by hand", () => ({ url: `${ORIGIN}/other`, method: "GET", headers: { "x-a": "1" } })],
  ] as const
) {
  Deno.test(`28: a Request ${what} is sent and kept as one`, async () => {
    const act = heard();
    const request = make() as unknown as Request;
    await (await act.api.fetch(request)).text();

    assertStrictEquals(act.calls[0]![0], request);
    const event = act.events.at(-1);
    assertEquals(event && "url" in event && event.url, `${ORIGIN}/other`);
  });
}

Deno.test("28: a conditional probe keeps all fields of a Request of another class", async () => {
  let status = 200;
  const calls: Arguments[] = [];
  const fetch = (...args: Arguments) => {
    calls.push(args);
    return Promise.resolve(new Response("x", { status, headers: { etag: '"1"' } }));
  };
  const act = stage([200], {
    fetch,
    threshold: 1,
    waitUntil: () => {},
    lastGood: { ignore: ["authorization"] },
  });
  const ask = async () => await (await act.api.fetch(new OtherRequest() as never)).text();
  await ask();
  status = 500;
  await ask();
  act.tick(1_000);
  await ask();
  await act.api.idle();

  const fields = fieldsOf(calls[2]!);
  assertEquals(
    ["if-none-match", "authorization", "x-a"].map((name) => fields.get(name)),
    ['"1"', "Bearer a", "1"],
  );
});

/** A signal as other realms and packages make it. */
class OtherSignal extends EventTarget {
  aborted = false;
  reason: unknown;
  abort(reason: unknown) {
    Object.assign(this, { aborted: true, reason });
    this.dispatchEvent(new Event("abort"));
  }
}

Deno.test("28: a signal of another class aborts the call", async () => {
  let signal: AbortSignal | null | undefined;
  const fetch = (_: unknown, init?: RequestInit) => {
    signal = init?.signal;
    return new Promise<never>(() => {});
  };
  const act = stage([200], { fetch, timeoutMs: 60_000 });
  const caller = new OtherSignal();
  const answer = act.api.fetch(ORIGIN, { signal: caller as unknown as AbortSignal });
  await settled();

  caller.abort("gone");

  assertEquals(await answer.catch((error) => error), "gone");
  assertEquals([signal?.aborted, act.types], [true, ["ignored"]]);
});

// ---- Bodies are not touched ----

Deno.test("28: the body of a Request is not looked at", async () => {
  let looks = 0;
  const request = new Request(ORIGIN, { method: "POST", body: "text" });
  Object.defineProperty(request, "body", { get: () => void looks++ });
  const act = heard({ key: () => "key", judge: () => "success" });
  await act.api.fetch(request);

  assertEquals(looks, 0);
});

const refusing = async (options: BreakerOptions = {}) => {
  const act = heard(options);
  await act.api.fetch(ORIGIN);
  act.circuit.trip();
  return act;
};
const post = (body: unknown) => ({ method: "POST", body, duplex: "half" }) as RequestInit;

for (
  const [what, ask] of [
    ["init", (body: BodyInit) => [ORIGIN, post(body)]],
    ["a Request", (body: BodyInit) => [new Request(ORIGIN, post(body))]],
  ] as readonly (readonly [string, (body: BodyInit) => Arguments])[]
) {
  Deno.test(`28: the stream in ${what} is cancelled when the call is refused`, async () => {
    const act = await refusing();
    const flow = faucet();
    const [input, init] = ask(flow.body);

    const error = await assertRejects(() => act.api.fetch(input, init), CircuitOpenError);
    await settled();

    assertEquals(flow.cancelled.length, 1);
    assertStrictEquals(flow.cancelled[0] ?? error, error);
  });

  Deno.test(`28: the stream in ${what} is cancelled when the fallback answers instead`, async () => {
    const act = await refusing({ fallback: () => new Response("F") });
    const flow = faucet();
    const [input, init] = ask(flow.body);

    assertEquals(await (await act.api.fetch(input, init)).text(), "F");
    await settled();

    assertEquals(flow.cancelled.length, 1);
  });

  Deno.test(`28: the stream in ${what} is cancelled when the caller aborted before`, async () => {
    const act = heard();
    const flow = faucet();
    const [input, init] = ask(flow.body);
    const signal = AbortSignal.abort("gone");

    const reason = await act.api.fetch(input, { ...init, signal }).catch((error) => error);
    await settled();

    assertEquals([reason, act.calls.length, flow.cancelled], ["gone", 0, ["gone"]]);
  });

  Deno.test(`28: the stream in ${what} of a call that is made is left alone`, async () => {
    const act = heard();
    const flow = faucet();
    const [input, init] = ask(flow.body);
    await act.api.fetch(input, init);

    assertEquals([act.calls.length, flow.cancelled], [1, []]);
  });
}

Deno.test("28: an async iterable of a call that is never made is ended", async () => {
  const act = await refusing();
  const ended: string[] = [];
  const body = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
      return: () => (ended.push("ended"), Promise.resolve({ done: true, value: undefined })),
    }),
  };

  await assertRejects(() => act.api.fetch(ORIGIN, post(body)), CircuitOpenError);

  assertEquals(ended, ["ended"]);
});

// ---- Relative URLs, further arguments, objects, the global fetch ----

Deno.test("28: a relative URL reaches a fetch that takes one, and is counted but not kept", async () => {
  const act = heard({ lastGood: { key: () => "key" } });

  assertEquals(await (await act.api.fetch("/a?b")).text(), "page 1");

  assertEquals(act.calls[0]![0], "/a?b");
  assertEquals([...act.api.circuits()].map(([key]) => key), ["circuit"]);
  assertEquals(act.types, ["success"]);
});

Deno.test("28: a fallback for a relative URL sees its path", async () => {
  const seen: string[] = [];
  const fallback = (request: Request) => (seen.push(request.url), new Response("F"));
  const act = stage([500], { fetch: () => Promise.resolve(Response.error()), fallback });
  await act.api.fetch("/a?b");

  assertEquals(seen, ["http://localhost/a?b"]);
});

Deno.test("28: relative URLs count for the page's own origin where there is one", async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "location");
  Object.defineProperty(globalThis, "location", {
    value: { href: `${ORIGIN}/dir/page` },
    configurable: true,
  });
  try {
    const act = heard();
    await (await act.api.fetch("a?b")).text();

    assertEquals([...act.api.circuits()].map(([key]) => key), [ORIGIN]);
    const event = act.events.at(-1);
    assertEquals(event?.type === "kept" && event.url, `${ORIGIN}/dir/a?b`);
    assertEquals(act.calls[0]![0], "a?b");
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, "location");
    else Object.defineProperty(globalThis, "location", before);
  }
});

Deno.test("28: further arguments are handed on", async () => {
  const act = heard();
  const third = {};
  const fetch = act.api.fetch as (...args: unknown[]) => Promise<Response>;
  await fetch(ORIGIN, { method: "PUT" }, third, 4);
  await fetch(ORIGIN, undefined, third);

  assertStrictEquals(act.calls[0]![2], third);
  assertEquals(act.calls.map(({ length }) => length), [4, 3]);
});

Deno.test("28: an object with a fetch method is called as it is", async () => {
  const binding = {
    name: "API",
    calls: [] as unknown[],
    fetch(input: string | URL | Request, init?: RequestInit) {
      this.calls.push([input, init]);
      return Promise.resolve(new Response(this.name));
    },
  };
  const { fetch } = breaker({ fetch: binding, timeoutMs: Infinity });

  assertEquals(await (await fetch(ORIGIN)).text(), "API");

  assertEquals(binding.calls, [[ORIGIN, undefined]]);
});

Deno.test("28: a fetch option is called without this", async () => {
  let self: unknown = "not called";
  const act = stage([200], {
    fetch(this: unknown) {
      self = this;
      return Promise.resolve(new Response());
    },
  });
  await act.api.fetch(ORIGIN);

  // In a script that is not strict, no `this` is the global one.
  assert(self === undefined || self === globalThis);
});

/** Replaces the global fetch while `act` runs. */
async function withGlobal(fetch: typeof globalThis.fetch, act: () => Promise<void>) {
  const before = globalThis.fetch;
  globalThis.fetch = fetch;
  try {
    await act();
  } finally {
    globalThis.fetch = before;
  }
}

Deno.test("28: a breaker's fetch as the global one calls the one before it, once", async () => {
  let calls = 0;
  await withGlobal(() => (calls++, Promise.resolve(new Response("fine"))), async () => {
    const first = breaker();
    globalThis.fetch = first.fetch as typeof fetch;
    const second = breaker();
    globalThis.fetch = second.fetch as typeof fetch;

    assertEquals(await (await fetch(ORIGIN)).text(), "fine");

    assertEquals(calls, 1);
    for (const api of [first, second]) assertEquals([...api.circuits()].length, 1);
  });
});

Deno.test("28: a global fetch that leads to a breaker's is no recursion, and counts once", async () => {
  let calls = 0;
  await withGlobal(() => (calls++, Promise.resolve(new Response("fine"))), async () => {
    const types: string[] = [];
    const api = breaker({ onEvent: ({ type }) => types.push(type), lastGood: false });
    globalThis.fetch = ((input, init) => api.fetch(input, init)) as typeof fetch;

    assertEquals(await (await fetch(ORIGIN)).text(), "fine");

    assertEquals([calls, types], [1, ["success"]]);
  });
});

// ---- Callbacks ----

for (const way of ["init", "a Request"]) {
  Deno.test(`28: callbacks get the cf of ${way}`, async () => {
    const seen: unknown[] = [];
    const see = (request: Request) => (seen.push((request as { cf?: unknown }).cf), "key");
    const act = heard({ key: see, lastGood: { key: see } });
    const cf = { country: "FR" };
    const request = Object.defineProperty(new Request(ORIGIN, { method: "POST" }), "cf", {
      value: cf,
    });
    if (way === "init") await act.api.fetch(ORIGIN, { method: "POST", cf } as RequestInit);
    else await act.api.fetch(request);

    assert(seen.length >= 2);
    assertEquals(seen, seen.map(() => cf));
  });
}

for (const how of ["a second parameter", "rest parameters, as a spy does,"]) {
  Deno.test(`28: a judge that declares ${how} gets the request without its body`, async () => {
    const seen: unknown[] = [];
    const judge = (_: unknown, request?: Request) => {
      seen.push(request?.url, request?.method, request?.body);
      return undefined;
    };
    const spy = (...args: [unknown, Request?]) => judge(...args);
    const act = stage([200, new TypeError("reset")], {
      judge: how.startsWith("rest") ? spy : judge,
    });

    await act.api.fetch(ORIGIN, { method: "POST", body: "text" });
    await act.api.fetch(ORIGIN, { method: "POST", body: "text" }).catch(() => {});

    const each = [`${ORIGIN}/`, "POST", null];
    assertEquals(seen.map((value) => value ?? null), [...each, ...each]);
  });
}

Deno.test("28: no request is made for a judge that declares one parameter only", async () => {
  let given = NaN;
  const judge = function (_outcome: unknown) {
    given = arguments.length;
    return undefined;
  };
  await stage([200], { judge }).ask();

  assertEquals(given, 1);
});

const fails = () => Promise.reject(new Error("down"));

/** Options whose members are all on a prototype. */
class MyOptions {
  readonly #threshold = 1;
  get threshold() {
    return this.#threshold;
  }
  get delayMs() {
    return 5_000;
  }
  now() {
    return 0;
  }
  get fetch() {
    return fails;
  }
}

for (
  const [what, options] of [
    ["a prototype", Object.create({ threshold: 1, delayMs: 5_000, now: () => 0, fetch: fails })],
    ["a class", new MyOptions()],
  ] as const
) {
  Deno.test(`16: options that a breaker's options inherit from ${what} are read`, async () => {
    const api = breaker(options);
    await api.fetch(ORIGIN).catch(() => {});

    const circuit = api.circuit(ORIGIN);
    assertEquals([circuit.state, circuit.retryAfterMs], ["open", 5_000]);
  });
}

Deno.test("16: an inherited freshMs of lastGood is read", async () => {
  const act = heard({ lastGood: Object.create({ freshMs: 60_000 }) });
  await act.text();
  await act.text();

  assertEquals(act.calls.length, 1);
});
