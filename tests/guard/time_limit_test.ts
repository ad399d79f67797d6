import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { ORIGIN, stage, WAYS } from "../stage/breaker_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { only } from "../stage/events.ts";
import { settled } from "../stage/settle.ts";
import { requestWith } from "../stage/ways.ts";

const NEVER = new Promise<never>(() => {});

for (const way of WAYS) {
  Deno.test(`9: on ${way} a partition that hangs is given up, and the call goes on without memory`, async () => {
    using time = new FakeTime();
    const options = { timeoutMs: 1_000, threshold: 1, lastGood: { partition: () => NEVER } };
    const act = stage([{ body: "live" }], options, way);

    const asked = act.text();
    await time.tickAsync(1_000);

    assertEquals(await asked, "live");
    assertEquals(only(act.events, "error").map(({ source }) => source), ["partition"]);
    assertEquals(act.circuit.state, "closed");
    assertEquals(time.next(), false);
  });

  Deno.test(`9: on ${way} a fallback that hangs is given up, and the failed answer passes`, async () => {
    using time = new FakeTime();
    const act = stage([500], { timeoutMs: 1_000, fallback: () => NEVER }, way);

    const asked = act.ask();
    await time.tickAsync(1_000);

    assertEquals((await asked).status, 500);
    assertEquals(only(act.events, "error").map(({ source }) => source), ["fallback"]);
  });

  Deno.test(`9: on ${way} a fallback in time leaves no timer`, async () => {
    using time = new FakeTime();
    const fallback = () => Promise.resolve(new Response("instead"));
    const act = stage([500], { timeoutMs: 1_000, fallback }, way);

    assertEquals(await act.text(), "instead");
    assertEquals(time.next(), false);
  });
}

for (const way of [...WAYS, "hono"] as const) {
  Deno.test(`K4: on ${way} a caller who aborts while the partition hangs gets the reason at once`, async () => {
    const caller = new AbortController();
    const act = stage([200], { lastGood: { partition: () => NEVER }, timeoutMs: 1_000 }, way);
    const asked = act.ask({ signal: caller.signal });
    await settled();
    const reason = new Error("gone");
    caller.abort(reason);

    const end = await asked.then(({ status }) => status, (error) => error);

    assertEquals(end, way === "fetch" ? reason : 499);
    assertEquals([act.origin.calls, act.types, act.circuit.state], [0, [], "closed"]);
  });

  Deno.test(`K4: on ${way} a caller who has aborted before gets the reason at once, too`, async () => {
    const reason = new Error("gone");
    for (const work of [NEVER, Promise.reject(new Error("no session"))]) {
      const act = stage([200], { lastGood: { partition: () => work } }, way);

      const asked = act.ask({ signal: AbortSignal.abort(reason) });
      const end = await asked.then(({ status }) => status, (error) => error);

      assertEquals(end, way === "fetch" ? reason : 499);
      assertEquals([act.origin.calls, act.types], [0, []]);
    }
  });

  Deno.test(`K4: on ${way} a partition that rejects after its caller has left disturbs nobody`, async () => {
    const caller = new AbortController();
    const lookup = deferred<string>();
    const act = stage([200], { lastGood: { partition: () => lookup.promise } }, way);
    const asked = act.ask({ signal: caller.signal }).catch(() => {});
    await settled();
    caller.abort();
    await asked;

    lookup.reject(new Error("too late"));
    await settled();

    assertEquals([act.origin.calls, act.types], [0, []]);
  });

  Deno.test(`K4: on ${way} a partition that rejects late is heard, and the call goes on without memory`, async () => {
    const lookup = deferred<string>();
    const act = stage([200], { lastGood: { partition: () => lookup.promise } }, way);
    const asked = act.ask();
    await settled();

    lookup.reject(new Error("no such session"));

    assertEquals((await asked).status, 200);
    assertEquals(act.types, ["error", "success"]);
  });
}

Deno.test("K4: a client who leaves while the partition of a request that has just arrived hangs gets 499", async () => {
  const caller = new AbortController();
  const act = stage([200], { lastGood: { partition: () => NEVER }, timeoutMs: Infinity });
  const handler = act.api.wrap((_: Request, _info: unknown) => new Response("never"));
  const info = { remoteAddr: {}, completed: Promise.resolve() };
  const asked = handler(requestWith(ORIGIN, {}, caller.signal), info);
  await settled();
  caller.abort();

  assertEquals([(await asked).status, act.types], [499, []]);
});

Deno.test("K4: a partition that gives a promise of any class is waited for", async () => {
  const thenable = { then: (give: (it: string) => void) => give("ann") };
  const partition = () => thenable as unknown as Promise<string>;
  const act = stage([{ body: "own", headers: { "cache-control": "private" } }, 500], {
    lastGood: { partition },
  });
  await act.text();

  assertEquals(await act.text(), "own");
});

Deno.test("K4: a partition that needs no waiting starts no timer", async () => {
  using time = new FakeTime();
  const act = stage([200], { lastGood: { partition: () => "ann" }, timeoutMs: 1_000 });

  const asked = act.ask();

  assertEquals(time.next(), false);
  await asked;
});

Deno.test("9: a fallback may give a promise of any class", async () => {
  const thenable = { then: (give: (it: Response) => void) => give(new Response("instead")) };
  const act = stage([500], { fallback: () => thenable as unknown as Promise<Response> });

  assertEquals(await act.text(), "instead");
  assertEquals(only(act.events, "error"), []);
});

Deno.test("F7: the body of an answer that a fallback gives too late is cancelled", async () => {
  using time = new FakeTime();
  let give = (_: Response) => {};
  let isCancelled = false;
  const fallback = () => new Promise<Response>((resolve) => give = resolve);
  const act = stage([500], { timeoutMs: 1_000, fallback });
  const asked = act.ask();
  await time.tickAsync(1_000);
  await asked;

  give(new Response(new ReadableStream({ cancel: () => void (isCancelled = true) })));
  await time.runMicrotasks();

  assertEquals(isCancelled, true);
});
