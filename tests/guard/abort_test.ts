import {
  assert,
  assertEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { abortable, type Faucet, faucet } from "../stage/bodies.ts";
import { ORIGIN, stage, WAYS } from "../stage/breaker_stage.ts";
import { settled } from "../stage/settle.ts";
import { requestWith } from "../stage/ways.ts";

/** Reasons that a caller may give for leaving. */
const REASONS: readonly unknown[] = [
  new Error("gone"),
  new DOMException("the user left", "AbortError"),
  "a string",
  0,
  null,
  { status: 500 },
];

/** What becomes of a call whose caller has left: `fetch` rejects, a server gets an empty answer. */
async function end(asked: Promise<Response>): Promise<unknown> {
  try {
    const { status, body } = await asked;
    return { status, body };
  } catch (error) {
    return error;
  }
}

const LEFT = { status: 499, body: null };

for (const way of WAYS) {
  for (const lastGood of [{}, false] as const) {
    const what = lastGood === false ? "without" : "with";
    for (const state of ["closed", "open", "half open", "isolated"]) {
      Deno.test(`8, 36: ${way} ${what} last good answers neither makes nor counts an aborted call while ${state}`, async () => {
        const caller = new AbortController();
        const act = stage([{ body: "old" }], { fallback: () => new Response("F"), lastGood }, way);
        await act.text();
        if (state === "isolated") act.circuit.isolate();
        else if (state !== "closed") act.circuit.trip();
        if (state === "half open") act.tick(1_000);
        const said = act.events.length;
        caller.abort("before");

        const given = await end(act.ask({ signal: caller.signal }));

        assertEquals(given, way === "fetch" ? "before" : LEFT);
        assertEquals([act.origin.calls, act.events.length], [1, said]);
      });
    }
  }

  Deno.test(`8, 36: a caller of ${way} who aborts gets nothing that is kept`, async () => {
    for (const given of REASONS) {
      const options = { threshold: 1, fallback: () => new Response("F") };
      const act = stage([{ body: "old" }, "hang"], options, way);
      await act.text();
      const caller = new AbortController();
      const asked = act.ask({ signal: caller.signal });
      await settled();
      caller.abort(given);

      const got = await end(asked);

      if (way === "fetch") assertStrictEquals(got, caller.signal.reason);
      else assertEquals(got, LEFT);
      assertEquals(act.circuit.state, "closed");
      assertObjectMatch(act.events.at(-1)!, { type: "ignored", cause: "abort", why: "aborted" });
    }
  });

  Deno.test(`8: ${way} does not ask the judge about the caller's own abort`, async () => {
    const caller = new AbortController();
    let asked = 0;
    const judge = () => (asked++, "failure" as const);
    const act = stage(["hang"], { threshold: 1, judge }, way);
    const answer = act.ask({ signal: caller.signal });
    await settled();
    caller.abort();

    await end(answer);

    assertEquals([asked, act.circuit.state], [0, "closed"]);
  });

  Deno.test(`8: a deadline of ${way} is a failure, and the last good answer is served`, async () => {
    const act = stage([{ body: "old" }, "hang"], { threshold: 2 }, way);
    await act.text();
    const caller = new AbortController();
    const asked = act.text({ signal: caller.signal });
    await settled();
    caller.abort(new DOMException("took too long", "TimeoutError"));

    assertEquals(await asked, "old");
    assertObjectMatch(act.events.at(-2)!, { type: "failure", cause: "deadline" });
  });

  Deno.test(`8: a deadline of ${way} is thrown as it is if nothing is kept`, async () => {
    const act = stage(["hang"], { threshold: 1 }, way);
    const caller = new AbortController();
    const asked = act.ask({ signal: caller.signal });
    await settled();
    const reason = new DOMException("took too long", "TimeoutError");
    caller.abort(reason);

    assertStrictEquals(await assertRejects(() => asked), reason);
    assertEquals(act.circuit.state, "open");
  });

  Deno.test(`8: a judge may ignore a deadline of ${way}`, async () => {
    const seen: unknown[] = [];
    const judge = (outcome: PromiseSettledResult<Response>) => {
      seen.push(outcome.status === "rejected" && outcome.reason);
      return "ignored" as const;
    };
    const act = stage(["hang"], { threshold: 1, judge }, way);
    const caller = new AbortController();
    const asked = act.ask({ signal: caller.signal });
    await settled();
    const reason = new DOMException("took too long", "TimeoutError");
    caller.abort(reason);
    await assertRejects(() => asked);

    assertEquals([seen, act.circuit.state], [[reason], "closed"]);
  });

  Deno.test(`8: on ${way} a probe whose caller aborts gives back its slot`, async () => {
    const caller = new AbortController();
    const act = stage([500, "hang", 200], { threshold: 1, lastGood: false }, way);
    await act.ask();
    act.tick(1_000);
    const probe = act.ask({ signal: caller.signal });
    await settled();
    caller.abort();
    await end(probe);

    assertEquals(act.circuit.state, "half_open");
    assertEquals((await act.ask()).status, 200);
    assertEquals(act.circuit.state, "closed");
  });

  Deno.test(`8: on ${way} an abort from the upstream is a failure`, async () => {
    const error = new DOMException("the upstream hung up", "AbortError");
    const act = stage([{ body: "old" }, error], { threshold: 1 }, way);
    await act.text();

    assertEquals(await act.text(), "old");
    assertEquals(act.circuit.state, "open");
  });

  Deno.test(`11: on ${way} a caller's abort during the body reaches the body`, async () => {
    const caller = new AbortController();
    let flow: Faucet | undefined;
    const script = (request: Request) => {
      flow = abortable(request.signal ?? caller.signal);
      return new Response(flow.body);
    };
    const act = stage([script], {}, way);
    const answer = await act.ask({ signal: caller.signal });
    const reason = new Error("enough");
    flow!.drip("some");
    await settled();
    caller.abort(reason);

    assertStrictEquals(await assertRejects(() => answer.text()), reason);
  });
}

Deno.test("8: 100 callers who abort at any moment do not trip the circuit", async () => {
  for (const way of WAYS) {
    const act = stage([{ delayMs: 1, body: "fine" }], { threshold: 1 }, way);
    await Promise.all(Array.from({ length: 100 }, async (_, index) => {
      const caller = new AbortController();
      const asked = act.text({ signal: caller.signal }).catch(() => {});
      for (let turn = 0; turn < index; turn++) await Promise.resolve();
      caller.abort(index);
      await asked;
    }));

    assertEquals(act.circuit.state, "closed", way);
    assertEquals(act.types.includes("failure"), false, way);
  }
});

Deno.test("8: a server's request that is aborted before its signal is read is not counted", async () => {
  using time = new FakeTime();
  for (const timeoutMs of [Infinity, 1_000]) {
    const act = stage([200], { threshold: 1, timeoutMs });
    const caller = new AbortController();
    const handler = act.api.wrap((_: Request, _info: unknown) => new Promise<Response>(() => {}));
    const info = { remoteAddr: {}, completed: Promise.resolve() };
    const asked = handler(requestWith(ORIGIN, {}, caller.signal), info);
    caller.abort();

    assertEquals(await end(Promise.resolve(asked)), LEFT);
    assertEquals([act.types, act.circuit.state], [["ignored"], "closed"]);
    assertEquals(time.next(), false);
  }
});

Deno.test("8: after an abort while the partition is looked up, the call is neither made nor counted", async () => {
  const caller = new AbortController();
  const partition = async () => {
    await Promise.resolve();
    caller.abort("meanwhile");
    return "p";
  };
  const act = stage([200], { lastGood: { partition } });

  const reason = await act.ask({ signal: caller.signal }).catch((error) => error);

  assertEquals([reason, act.origin.calls, act.types], ["meanwhile", 0, []]);
});

Deno.test("11: respond always gives the call a signal", async () => {
  const act = stage([200], { timeoutMs: Infinity });
  for (
    const request of [new Request(ORIGIN), Object.defineProperty(new Request(ORIGIN), "signal", {})]
  ) {
    let given: AbortSignal | undefined;
    await act.api.respond(request, (_, signal) => {
      given = signal;
      return new Response();
    });
    assertEquals(given?.aborted, false);
  }
});

Deno.test("11: fetch passes no signal on if it needs none", async () => {
  const inits: unknown[] = [];
  const fetch = (_: unknown, init?: RequestInit) => {
    inits.push(init);
    return Promise.resolve(new Response());
  };
  const act = stage([200], { fetch });
  const init = { headers: { "x-a": "1" } };
  await act.api.fetch(ORIGIN);
  await act.api.fetch(ORIGIN, init);

  assertStrictEquals(inits[0], undefined);
  assertEquals(inits[1], init);
});

Deno.test("11: each call has its own signal", async () => {
  const signals: (AbortSignal | null | undefined)[] = [];
  const flow = faucet();
  const fetch = (_: unknown, init?: RequestInit) => {
    signals.push(init?.signal);
    return Promise.resolve(new Response(flow.body));
  };
  const act = stage([200], { fetch, lastGood: false });
  const [first, second] = [new AbortController(), new AbortController()];
  await act.api.fetch(ORIGIN, { signal: first.signal });
  await act.api.fetch(ORIGIN, { signal: second.signal });
  first.abort();

  assertEquals(signals.map((signal) => signal?.aborted), [true, false]);
});

Deno.test("11: a Request's signal is the caller's, unless init has another or null", async () => {
  const [own, other] = [new AbortController(), new AbortController()];
  const input = requestWith(ORIGIN, {}, own.signal);
  const act = stage([200]);
  own.abort("own");

  assertEquals(await act.api.fetch(input).catch((error) => error), "own");
  const elsewhere = await act.api.fetch(input.url, { signal: other.signal });
  assert(elsewhere.ok);
  const { status } = await stage([200], { fetch: () => Promise.resolve(new Response()) })
    .api.fetch(input, { signal: null });
  assertEquals(status, 200);
});
