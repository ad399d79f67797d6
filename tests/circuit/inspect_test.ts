import type { Circuit } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { calls, due, rig } from "../stage/circuit_stage.ts";
import { START } from "../stage/clock.ts";

/** What `console.log` asks for on Node, Deno and Bun. */
function inspected(circuit: Circuit): unknown {
  const inspect = Symbol.for("nodejs.util.inspect.custom");
  return (circuit as unknown as Record<symbol, () => unknown>)[inspect]!();
}

Deno.test("a closed circuit is shown with its state and counts", () => {
  const { circuit } = rig({ name: "stock" });
  calls(circuit, "failure");

  assertEquals(inspected(circuit), {
    circuit: "stock",
    state: "closed",
    retryAfterMs: 0,
    counts: { "consecutive(2)": 1 },
  });
});

Deno.test("a circuit that is not closed is shown with its state and opening", () => {
  const { circuit } = due({ name: "stock" });

  assertEquals(inspected(circuit), {
    circuit: "stock",
    state: "half_open",
    retryAfterMs: 0,
    openedAt: START,
    delayMs: 1_000,
    reopenings: 0,
    succeeded: 0,
  });
});

Deno.test("a circuit that is shown has no more members to walk through than before", () => {
  const { circuit } = rig();

  assertEquals([Object.keys(circuit), JSON.parse(JSON.stringify(circuit)).state], [[], "closed"]);
});
