import { Circuit, CircuitOpenError } from "@lastgood/breaker";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { admit } from "../../src/circuit/circuit.ts";
import { Refusal } from "../../src/circuit/refusal.ts";
import { Clock } from "../stage/clock.ts";
import { calls, rig } from "../stage/circuit_stage.ts";
import { moves } from "../stage/events.ts";

Deno.test("1: closed circuit passes a result through untouched", async () => {
  const { circuit } = rig();
  const result = { rows: [1, 2] };

  assertStrictEquals(await circuit.run(() => result), result);
  assertStrictEquals(await circuit.run(() => Promise.resolve(result)), result);
});

Deno.test("1: closed circuit passes on the upstream's own error, of any type", async () => {
  for (const error of [new RangeError("x"), "text", 0, undefined, null, { code: 1 }, false]) {
    const { circuit } = rig();

    const caught = await circuit.run(() => Promise.reject(error)).then(
      () => "fulfilled",
      (reason) => ({ reason }),
    );

    assertStrictEquals((caught as { reason: unknown }).reason, error);
  }
});

Deno.test("1: the call that opens the circuit still rejects with the upstream's own error", async () => {
  const { circuit } = rig({ threshold: 1 });
  const error = new Error("boom");

  const caught = await circuit.run(() => Promise.reject(error)).catch((reason) => reason);

  assertStrictEquals(caught, error);
  assertEquals(circuit.state, "open");
});

Deno.test("2: circuit opens exactly at the threshold", () => {
  for (const threshold of [1, 2, 5, 17]) {
    const { circuit, events } = rig({ threshold });

    calls(circuit, ...Array<"failure">(threshold - 1).fill("failure"));
    assertEquals(circuit.state, "closed");
    calls(circuit, "failure");

    assertEquals(circuit.state, "open");
    assertEquals(moves(events), ["closed > open"]);
  }
});

Deno.test("2: the default threshold is five failures in a row, the delay a minute", () => {
  const clock = new Clock(0);
  const circuit = new Circuit({ now: clock.now });

  calls(circuit, "failure", "failure", "failure", "failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 60_000]);
  clock.tick(59_999);
  assertEquals(circuit.state, "open");
  clock.tick(1);
  assertEquals(circuit.state, "half_open");
});

Deno.test("2: a consecutive count resets after a success", () => {
  const { circuit } = rig({ threshold: 3 });

  calls(circuit, "failure", "failure", "success", "failure", "failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("2: open circuit refuses without calling", async () => {
  const { circuit } = rig({ name: "stock" });
  circuit.trip();
  let called = 0;

  const error = await assertRejects(
    () => circuit.run(() => ++called),
    CircuitOpenError,
    'Circuit "stock" is open, retry after 1 secs',
  );

  assertEquals([error.circuit, error.retryAfterMs, called], ["stock", 1_000, 0]);
  assertEquals(circuit.acquire(), undefined);
});

Deno.test("2: a refusal reads the clock once, and hands the reading on", () => {
  let readings = 0;
  const { circuit } = rig({ now: () => ++readings });
  circuit.trip();
  readings = 500;

  const refusal = admit(circuit);

  assert(refusal instanceof Refusal);
  assertEquals([readings, refusal.at], [501, 501]);
});

Deno.test("2: a refusal gives the time left, in its message rounded up to seconds", async () => {
  const { circuit, clock } = rig({ delayMs: 90_000 });
  circuit.trip();
  clock.ms += 29_500;

  const error = await assertRejects(() => circuit.run(() => 0), CircuitOpenError);

  assertEquals(error.retryAfterMs, 60_500);
  assertEquals(error.message.endsWith("retry after 61 secs"), true);
});

Deno.test("10: a synchronous throw becomes a rejection and counts", async () => {
  const { circuit } = rig({ threshold: 1 });

  const promise = circuit.run(() => {
    throw new SyntaxError("at once");
  });

  await assertRejects(() => promise, SyntaxError, "at once");
  assertEquals(circuit.state, "open");
});

Deno.test("10: a synchronous throw makes a wrapped function reject, with a timeout, too", async () => {
  const { circuit } = rig({ threshold: 1, timeoutMs: 1_000 });
  const guarded = circuit.wrap((): number => {
    throw new SyntaxError("at once");
  });

  await assertRejects(() => guarded(), SyntaxError, "at once");
  assertEquals(circuit.state, "open");
});

Deno.test("10: this and all arguments reach a wrapped function", async () => {
  const { circuit } = rig();
  const account = {
    balance: 40,
    add: circuit.wrap(function (this: { balance: number }, a: number, ...more: number[]) {
      return this.balance + a + more.reduce((sum, one) => sum + one, 0);
    }),
  };

  assertEquals(await account.add(1), 41);
  assertEquals(await account.add(1, 2, 3), 46);
});

Deno.test("10: a wrapped function shares its circuit with run and acquire", async () => {
  const { circuit } = rig({ threshold: 3 });
  const guarded = circuit.wrap(() => Promise.reject(new Error("boom")));

  await assertRejects(() => guarded(), Error, "boom");
  await assertRejects(() => circuit.run(() => Promise.reject(new Error("boom"))), Error, "boom");
  calls(circuit, "failure");

  await assertRejects(() => guarded(), CircuitOpenError);
});

Deno.test("circuit treats a thenable as a promise", async () => {
  const { circuit } = rig({ threshold: 1 });
  const fulfilled = { then: (yes: (value: number) => void) => yes(7) };
  const rejected = { then: (_: unknown, no: (error: Error) => void) => no(new Error("late")) };

  assertEquals(await circuit.run(() => fulfilled as unknown as Promise<number>), 7);
  await assertRejects(
    () => circuit.run(() => rejected as unknown as Promise<number>),
    Error,
    "late",
  );
  assertEquals(circuit.state, "open");
});

Deno.test("2: a run without listener, judge or timeout counts like any other", async () => {
  const { circuit, clock } = rig({ threshold: 2, onEvent: undefined as never });
  const fail = () => circuit.run(() => Promise.reject(new Error("own"))).catch(() => circuit.state);

  assertEquals([await fail(), await circuit.run(() => 1), await fail()], ["closed", 1, "closed"]);
  assertEquals([await fail(), circuit.retryAfterMs], ["open", 1_000]);
  await assertRejects(() => circuit.run(() => 1), CircuitOpenError, "retry after 1 secs");
  clock.ms += 1_000;
  assertEquals([await fail(), circuit.retryAfterMs], ["open", 1_000]);
  clock.ms += 1_000;

  assertEquals([await circuit.run(() => 2), circuit.state], [2, "closed"]);
});
