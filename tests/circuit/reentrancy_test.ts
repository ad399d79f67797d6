import { type BreakerEvent, Circuit, consecutive } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { calls, permit } from "../stage/circuit_stage.ts";
import { Clock } from "../stage/clock.ts";

/** Makes a circuit whose listener calls `act` once, at the first event that `when` accepts. */
function reacting(
  when: (event: BreakerEvent) => boolean,
  act: (circuit: Circuit) => void,
  options: ConstructorParameters<typeof Circuit>[0] = {},
): { circuit: Circuit; clock: Clock; reported: string[] } {
  const clock = new Clock();
  const reported: string[] = [];
  let done = false;
  const circuit: Circuit = new Circuit({
    ...(options.trip === undefined ? { threshold: 2 } : {}),
    delayMs: 1_000,
    now: clock.now,
    ...options,
    onEvent(event) {
      reported.push(event.type === "state" ? `${event.from} > ${event.to}` : event.type);
      if (done || !when(event)) return;
      done = true;
      act(circuit);
    },
  });
  return { circuit, clock, reported };
}

const opens = (event: BreakerEvent) => event.type === "state" && event.to === "open";
const halfOpens = (event: BreakerEvent) => event.type === "state" && event.to === "half_open";
const closes = (event: BreakerEvent) =>
  event.type === "state" && event.to === "closed" && event.from === "half_open";

Deno.test("9: a listener may reset the circuit as it opens", () => {
  const { circuit, reported } = reacting(opens, (own) => own.reset());

  calls(circuit, "failure", "failure");

  assertEquals(circuit.state, "closed");
  assertEquals(reported, ["failure", "failure", "closed > open", "open > closed"]);
  calls(circuit, "failure");
  assertEquals(circuit.state, "closed");
});

Deno.test("9: if a listener resets as a probe passes, the probe ends late", () => {
  const { circuit, clock } = reacting(halfOpens, (own) => own.reset());
  circuit.trip();
  clock.ms += 1_000;
  const probe = permit(circuit);
  calls(circuit, "failure");

  probe.settle("failure");

  assertEquals(circuit.state, "closed");
});

Deno.test("9: if a listener trips as a probe passes, the probe ends late", () => {
  const { circuit, clock, reported } = reacting(halfOpens, (own) => own.trip());
  circuit.trip();
  clock.ms += 1_000;

  permit(circuit).settle("success");

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
  assertEquals(reported.filter((one) => one.includes(">")), [
    "closed > open",
    "open > half_open",
    "half_open > open",
  ]);
});

Deno.test("9: a listener may trip the circuit as it closes", () => {
  const { circuit, clock } = reacting(closes, (own) => own.trip());
  circuit.trip();
  clock.ms += 1_000;

  calls(circuit, "success");

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
});

Deno.test("9: a listener may isolate the circuit as it opens, and release it", () => {
  let release = () => {};
  const { circuit } = reacting(opens, (own) => release = own.isolate());

  calls(circuit, "failure", "failure");
  assertEquals([circuit.state, circuit.retryAfterMs], ["open", Infinity]);
  release();

  assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
});

Deno.test("9: a listener may call through the circuit at any event", async () => {
  const inner: Promise<unknown>[] = [];
  const { circuit, clock } = reacting(
    opens,
    (own) => inner.push(own.run(() => 1).catch(({ name }) => name)),
  );

  calls(circuit, "failure", "failure");

  assertEquals(await Promise.all(inner), ["CircuitOpenError"]);
  clock.ms += 1_000;
  assertEquals(await circuit.run(() => 2), 2);
});

Deno.test("9: a listener that calls as half open begins gets no extra slot", () => {
  const taken: unknown[] = [];
  const { circuit, clock } = reacting(halfOpens, (own) => taken.push(own.acquire()));
  circuit.trip();
  clock.ms += 1_000;

  const probe = permit(circuit);

  assertEquals(taken, [undefined]);
  probe.settle("success");
  assertEquals(circuit.state, "closed");
});

for (const verdict of ["success", "failure", "ignored"] as const) {
  Deno.test(`6: a listener that trips at ${verdict} acts before the count`, () => {
    const { circuit, reported } = reacting(({ type }) => type === verdict, (own) => own.trip());

    calls(circuit, verdict);

    assertEquals([circuit.state, circuit.retryAfterMs], ["open", 1_000]);
    assertEquals(reported, [verdict, "closed > open"]);
  });

  Deno.test(`6: a listener that resets at the ${verdict} of a probe acts before the count`, () => {
    const { circuit, clock, reported } = reacting(
      ({ type }) => type === verdict,
      (own) => own.reset(),
    );
    circuit.trip();
    clock.ms += 1_000;
    reported.length = 0;

    calls(circuit, verdict);

    assertEquals(circuit.state, "closed");
    assertEquals(reported, ["open > half_open", "probe", verdict, "half_open > closed"]);
  });
}

Deno.test("6: if a listener resets at a policy's error, the call ends late", () => {
  const broken = {
    start: () => ({
      record: () => {
        throw new Error("policy");
      },
    }),
  };
  const { circuit, reported } = reacting(
    ({ type }) => type === "error",
    (own) => own.reset(),
    { trip: [broken, consecutive(1)] },
  );

  calls(circuit, "failure");

  assertEquals(circuit.state, "closed");
  assertEquals(reported, ["failure", "error"]);
});

Deno.test("6: if a listener resets at an error in start, the call ends late", () => {
  const broken = {
    start: () => {
      throw new Error("policy");
    },
  };
  const { circuit } = reacting(
    ({ type }) => type === "error",
    (own) => own.reset(),
    { trip: [consecutive(2), broken] },
  );

  calls(circuit, "failure", "failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("6: if a policy resets the circuit while recording a call, the call ends late", async () => {
  const circuit: Circuit = new Circuit({
    trip: {
      timed: false,
      start: () => ({
        record() {
          circuit.reset();
          return "too late";
        },
      }),
    },
  });

  await circuit.run(() => 1);
  circuit.acquire()?.settle("failure");

  assertEquals(circuit.state, "closed");
});

Deno.test("9: a listener that resets at a delay policy's error acts after the move", () => {
  const { circuit, reported } = reacting(
    ({ type }) => type === "error",
    (own) => own.reset(),
    {
      delayMs: () => {
        throw new Error("policy");
      },
    },
  );

  calls(circuit, "failure", "failure");

  assertEquals(circuit.state, "closed");
  assertEquals(reported, ["failure", "failure", "closed > open", "error", "open > closed"]);
});

Deno.test("9: a listener that resets as a call is refused lets the next call through", async () => {
  const { circuit } = reacting(({ type }) => type === "refused", (own) => own.reset());
  circuit.trip();

  const error = await circuit.run(() => 1).catch((reason) => reason);

  assertEquals(error.name, "CircuitOpenError");
  assertEquals(await circuit.run(() => 1), 1);
});

Deno.test("7: a listener that takes the slot of a lost lease keeps it", () => {
  let taken = 0;
  const { circuit, clock } = reacting(
    ({ type }) => type === "ignored",
    (own) => own.acquire() && taken++,
    { probeTimeoutMs: 500 },
  );
  circuit.trip();
  clock.ms += 1_000;
  permit(circuit);
  clock.ms += 500;

  assertEquals([circuit.acquire(), taken], [undefined, 1]);
});
