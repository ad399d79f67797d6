import { backoff } from "@lastgood/breaker";
import { assert, assertEquals } from "@std/assert";
import { calls, rig } from "../stage/circuit_stage.ts";

const middle = () => 0.5;

Deno.test("4: backoff lengthens the delay with each reopening, up to its limit", () => {
  const { circuit, clock } = rig({
    delayMs: backoff({ baseMs: 100, maxMs: 1_000, jitter: 0 }),
  });
  const delays: number[] = [];
  circuit.trip();

  for (let reopening = 0; reopening < 6; reopening++) {
    delays.push(circuit.retryAfterMs);
    clock.ms += circuit.retryAfterMs;
    calls(circuit, "failure");
  }

  assertEquals(delays, [100, 200, 400, 800, 1_000, 1_000]);
});

Deno.test("4: backoff resets when the circuit closes", () => {
  const { circuit, clock } = rig({
    threshold: 1,
    delayMs: backoff({ baseMs: 100, maxMs: 1_000, jitter: 0 }),
  });
  calls(circuit, "failure");
  clock.ms += 100;
  calls(circuit, "failure");
  clock.ms += 200;

  calls(circuit, "success", "failure");

  assertEquals(circuit.retryAfterMs, 100);
});

Deno.test("backoff grows by its factor, and stays constant with a factor of 1", () => {
  const delays = (factor: number) => {
    const delay = backoff({ baseMs: 10, maxMs: 10_000, factor, jitter: 0 });
    return [0, 1, 2, 3].map((reopenings) => delay(reopenings, middle));
  };

  assertEquals(delays(1), [10, 10, 10, 10]);
  assertEquals(delays(3), [10, 30, 90, 270]);
  assertEquals(delays(1.5), [10, 15, 22.5, 33.75]);
});

Deno.test("backoff spreads its delays to either side, by a fifth by default", () => {
  const delay = backoff({ baseMs: 1_000, maxMs: 60_000 });

  assertEquals([0, 0.5, 1].map((chance) => delay(0, () => chance)), [800, 1_000, 1_200]);
});

Deno.test("backoff keeps to its limit even with jitter", () => {
  const delay = backoff({ baseMs: 1_000, maxMs: 2_000, jitter: 1 });

  for (const reopenings of [0, 1, 2, 50, 5_000]) {
    for (const chance of [0, 0.3, 0.999, 1]) {
      const delayMs = delay(reopenings, () => chance);
      assert(delayMs >= 0 && delayMs <= 2_000, `${delayMs} ms after ${reopenings}`);
    }
  }
});

Deno.test("backoff uses the circuit's random option, once per opening", () => {
  let asked = 0;
  const { circuit } = rig({
    delayMs: backoff({ baseMs: 1_000, maxMs: 9_000, jitter: 0.5 }),
    random: () => {
      asked++;
      return 1;
    },
  });

  assertEquals(asked, 0);
  circuit.trip();

  assertEquals([circuit.retryAfterMs, asked], [1_500, 1]);
});

Deno.test("a custom delay policy is given the number of reopenings", () => {
  const heard: number[] = [];
  const { circuit, clock } = rig({
    threshold: 1,
    delayMs: (reopenings) => {
      heard.push(reopenings);
      return 10;
    },
  });

  for (const verdict of ["failure", "failure", "failure", "success", "failure"] as const) {
    calls(circuit, verdict);
    clock.ms += 10;
  }

  assertEquals(heard, [0, 1, 2, 0]);
});

Deno.test("a permit's retryAfterMs lengthens the delay, and never shortens it", () => {
  for (const [retryAfterMs, delayMs] of [[0, 1_000], [999, 1_000], [5_000, 5_000]] as const) {
    const { circuit } = rig({ threshold: 1 });

    circuit.acquire()?.settle("failure", retryAfterMs);

    assertEquals(circuit.retryAfterMs, delayMs);
  }
});

Deno.test("a delay of 0 probes at once", () => {
  const { circuit } = rig({ threshold: 1, delayMs: 0 });

  calls(circuit, "failure");
  assertEquals(circuit.state, "half_open");
  calls(circuit, "success");

  assertEquals(circuit.state, "closed");
});
