import { assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { breaker, type BreakerEvent, type LastGoodOptions } from "@lastgood/breaker";
import { abortable, faucet } from "../stage/bodies.ts";
import { ORIGIN, type Stage, stage, WAYS } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";
import { settled } from "../stage/settle.ts";

/** The events that counted so far. */
function counted({ types }: Stage): string[] {
  return types.filter((type) => type === "success" || type === "failure" || type === "ignored");
}

/** The results of keeping so far. */
function kept({ events }: Stage): string[] {
  return events.flatMap((event) =>
    event.type === "kept" ? [event.type] : event.type === "not_kept" ? [event.why] : []
  );
}

for (const way of WAYS) {
  Deno.test(`20: ${way} counts a failure as soon as its head arrives`, async () => {
    const flow = faucet();
    const act = stage([() => new Response(flow.body, { status: 500 })], {}, way);

    await act.ask();

    assertEquals(counted(act), ["failure"]);
  });

  Deno.test(`20: ${way} counts a copied good answer when its body ends`, async () => {
    const flow = faucet();
    const act = stage([() => new Response(flow.body)], {}, way);

    await act.ask();
    flow.drip("some");
    await settled();

    assertEquals(counted(act), []);

    flow.close();
    await settled();

    assertEquals([counted(act), kept(act)], [["success"], ["kept"]]);
  });

  Deno.test(`20: ${way} counts a body that breaks off as a failure`, async () => {
    const flow = faucet();
    const act = stage([() => new Response(flow.body)], { threshold: 1 }, way);
    const response = await act.ask();
    flow.drip("some");
    flow.fail(new TypeError("reset"));

    await assertRejects(() => response.text(), TypeError, "reset");

    assertEquals([counted(act), kept(act), act.circuit.state], [["failure"], ["broken"], "open"]);
  });
}

interface Uncopied {
  readonly what: string;
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly lastGood?: LastGoodOptions | false;
}

const UNCOPIED: readonly Uncopied[] = [
  { what: "to a POST", method: "POST" },
  { what: "that may not be kept", headers: { "cache-control": "no-store" } },
  { what: "whose Content-Length is too large", headers: { "content-length": "2000000" } },
  { what: "without last good answers", lastGood: false },
];

for (const { what, method = "GET", headers = {}, lastGood = {} } of UNCOPIED) {
  Deno.test(`20: a good answer ${what} counts at once, and passes through as the same object`, async () => {
    const response = new Response(faucet().body, { headers });
    const act = stage([() => response], { lastGood });

    const answer = await act.ask({ method });

    assertEquals(counted(act), ["success"]);
    assertEquals(answer === response, true);
  });
}

Deno.test("20: an answer whose copy grows too large counts as a success and is not kept", async () => {
  const flow = faucet();
  const act = stage([() => new Response(flow.body)], { lastGood: { maxBodyBytes: 4 } });
  const response = await act.ask();
  flow.drip("four");
  await settled();
  assertEquals(counted(act), []);
  flow.drip("more");
  await settled();

  assertEquals([counted(act), kept(act)], [["success"], ["too-large"]]);

  flow.close();
  assertEquals(await response.text(), "fourmore");
});

Deno.test("20: an answer whose copy takes too long counts as a success and is not kept", async () => {
  using time = new FakeTime();
  const flow = faucet();
  const act = stage([() => new Response(flow.body)], { lastGood: { maxBodyMs: 5_000 } });
  const response = await act.ask();
  flow.drip("slow");
  await time.tickAsync(4_999);
  assertEquals(counted(act), []);
  await time.tickAsync(1);

  assertEquals([counted(act), kept(act)], [["success"], ["too-slow"]]);

  flow.drip("ly");
  flow.close();
  assertEquals(await response.text(), "slowly");
});

Deno.test("20: a body shorter than its Content-Length is a failure and is not kept", async () => {
  const headers = { "content-length": "10" };
  const act = stage([{ body: "whole", headers: { "content-length": "5" } }, () => {
    const flow = faucet();
    flow.drip("half");
    flow.close();
    return new Response(flow.body, { headers });
  }, 500]);
  await act.text();
  act.tick(5_000);

  assertEquals(await act.text(), "half");

  assertEquals([counted(act), kept(act)], [["success", "failure"], ["kept", "truncated"]]);
  assertEquals(await act.text(), "whole");
});

Deno.test("20: a broken, truncated or endless body leaves the older one in place", async () => {
  const broken = faucet();
  broken.fail(new Error("cut"));
  const act = stage([{ body: "old" }, () => new Response(broken.body), { body: "too long" }, 500], {
    lastGood: { maxBodyBytes: 4 },
  });
  await act.text();
  act.tick(5_000);

  await assertRejects(() => act.text());
  await act.text();

  assertEquals(await act.text(), "old");
});

Deno.test("20: a body that the caller cancels is a success and is not kept", async () => {
  const flow = faucet();
  const act = stage([() => new Response(flow.body)]);
  const response = await act.ask();
  flow.drip("some");

  await response.body!.cancel("enough");

  assertEquals([counted(act), kept(act)], [["success"], ["cancelled"]]);
  assertEquals(flow.cancelled, ["enough"]);
});

for (const way of WAYS) {
  Deno.test(`20: a body ended by the caller's abort is a success on ${way}`, async () => {
    const caller = new AbortController();
    let signal: AbortSignal | null | undefined;
    const script = (request: Request) => {
      signal = request.signal ?? caller.signal;
      return new Response(abortable(signal).body);
    };
    const act = stage([script], { threshold: 1 }, way);
    const response = await act.ask({ signal: caller.signal });
    const reason = new Error("gone");

    caller.abort(reason);

    assertEquals(await assertRejects(() => response.text()), reason);
    assertEquals([counted(act), act.circuit.state], [["success"], "closed"]);
  });
}

Deno.test("20: a probe still holds its slot while its good body arrives", async () => {
  const flow = faucet();
  const act = stage([500, () => new Response(flow.body)], { threshold: 1 });
  await act.ask();
  act.tick(1_000);
  await act.ask();

  await assertRejects(() => act.ask({ path: "/other" }), Error, "is open");
  flow.close();
  await settled();

  assertEquals(act.circuit.state, "closed");
});

Deno.test("7: a lease that ends after a good head counts as a success", async () => {
  const flow = faucet();
  const script = [500, () => new Response(flow.body), 200];
  const act = stage(script, { threshold: 1, probeTimeoutMs: 3_000 });
  await act.ask();
  act.tick(1_000);
  const probe = await act.ask();
  act.tick(3_000);

  await act.ask();

  assertEquals([act.origin.calls, act.circuit.state], [3, "closed"]);
  assertEquals(act.types.filter((type) => type === "probe").length, 1);
  flow.fail(new Error("late"));
  await assertRejects(() => probe.text());
  assertEquals(act.circuit.state, "closed");
});

Deno.test("6: a body that breaks in a later epoch changes nothing", async () => {
  const flow = faucet();
  const act = stage([() => new Response(flow.body)], { threshold: 1 });
  const response = await act.ask();
  act.circuit.reset();
  flow.fail(new Error("late"));

  await assertRejects(() => response.text());

  assertEquals(act.circuit.state, "closed");
});

Deno.test("20: a call's duration ends at its head, whenever it counts", async () => {
  using time = new FakeTime();
  const flow = faucet();
  const script = [{ delayMs: 30, body: flow.body }];
  const act = stage(script, { now: () => Date.now() });
  const asked = act.ask();
  await time.tickAsync(30);
  await asked;
  await time.tickAsync(500);
  flow.close();
  await settled();

  const durations = only(act.events, "success").map(({ durationMs }) => durationMs);
  assertEquals(durations, [30]);
});

for (const lastGood of [false, {}] as const) {
  Deno.test(`a success that is not copied says its status, lastGood ${JSON.stringify(lastGood)}`, async () => {
    const events: BreakerEvent[] = [];
    const onEvent = (event: BreakerEvent) => void events.push(event);
    const headers = { "cache-control": "no-store" };
    const fetch = () => Promise.resolve(new Response("ours", { status: 201, headers }));
    const api = breaker({ lastGood, onEvent, fetch });

    await (await api.fetch(ORIGIN)).text();

    assertEquals(only(events, "success").map(({ status }) => status), [201]);
  });
}
