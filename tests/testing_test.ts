import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { breaker } from "@lastgood/breaker";
import { type ScriptedAnswer, upstream } from "@lastgood/breaker/testing";
import { pieces } from "./stage/bodies.ts";
import { listenersOf } from "./stage/listeners.ts";
import { standing } from "./stage/settle.ts";

const URL_ = "http://origin.test/";

Deno.test("upstream answers call by call, then repeats the last answer", async () => {
  const error = new Error("unplugged");
  const origin = upstream([
    201,
    "reset",
    error,
    new Response("kept"),
    (request) => new Response(request.method),
    { status: 404, headers: { "x-a": "1" }, body: "none" },
  ]);

  assertEquals((await origin(URL_)).status, 201);
  await assertRejects(() => origin(URL_), TypeError, "reset");
  assertStrictEquals(await origin(URL_).catch((it) => it), error);
  assertEquals(await (await origin(URL_)).text(), "kept");
  assertEquals(await (await origin(URL_, { method: "PUT" })).text(), "PUT");
  for (let call = 0; call < 3; call++) {
    const response = await origin(URL_);
    assertEquals([response.status, response.headers.get("x-a")], [404, "1"]);
    assertEquals(await response.text(), "none");
  }
  assertEquals(origin.calls, 8);
});

Deno.test("upstream can answer with the same Response again and again", async () => {
  const origin = upstream([new Response("again", { headers: { etag: '"1"' } })]);

  for (let call = 0; call < 3; call++) {
    const response = await origin(URL_);
    assertEquals([await response.text(), response.headers.get("etag")], ["again", '"1"']);
  }
});

Deno.test("upstream remembers what it was called with", async () => {
  const origin = upstream([200]);
  await origin(URL_, { method: "POST", body: "text", headers: { "x-a": "1" } });
  await origin(new Request(`${URL_}two`));

  const [first, second] = origin.requests;
  assertEquals([first!.method, first!.headers.get("x-a")], ["POST", "1"]);
  assertEquals(await first!.text(), "text");
  assertEquals(second!.url, `${URL_}two`);
  assertEquals([origin.requests.length, origin.calls], [2, 2]);
});

Deno.test("upstream delays its answer in FakeTime", async () => {
  using time = new FakeTime();
  const origin = upstream([200, { delayMs: 50 }, { delayMs: 0 }], { delayMs: 100 });
  const [first, second, third] = [origin(URL_), origin(URL_), origin(URL_)];
  assertEquals(await standing(third), "fulfilled");
  await time.tickAsync(50);
  assertEquals(await standing(second), "fulfilled");
  await time.tickAsync(49);
  assertEquals(await standing(first), "pending");
  await time.tickAsync(1);

  assertEquals((await first).status, 200);
});

Deno.test("upstream that hangs ends only when aborted", async () => {
  using time = new FakeTime();
  const controller = new AbortController();
  const asked = upstream(["hang"])(URL_, { signal: controller.signal });
  await time.tickAsync(10_000_000);
  assertEquals(await standing(asked), "pending");
  controller.abort("gone");

  assertEquals(await asked.catch((it) => it), "gone");
});

Deno.test("upstream ends a delay when aborted, and leaves no timer", async () => {
  using time = new FakeTime();
  const controller = new AbortController();
  const asked = upstream([200], { delayMs: 1_000 })(URL_, { signal: controller.signal });
  controller.abort("gone");

  assertEquals(await asked.catch((it) => it), "gone");
  assertEquals(time.next(), false);
});

Deno.test("upstream stops listening to a signal once its delay is over", async () => {
  using time = new FakeTime();
  const { signal } = new AbortController();
  const listeners = listenersOf(signal);
  const asked = upstream([200], { delayMs: 50 })(URL_, { signal });
  // Some runtimes listen too, for the Request.
  const waiting = listeners.count;
  await time.tickAsync(50);
  await asked;

  assertEquals(listeners.count, waiting - 1);
});

Deno.test("upstream rejects a call whose signal is already aborted, and counts it", async () => {
  const origin = upstream([200]);
  const reason = await origin(URL_, { signal: AbortSignal.abort("before") }).catch((it) => it);

  assertEquals([reason, origin.calls], ["before", 1]);
});

/** A body of two pieces that can be read once. */
function once(type?: "bytes"): ReadableStream<Uint8Array> {
  const start = (body: { enqueue(bytes: Uint8Array): void; close(): void }) => {
    for (const piece of ["one,", "two"]) body.enqueue(new TextEncoder().encode(piece));
    body.close();
  };
  return type === undefined ? new ReadableStream({ start }) : new ReadableStream({ type, start });
}

const STREAMS: Record<string, () => ScriptedAnswer> = {
  "a scripted body": () => ({ body: once() }),
  "a scripted body of bytes": () => ({ body: once("bytes") }),
  "a Response": () => new Response(once()),
  "a Response of bytes": () => new Response(once("bytes")),
};

for (const [name, answer] of Object.entries(STREAMS)) {
  Deno.test(`upstream answers again and again with ${name} that is a stream`, async () => {
    const origin = upstream([answer()]);
    const [unread, ...read] = [await origin(URL_), await origin(URL_), await origin(URL_)];

    for (const response of read) assertEquals(await response.text(), "one,two");
    assertEquals(await (await origin(URL_)).text(), "one,two");
    await unread!.body?.cancel();
    assertEquals(await (await origin(URL_)).text(), "one,two");
  });

  Deno.test(`upstream: ${name} that is a stream is kept and served by a breaker`, async () => {
    const api = breaker({
      fetch: upstream([answer(), answer(), 500]),
      lastGood: { refreshMs: 0, maxBodyMs: Infinity },
      timeoutMs: Infinity,
    });

    for (let call = 0; call < 3; call++) {
      assertEquals(await (await api.fetch(URL_)).text(), "one,two");
      await api.idle();
    }
  });
}

Deno.test("upstream hands a stream on piece by piece, to each call", async () => {
  let send = (_: string) => {};
  const body = new ReadableStream<Uint8Array>({
    start: (to) => void (send = (text) => to.enqueue(new TextEncoder().encode(text))),
  });
  const origin = upstream([{ body }]);
  const readers = [await origin(URL_), await origin(URL_)].map((it) => it.body!.getReader());

  for (const piece of ["one", "two"]) {
    send(piece);
    for (const reader of readers) {
      assertEquals(new TextDecoder().decode((await reader.read()).value), piece);
    }
  }
  for (const reader of readers) await reader.cancel();
});

Deno.test("upstream hands on how a stream breaks off, to each call", async () => {
  const body = pieces("one,", new Error("broken off"));
  const origin = upstream([{ body }]);

  for (let call = 0; call < 2; call++) {
    const reader = (await origin(URL_)).body!.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "one,");
    await assertRejects(() => reader.read(), Error, "broken off");
  }
});

Deno.test("upstream gives each call bytes of its own", async () => {
  const origin = upstream([{ body: once() }]);
  const [first, second] = [await origin(URL_), await origin(URL_)];
  const { value } = await first.body!.getReader().read();
  value!.fill(0);

  assertEquals(await second.text(), "one,two");
});

Deno.test("upstream reads a stream no further than its answers are read", async () => {
  let pulled = 0;
  const pull = (to: { enqueue(bytes: Uint8Array): void }) => {
    pulled++;
    to.enqueue(new Uint8Array(1));
  };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  const reader = (await upstream([{ body }])(URL_)).body!.getReader();
  const before = pulled;
  await reader.read();

  assertEquals([before, pulled], [0, 1]);
  await reader.cancel();
});

Deno.test("upstream refuses a body that has been read or is being read", async () => {
  const read = new Response("read");
  await read.text();
  const body = once();
  body.getReader();

  assertThrows(() => upstream([read]), TypeError, '"script" must be');
  assertThrows(() => upstream([{ body }]), TypeError, '"script.body" must be');
});

/** A request as other packages make them: not the runtime's class, its members on the prototype. */
class ForeignRequest {
  readonly body = once();
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal = new AbortController().signal) {
    this.signal = signal;
  }

  get url() {
    return URL_;
  }

  get method() {
    return "PUT";
  }

  get headers() {
    return new Map([["x-a", "1"]]);
  }
}

Deno.test("upstream takes a request of another package", async () => {
  const origin = upstream([(request) => new Response(request.headers.get("x-a"))]);

  const response = await origin(new ForeignRequest() as never, { headers: { "x-a": "2" } });
  await origin(new ForeignRequest() as never);

  assertEquals(await response.text(), "2");
  const [changed, request] = origin.requests;
  assertEquals([changed!.method, changed!.url], ["PUT", URL_]);
  assertEquals([request!.method, request!.headers.get("x-a")], ["PUT", "1"]);
  assertEquals(await request!.text(), "one,two");
});

Deno.test("upstream takes a mock that is hardly a request", async () => {
  const origin = upstream([200]);
  await origin({ url: URL_ } as never);
  await origin({ url: URL_, method: "POST", headers: { "x-a": "1" }, body: "text" } as never);

  const [bare, post] = origin.requests;
  assertEquals([bare!.method, bare!.url], ["GET", URL_]);
  assertEquals([post!.method, post!.headers.get("x-a"), await post!.text()], ["POST", "1", "text"]);
});

Deno.test("upstream listens to the signal of a request of another package", async () => {
  const controller = new AbortController();
  const asked = upstream(["hang"])(new ForeignRequest(controller.signal) as never);
  controller.abort("gone");

  assertEquals(await asked.catch((it) => it), "gone");
});

/** A response as other packages make them. */
class ForeignResponse {
  readonly status = 203;

  clone(): Response {
    return new Response("foreign", { status: this.status });
  }
}

Deno.test("upstream answers with the clone of a response of another package", async () => {
  const origin = upstream([new ForeignResponse() as never]);

  for (let call = 0; call < 2; call++) {
    const response = await origin(URL_);
    assertEquals([response.status, await response.text()], [203, "foreign"]);
  }
});

Deno.test("upstream with an infinite delay never answers", async () => {
  using time = new FakeTime();
  const asked = upstream([{ delayMs: Infinity }])(URL_);
  await time.tickAsync(10_000_000);

  assertEquals(await standing(asked), "pending");
});

Deno.test("upstream refuses a delay that is too long for a timer, which would end at once", () => {
  for (const delayMs of [3e9, 2_147_483_648]) {
    assertThrows(() => upstream([200], { delayMs }), RangeError, '"delayMs" must be a number');
    assertThrows(() => upstream([{ delayMs }]), RangeError, '"script.delayMs" must be a number');
  }
  upstream([{ delayMs: 2_147_483_647 }], { delayMs: 2_147_483_647 });
});

Deno.test("upstream refuses options that are not an object", () => {
  for (const options of [null, 100, "100", [], () => {}]) {
    assertThrows(() => upstream([200], options as never), TypeError, '"options" must be an object');
  }
});

const NO_ANSWERS: readonly unknown[] = [
  undefined,
  null,
  99,
  600,
  200.5,
  NaN,
  "hung",
  true,
  { status: 600 },
  { status: 101 },
  { delayMs: -1 },
  { delayMs: NaN },
];

for (const answer of NO_ANSWERS) {
  const text = typeof answer === "object" ? JSON.stringify(answer) : String(answer);
  Deno.test(`upstream refuses ${text} as an answer`, () => {
    const error = assertThrows(() => upstream([answer as never]));

    assert(error instanceof TypeError || error instanceof RangeError);
    assert(error.message.startsWith('Cannot make an upstream as "script'));
  });
}

Deno.test("upstream refuses an empty script, a script that is not a list, and a bad delay", () => {
  assertThrows(() => upstream([]), RangeError, "script");
  assertThrows(() => upstream({} as never), TypeError, "script");
  assertThrows(() => upstream([200], { delayMs: -1 }), RangeError, "delayMs");
});
