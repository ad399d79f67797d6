import { assertEquals, assertRejects } from "@std/assert";
import { CircuitOpenError } from "@lastgood/breaker";
import { START } from "../stage/clock.ts";
import { stage, WAYS } from "../stage/breaker_stage.ts";

function after(ms: number): string {
  return new Date(START + ms).toUTCString();
}

/** An upstream's Retry-After, and the resulting delay if our own is 1,000 ms. */
const ASKED: readonly (readonly [value: string, delayMs: number])[] = [
  ["120", 120_000],
  [" 5 ", 5_000],
  ["0", 1_000],
  ["1", 1_000],
  ["599", 599_000],
  ["601", 600_000],
  ["99999999999999999999", 600_000],
  [after(90_000), 90_000],
  [after(-90_000), 1_000],
  [after(7_200_000), 600_000],
  ["Thursday, 01-Jan-26 00:01:00 GMT", 60_000],
  ["Thu Jan  1 00:01:00 2026", 60_000],
  ["", 1_000],
  ["soon", 1_000],
  ["-5", 1_000],
  ["1.5", 1_000],
  ["1e3", 1_000],
  ["0x10", 1_000],
  ["10, 20", 1_000],
  ["Infinity", 1_000],
  ["2026-01-01T01:00:00Z", 1_000],
  ["Thu, 32 Jan 2026 00:01:00 GMT", 1_000],
];

for (const [value, delayMs] of ASKED) {
  Deno.test(`26: Retry-After ${JSON.stringify(value)} makes a delay of ${delayMs} ms`, async () => {
    const script = [{ status: 503, headers: { "retry-after": value } }];
    const act = stage(script, { threshold: 1 });
    await act.ask();

    assertEquals(act.circuit.retryAfterMs, delayMs);
  });
}

for (const way of WAYS) {
  Deno.test(`26: ${way} waits as long as the answer that opens the circuit asks`, async () => {
    const script = [{ status: 500, headers: { "retry-after": "9" } }, {
      status: 503,
      headers: { "retry-after": "20" },
    }];
    const act = stage(script, { threshold: 2 }, way);
    await act.ask();
    assertEquals(act.circuit.state, "closed");
    await act.ask();

    assertEquals(act.circuit.retryAfterMs, 20_000);
  });

  Deno.test(`26: on ${way} a failed probe's Retry-After lengthens the next delay`, async () => {
    const script = [500, { status: 503, headers: { "retry-after": "20" } }];
    const act = stage(script, { threshold: 1 }, way);
    await act.ask();
    act.tick(1_000);
    await act.ask();

    assertEquals(act.circuit.retryAfterMs, 20_000);
  });
}

Deno.test("26: maxDelayMs limits the delay the upstream asks for, not our own", async () => {
  const script = [{ status: 503, headers: { "retry-after": "120" } }];
  const limited = stage(script, { threshold: 1, maxDelayMs: 30_000 });
  const patient = stage(script, { threshold: 1, delayMs: 90_000, maxDelayMs: 30_000 });
  await limited.ask();
  await patient.ask();

  assertEquals([limited.circuit.retryAfterMs, patient.circuit.retryAfterMs], [30_000, 90_000]);
});

/** Answers under onRetryAfter "open", with the state after each. */
const OPENING: readonly (readonly [status: number, value: string | undefined, state: string])[] = [
  [429, "20", "open"],
  [503, "20", "open"],
  [429, undefined, "closed"],
  [503, undefined, "closed"],
  [429, "junk", "closed"],
  [500, "20", "closed"],
  [301, "20", "closed"],
];

for (const [status, value, state] of OPENING) {
  Deno.test(`26: with onRetryAfter open, ${status} with Retry-After ${value} leaves the circuit ${state}`, async () => {
    const headers = value === undefined ? {} : { "retry-after": value };
    const act = stage([{ status, headers, body: "no" }], { onRetryAfter: "open" });

    assertEquals(await act.text(), "no");

    assertEquals([act.circuit.state, act.circuit.retryAfterMs > 1_000], [state, state === "open"]);
  });
}

Deno.test("26: with onRetryAfter stretch, a 429 changes nothing", async () => {
  const act = stage([{ status: 429, headers: { "retry-after": "20" } }], { threshold: 1 });
  for (let call = 0; call < 3; call++) assertEquals((await act.ask()).status, 429);

  assertEquals(act.circuit.state, "closed");
});

Deno.test("26: a refused caller gets the time left", async () => {
  const script = [{ status: 503, headers: { "retry-after": "20" } }];
  const act = stage(script, { threshold: 1 });
  await act.ask();
  act.tick(5_500);

  const error = await assertRejects(() => act.ask(), CircuitOpenError);

  assertEquals(error.retryAfterMs, 14_500);
  assertEquals(error.getResponse().headers.get("retry-after"), "15");
});
