import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { ORIGIN, stage, WAYS } from "../stage/breaker_stage.ts";
import { settled } from "../stage/settle.ts";

const BARE = { lastGood: false } as const;

for (const way of WAYS) {
  Deno.test(`1: ${way} passes answers and errors through untouched`, async () => {
    const response = new Response("x", { status: 404 });
    const error = { not: "even an error" };
    const script = [() => response, () => Promise.reject(error), () => {
      throw error;
    }];
    const act = stage(script, BARE, way);

    assertStrictEquals(await act.ask(), response);
    assertStrictEquals(await act.ask().catch((it) => it), error);
    assertStrictEquals(await act.ask().catch((it) => it), error);
  });

  Deno.test(`2: ${way} opens exactly at the threshold, and a success resets the count`, async () => {
    const act = stage([500, "reset", 200, 500, 500, 500], { ...BARE, threshold: 3 }, way);
    const states: string[] = [];
    for (let call = 0; call < 8; call++) {
      await act.ask().catch(() => {});
      states.push(act.circuit.state);
    }

    assertEquals(states, [...Array(5).fill("closed"), "open", "open", "open"]);
    assertEquals(act.origin.calls, 6);
  });

  Deno.test(`3: on ${way} half open begins when the delay is over, and reading changes nothing`, async () => {
    const act = stage([500], { ...BARE, threshold: 1 }, way);
    await act.ask();
    const said = act.events.length;
    act.tick(999);
    assertEquals(act.circuit.state, "open");
    act.tick(1);

    assertEquals([act.circuit.state, act.circuit.retryAfterMs], ["half_open", 0]);
    assertEquals(act.events.length, said);
  });

  Deno.test(`4: on ${way} a failed probe reopens for a full delay, and recovery clears the count`, async () => {
    const act = stage([500, 500, 500, 200, 500, 500], { ...BARE, threshold: 2 }, way);
    await act.ask();
    await act.ask();
    act.tick(1_000);
    await act.ask();
    assertEquals([act.circuit.state, act.circuit.retryAfterMs], ["open", 1_000]);
    act.tick(1_000);
    await act.ask();
    assertEquals(act.circuit.state, "closed");
    await act.ask();

    assertEquals(act.circuit.state, "closed");
  });

  Deno.test(`6: on ${way} late results from an earlier epoch change nothing`, async () => {
    using time = new FakeTime();
    const script = [{ status: 500, delayMs: 50 }, { status: 200, delayMs: 60 }, 500];
    const act = stage(script, { ...BARE, threshold: 1, now: () => Date.now() }, way);
    const late = [act.ask(), act.ask()];
    await act.ask().catch(() => {});
    assertEquals(act.circuit.state, "open");
    const moves = () => act.types.filter((type) => type === "state").length;
    const before = moves();
    await time.tickAsync(60);
    await Promise.all(late);

    assertEquals([act.circuit.state, moves()], ["open", before]);
  });

  Deno.test(`7: on ${way} a probe that never answers loses its slot, and its result is dropped`, async () => {
    using time = new FakeTime();
    const script = [500, { status: 500, delayMs: 4_000 }, 200];
    const options = { ...BARE, threshold: 1, probeTimeoutMs: 3_000, now: () => Date.now() };
    const act = stage(script, options, way);
    await act.ask();
    await time.tickAsync(1_000);
    const vanished = act.ask();
    await time.tickAsync(3_000);
    await act.ask();
    assertEquals(act.circuit.state, "closed");
    await time.tickAsync(1_000);
    await vanished;

    assertEquals(act.circuit.state, "closed");
  });

  Deno.test(`F1: ${way} counts statuses as the rule says, and passes the same object on`, async () => {
    const failures = [500, 502, 503, 504, 505, 511, 599];
    const ignored = [408, 425, 429];
    const successes = [200, 201, 204, 301, 304, 400, 401, 403, 404, 410, 413, 431, 451, 501];
    for (const status of [...failures, ...ignored, ...successes]) {
      const response = new Response(null, { status });
      const act = stage([() => response], {}, way);

      assertStrictEquals(await act.ask(), response);
      await settled();
      const counted = failures.includes(status)
        ? "failure"
        : ignored.includes(status)
        ? "ignored"
        : "success";
      assertEquals(act.types[0], counted, `${status}`);
    }
  });

  Deno.test(`F1: 100 answers with 404 leave ${way} closed`, async () => {
    const act = stage([404], { threshold: 1 }, way);
    for (let call = 0; call < 100; call++) await act.ask();

    assertEquals(act.circuit.state, "closed");
  });
}

Deno.test("10: a handler's synchronous throw becomes a rejection and counts as a failure", async () => {
  const act = stage([200], { threshold: 1 });
  const error = new Error("at once");
  const handler = act.api.wrap(() => {
    throw error;
  });

  assertStrictEquals(await assertRejects(async () => await handler(new Request(ORIGIN))), error);
  assertEquals(act.circuit.state, "open");
});

Deno.test("10: this, the request and all further arguments reach a wrapped handler", async () => {
  const seen: unknown[] = [];
  const app = {
    handle: stage([200]).api.wrap(function (this: unknown, ...args: unknown[]) {
      seen.push(this, ...args);
      return new Response();
    }) as (...args: unknown[]) => Promise<Response>,
  };
  const request = new Request(ORIGIN);
  const [env, ctx] = [{ KEY: "env" }, { waitUntil: () => {} }];
  await app.handle(request, env, ctx);

  for (const [index, value] of [app, request, env, ctx].entries()) {
    assertStrictEquals(seen[index], value);
  }
});

Deno.test("1: an answer of any shape passes, even one that cannot be rebuilt", async () => {
  const odd = { status: 999, headers: new Headers(), body: null } as unknown as Response;
  const nothing = undefined as unknown as Response;
  for (const answer of [odd, nothing]) {
    const act = stage([200], { fetch: () => Promise.resolve(answer) });
    assertStrictEquals(await act.api.fetch(ORIGIN), answer);
  }
});
