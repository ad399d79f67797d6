import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CircuitOpenError } from "@lastgood/breaker";
import { FakeTime } from "@std/testing/time";
import { faucet, pieces } from "../stage/bodies.ts";
import { ORIGIN, PAGE, Site, WAYS } from "../stage/site.ts";
import { madeBy, page } from "../stage/upstream.ts";

Deno.test("F1: a refused call is answered with the last good response", async () => {
  const site = new Site();
  await site.read();
  site.api.circuit(ORIGIN).trip();

  assertEquals(await site.read(), "good");
  assertEquals(site.asked.length, 1);
});

for (const way of WAYS) {
  for (const status of [500, 502, 503, 504, 505, 507, 511, 599]) {
    Deno.test(`F1: ${way}: a ${status} is answered with the last good response`, async () => {
      const site = new Site({}, way);
      await site.read();
      site.answer = page({}, "down", status);

      assertEquals(await site.read(), "good");
    });
  }

  for (const status of [201, 301, 304, 400, 401, 404, 408, 425, 429, 501]) {
    Deno.test(`F1: ${way}: a ${status} passes through as the same object`, async () => {
      const site = new Site({}, way);
      await site.read();
      const came = page({}, null, status)({ url: PAGE, method: "GET", headers: new Headers() });
      site.answer = () => came;

      assertStrictEquals(await site.get(), came);
    });
  }

  Deno.test(`F1: ${way}: a call that rejects is answered with the last good response`, async () => {
    const site = new Site({}, way);
    await site.read();
    site.answer = () => Promise.reject(new TypeError("reset"));

    assertEquals(await site.read(), "good");
  });

  Deno.test(`F1: ${way}: our timeout is answered with the last good response`, async () => {
    using time = new FakeTime();
    const site = new Site({ timeoutMs: 1_000 }, way);
    await site.read();
    site.answer = () => new Promise(() => {});

    const answer = site.read();
    await time.tickAsync(1_000);

    assertEquals(await answer, "good");
  });
}

Deno.test("F1: a failure by judge is answered with the last good response", async () => {
  const isFailure = (outcome: PromiseSettledResult<Response>) =>
    outcome.status === "fulfilled" && outcome.value.status === 418 ? "failure" : undefined;
  const site = new Site({ judge: isFailure });
  await site.read();
  site.answer = page({}, "teapot", 418);

  assertEquals(await site.read(), "good");
});

Deno.test("F1: the caller's own abort is answered only with its error", async () => {
  const site = new Site();
  await site.read();
  const controller = new AbortController();
  site.answer = () => new Promise(() => {});

  const answer = site.get({ signal: controller.signal });
  controller.abort(new Error("mine"));

  await assertRejects(() => answer, Error, "mine");
});

Deno.test("F1: with serveOn open, a failure passes and a refusal is answered from memory", async () => {
  const site = new Site({ lastGood: { serveOn: "open" } });
  await site.read();
  site.fail();

  assertEquals((await site.get()).status, 503);
  site.api.circuit(ORIGIN).trip();
  assertEquals(await site.read(), "good");
});

for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "FOO"]) {
  Deno.test(`F2: ${method} is never answered from memory`, async () => {
    const site = new Site();
    await site.read();
    site.api.circuit(ORIGIN).trip();

    await assertRejects(() => site.get({ method }), CircuitOpenError);
  });
}

for (const way of WAYS) {
  Deno.test(`F7: ${way}: the body of a replaced failed answer is cancelled`, async () => {
    const site = new Site({}, way);
    await site.read();
    const failed = faucet();
    site.answer = page({}, failed.body, 503);

    assertEquals(await site.read(), "good");

    assertEquals(failed.cancelled.length, 1);
  });
}

Deno.test("F7: the body of a failed answer that passes is left to the caller", async () => {
  const site = new Site();
  site.answer = page({}, pieces("do", "wn"), 503);

  assertEquals(await site.read(), "down");
});

Deno.test("F7: a failed answer whose body is being read is still replaced", async () => {
  const site = new Site();
  await site.read();
  const failed = new Response("down", { status: 503 });
  const reader = failed.body?.getReader();
  site.answer = () => failed;

  assertEquals(await site.read(), "good");
  reader?.releaseLock();
  await failed.body?.cancel();
});

Deno.test("F1: a failure that no constructor can make passes if nothing is kept", async () => {
  const site = new Site();
  const came = madeBy({ status: 999 });
  site.answer = () => came;

  assertStrictEquals(await site.get(), came);
  await came.body?.cancel();
});
