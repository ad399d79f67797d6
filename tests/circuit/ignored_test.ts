import { CircuitOpenError, type Verdict } from "@lastgood/breaker";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { admit } from "../../src/circuit/circuit.ts";
import type { CallPermit } from "../../src/circuit/permit.ts";
import { calls, due, permit, rig } from "../stage/circuit_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { moves, only } from "../stage/events.ts";
import { seeded } from "../stage/random.ts";
import { settled } from "../stage/settle.ts";

Deno.test("8: ignored calls do not change the counts of a closed circuit", () => {
  const { circuit, events } = rig({ threshold: 3 });

  calls(circuit, "failure", "ignored", "ignored", "failure", "ignored", "ignored");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
  assertEquals(only(events, "ignored").map(({ why }) => why), Array(4).fill("verdict"));
});

Deno.test("8: an ignored probe gives its slot back", () => {
  const { circuit, events } = due();

  calls(circuit, "ignored", "ignored");
  assertEquals([circuit.state, circuit.retryAfterMs], ["half_open", 0]);
  calls(circuit, "success");

  assertEquals(circuit.state, "closed");
  assertEquals(moves(events), ["open > half_open", "half_open > closed"]);
});

Deno.test("8: three ignored probes in a row open the circuit again for the same delay", () => {
  const delayMs = (reopenings: number) => 1_000 * (reopenings + 1);
  const { circuit, clock, events } = due({ delayMs });

  for (let round = 0; round < 3; round++) {
    calls(circuit, "ignored", "ignored");
    assertEquals(circuit.state, "half_open");
    calls(circuit, "ignored");
    assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
    clock.ms += 1_000;
  }

  assertEquals(moves(events).slice(0, 3), [
    "open > half_open",
    "half_open > open",
    "open > half_open",
  ]);
  calls(circuit, "failure");
  assertEquals(circuit.retryAfterMs, 2_000);
});

Deno.test("8: a probe that succeeds breaks the row of ignored ones", () => {
  const { circuit } = due({ probes: 2 });

  calls(circuit, "ignored", "ignored", "success", "ignored", "ignored");
  assertEquals(circuit.state, "half_open");
  calls(circuit, "ignored");

  assertEquals(circuit.state, "open");
});

Deno.test("8: ignored probes that run at the same time are a row, too", () => {
  const { circuit } = due({ probes: 3 });
  const probes = [permit(circuit), permit(circuit), permit(circuit)];

  for (const probe of probes) probe.settle("ignored");

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
});

Deno.test("8: an ignored probe with Retry-After opens the circuit again for that long", () => {
  for (const retryAfterMs of [10, 120_000]) {
    const { circuit, clock, events } = due();

    permit(circuit).settle("ignored", retryAfterMs);

    assertEquals([circuit.state, circuit.retryAfterMs], ["open", retryAfterMs]);
    assertEquals(only(events, "state").at(-1)?.retryAfterMs, retryAfterMs);
    clock.ms += retryAfterMs;
    calls(circuit, "success");
    assertEquals(circuit.state, "closed");
  }
});

Deno.test("8: an ignored probe with a Retry-After of 0 is one of three", () => {
  const { circuit } = due();

  for (let probe = 0; probe < 2; probe++) permit(circuit).settle("ignored", 0);
  assertEquals(circuit.state, "half_open");
  permit(circuit).settle("ignored", 0);

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
});

Deno.test("8: an ignored call of a closed circuit opens nothing, whatever it asks for", () => {
  const { circuit } = rig();

  for (let call = 0; call < 9; call++) permit(circuit).settle("ignored", 5_000);

  assertEquals(circuit.state, "closed");
});

Deno.test("8: a row of ignored probes goes on after a restart", () => {
  const { circuit, clock } = due();
  calls(circuit, "ignored", "ignored");

  const { circuit: again } = rig({
    state: JSON.parse(JSON.stringify(circuit)),
    now: () => clock.ms,
  });
  calls(again, "ignored");

  assertEquals(again.state, "open");
});

Deno.test("8: callers who leave and leases that are lost never open a half open circuit again", async () => {
  const { circuit, clock } = due();

  for (let probe = 0; probe < 9; probe++) {
    const caller = new AbortController();
    const left = circuit.run(() => new Promise(() => {}), { signal: caller.signal });
    caller.abort();
    await left.catch(() => {});
    permit(circuit);
    clock.ms += 500;
  }

  assertEquals(circuit.state, "half_open");
});

const STRANGE = ["aborted", "method", "frozen", "upload", "arguments", "inner", "ours"] as const;

Deno.test("8: what strangers can bring about never opens a half open circuit again", () => {
  for (const why of STRANGE) {
    const { circuit } = due();

    for (let probe = 0; probe < 9; probe++) {
      (admit(circuit) as CallPermit).end("ignored", { why, retryAfterMs: 5_000 });
    }

    assertEquals(circuit.state, "half_open", why);
  }
});

Deno.test("8: the judge decides what is ignored", async () => {
  const { circuit } = rig<number>({
    threshold: 1,
    judge: (outcome) => outcome.status === "rejected" ? "ignored" : undefined,
  });

  await assertRejects(() => circuit.run(() => Promise.reject(new Error("404"))), Error, "404");

  assertEquals(circuit.state, "closed");
});

for (const reason of [undefined, null, "text", 0, new Error("gone"), new TypeError("x"), {}]) {
  Deno.test(`8: a caller's own abort is ignored without asking the judge (${String(reason)})`, async () => {
    const asked: unknown[] = [];
    const { circuit, events } = rig({
      threshold: 1,
      judge: (outcome): Verdict => {
        asked.push(outcome);
        return "failure";
      },
    });
    const caller = new AbortController();
    const promise = circuit.run(() => new Promise(() => {}), { signal: caller.signal });

    caller.abort(reason);
    const caught = await promise.then(() => "fulfilled", (error) => ({ error }));

    assertStrictEquals((caught as { error: unknown }).error, caller.signal.reason);
    assertEquals([circuit.state, asked.length], ["closed", 0]);
    assertEquals(only(events, "ignored").map(({ why }) => why), ["aborted"]);
  });
}

Deno.test("8: an aborted call that rejects through its signal is ignored, too", async () => {
  const { circuit } = rig({ threshold: 1 });
  const caller = new AbortController();
  const promise = circuit.run((signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("the upstream's own words")));
    }), { signal: caller.signal });

  caller.abort(new Error("my own words"));

  await assertRejects(() => promise, Error, "my own words");
  assertEquals(circuit.state, "closed");
});

Deno.test("8: a call that aborts its own caller while running is ignored", async () => {
  const { circuit } = rig({ threshold: 1 });
  const caller = new AbortController();

  const promise = circuit.run((): never => {
    caller.abort(new Error("enough"));
    throw new Error("boom");
  }, { signal: caller.signal });

  await assertRejects(() => promise, Error, "enough");
  assertEquals(circuit.state, "closed");
});

Deno.test("8: an aborted probe gives its slot back", async () => {
  const { circuit } = due();
  const caller = new AbortController();
  const probe = circuit.run(() => new Promise(() => {}), { signal: caller.signal });
  assertEquals(circuit.acquire(), undefined);

  caller.abort();
  await assertRejects(() => probe);

  calls(circuit, "success");
  assertEquals(circuit.state, "closed");
});

Deno.test("8: an abort from the upstream is a failure like any other", async () => {
  const { circuit } = rig({ threshold: 1 });
  const caller = new AbortController();
  const upstreams = new DOMException("The operation was aborted", "AbortError");

  const caught = await circuit.run(() => Promise.reject(upstreams), { signal: caller.signal })
    .catch((error) => error);

  assertStrictEquals(caught, upstreams);
  assertEquals(circuit.state, "open");
});

Deno.test("8: a call with an already aborted signal is neither made nor counted", async () => {
  for (const made of [rig({ threshold: 1 }), due()]) {
    const { circuit, events } = made;
    const before = JSON.stringify(circuit);
    let called = 0;

    const promise = circuit.run(() => ++called, { signal: AbortSignal.abort(new Error("no")) });

    await assertRejects(() => promise, Error, "no");
    assertEquals([called, events.length, JSON.stringify(circuit)], [0, 0, before]);
  }
});

Deno.test("8: an already aborted caller of an open circuit gets only its own error", async () => {
  const { circuit } = rig();
  circuit.trip();

  const promise = circuit.run(() => 1, { signal: AbortSignal.abort(new Error("no")) });

  await assertRejects(() => promise, Error, "no");
});

Deno.test("8: our own timeout is a failure, without asking the judge", async () => {
  using time = new FakeTime();
  let asked = 0;
  const { circuit, events } = rig({
    threshold: 1,
    timeoutMs: 100,
    judge: (): Verdict => {
      asked++;
      return "success";
    },
  });
  const promise = circuit.run(() => new Promise(() => {}));
  promise.catch(() => {});

  await time.tickAsync(100);
  const error = await assertRejects(() => promise, DOMException);

  assertEquals([error.name, circuit.state, asked], ["TimeoutError", "open", 0]);
  assertEquals(only(events, "failure").map((event) => event.error), [error]);
});

Deno.test("8: 100 callers who abort at random moments do not trip the circuit", async () => {
  const { circuit } = rig({ threshold: 1 });
  const random = seeded(7);

  const all = Array.from({ length: 100 }, async () => {
    const caller = new AbortController();
    const answer = deferred<number>();
    const promise = circuit.run((signal) => {
      signal.addEventListener("abort", () => answer.reject(signal.reason));
      return answer.promise;
    }, { signal: caller.signal });
    await settled(random() * 20);
    caller.abort();
    await promise.catch(() => {});
  });
  await Promise.all(all);

  assertEquals(circuit.state, "closed");
  permit(circuit).settle("failure");
  assertEquals(circuit.state, "open");
});

Deno.test("31: the refusal of another circuit does not count, however it is wrapped", async () => {
  const refusal = new CircuitOpenError("inner", 1_000);
  const ways = [
    refusal,
    new Error("Connection error.", { cause: refusal }),
    new AggregateError([new Error("x"), refusal]),
  ];
  for (const error of ways) {
    // With and without a permit: see Circuit.run.
    for (const options of [{}, { signal: new AbortController().signal }]) {
      const { circuit } = rig({ threshold: 1, onEvent: undefined });

      await circuit.run(() => Promise.reject(error), options).catch(() => {});

      assertEquals(circuit.state, "closed");
    }
  }
});
