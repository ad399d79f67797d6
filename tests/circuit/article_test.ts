import { CircuitOpenError, type CircuitOptions, logTo, total } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { rig } from "../stage/circuit_stage.ts";

/** One call after a pause, with its result and the state afterwards. */
type Step = readonly [
  afterMs: number,
  upstream: "success" | "failure",
  gets: "success" | "failure" | `retry after ${number} secs`,
  state: "closed" | "open" | "half_open",
  calls: number,
];

/** Plays an article's session and returns what was seen. */
async function play(options: CircuitOptions, steps: readonly Step[]): Promise<Step[]> {
  const { circuit, clock } = rig({ delayMs: 10_000, ...options });
  let reached = 0;
  const seen: Step[] = [];
  for (const [afterMs, upstream] of steps) {
    clock.ms += afterMs;
    const gets = await circuit.run(() => {
      reached++;
      if (upstream === "failure") throw new Error("failure");
      return "success";
    }).catch((error) =>
      error instanceof CircuitOpenError ? error.message.split(", ")[1] : error.message
    );
    seen.push([afterMs, upstream, gets, circuit.state, reached]);
  }
  return seen;
}

const RECOVERY: readonly Step[] = [
  [0, "success", "retry after 10 secs", "open", 5],
  [1, "success", "retry after 10 secs", "open", 5],
  [2_999, "failure", "retry after 7 secs", "open", 5],
  [6_999, "success", "retry after 1 secs", "open", 5],
  [1, "failure", "failure", "open", 6],
  [0, "success", "retry after 10 secs", "open", 6],
  [10_000, "success", "success", "closed", 7],
  [0, "failure", "failure", "closed", 8],
  [0, "failure", "failure", "closed", 9],
  [0, "failure", "failure", "open", 10],
];

/** The session under each way of counting, until the circuit opens or the article ends. */
const SESSIONS: readonly (readonly [name: string, options: CircuitOptions, steps: Step[]])[] = [
  ["2: with trip: total(n), the count continues across successes, as in the article", {
    trip: total(3),
  }, [
    [0, "failure", "failure", "closed", 1],
    [0, "failure", "failure", "closed", 2],
    [0, "success", "success", "closed", 3],
    [0, "success", "success", "closed", 4],
    [0, "failure", "failure", "open", 5],
    ...RECOVERY,
  ]],
  ["2: the default count resets after a success", { threshold: 3 }, [
    [0, "failure", "failure", "closed", 1],
    [0, "success", "success", "closed", 2],
    [0, "failure", "failure", "closed", 3],
    [0, "failure", "failure", "closed", 4],
    [0, "failure", "failure", "open", 5],
    ...RECOVERY,
  ]],
  ["2: total opens at the second failure even after a success", { trip: total(2) }, [
    [0, "failure", "failure", "closed", 1],
    [0, "success", "success", "closed", 2],
    [0, "failure", "failure", "open", 3],
  ]],
  ["2: the default stays closed at the second failure after a success", { threshold: 2 }, [
    [0, "failure", "failure", "closed", 1],
    [0, "success", "success", "closed", 2],
    [0, "failure", "failure", "closed", 3],
  ]],
];

for (const [name, options, steps] of SESSIONS) {
  Deno.test(name, async () => {
    assertEquals(await play(options, steps), steps);
  });
}

Deno.test("logTo writes the article's log lines", async () => {
  const lines: string[] = [];
  const { circuit, clock } = rig({
    trip: total(2),
    delayMs: 10_000,
    onEvent: logTo({ log: (line) => lines.push(line) }),
  });
  const fail = () => circuit.run(() => Promise.reject(new Error("x"))).catch(() => {});

  await fail();
  await fail();
  await fail();
  clock.ms += 10_000;
  await circuit.run(() => 1);

  assertEquals(lines, [
    "[circuit] Changed state from closed to open: 2 failures; retry after 10 secs",
    "[circuit] Changed state from open to half_open: the delay is over",
    "[circuit] Changed state from half_open to closed: probes succeeded",
  ]);
});
