import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { upstream } from "@lastgood/breaker/testing";
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
