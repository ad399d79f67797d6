import { assert, assertEquals, assertRejects } from "@std/assert";
import { calls, due, permit, rig } from "../stage/circuit_stage.ts";
import { START } from "../stage/clock.ts";
import { only, types } from "../stage/events.ts";

Deno.test("every event carries its circuit's name and the time", async () => {
  const { circuit, clock, events } = rig({ name: "stock", threshold: 1, judge: () => 5 as never });
  await circuit.run(() => Promise.reject(new Error("x"))).catch(() => {});
  circuit.acquire();
  clock.ms += 1_000;
  calls(circuit, "ignored", "success");

  for (const event of events) {
    assertEquals(event.circuit, "stock");
    assert(event.at === START || event.at === START + 1_000);
  }
  assertEquals([...new Set(types(events))].sort(), [
    "error",
    "failure",
    "ignored",
    "probe",
    "refused",
    "state",
    "success",
  ]);
});

Deno.test("state events report from, to, reason and how long the circuit stays open", () => {
  const { circuit, clock, events } = rig();

  calls(circuit, "failure", "failure");
  clock.ms += 1_000;
  calls(circuit, "failure");
  clock.ms += 1_000;
  calls(circuit, "success");

  assertEquals(
    only(events, "state").map((event) => [event.from, event.to, event.reason, event.retryAfterMs]),
    [
      ["closed", "open", "2 failures in a row", 1_000],
      ["open", "half_open", "the delay is over", 0],
      ["half_open", "open", "a probe failed", 1_000],
      ["open", "half_open", "the delay is over", 0],
      ["half_open", "closed", "probes succeeded", 0],
    ],
  );
});

Deno.test("success and failure report how long the call took, failure also its error", async () => {
  const { circuit, clock, events } = rig();
  const error = new Error("x");

  await circuit.run(() => void (clock.ms += 30));
  await circuit.run(() => {
    clock.ms += 20;
    throw error;
  }).catch(() => {});

  const reported = [...only(events, "success"), ...only(events, "failure")];
  assertEquals(reported.map(({ durationMs }) => durationMs), [30, 20]);
  assertEquals(only(events, "failure").map((event) => event.error), [error]);
});

Deno.test("refused reports the time until a call may pass", async () => {
  const { circuit, clock, events } = due();
  permit(circuit);
  clock.ms += 100;
  events.length = 0;

  await assertRejects(() => circuit.run(() => 1));

  assertEquals(types(events), ["refused"]);
  assertEquals(only(events, "refused").map(({ retryAfterMs }) => retryAfterMs), [400]);
});

Deno.test("events come in the order in which things happened", () => {
  const { circuit, clock, events } = rig({ threshold: 1 });

  calls(circuit, "success", "failure");
  circuit.acquire();
  clock.ms += 1_000;
  calls(circuit, "ignored", "success");

  assertEquals(types(events), [
    "success",
    "failure",
    "state",
    "refused",
    "state",
    "probe",
    "ignored",
    "probe",
    "success",
    "state",
  ]);
});

Deno.test("a listener reads the state that its event reports", () => {
  const read: unknown[] = [];
  const made = rig({
    threshold: 1,
    onEvent: (event) => {
      if (event.type === "state") read.push([event.to, made.circuit.state]);
    },
  });

  calls(made.circuit, "failure");
  made.clock.ms += 1_000;
  calls(made.circuit, "success");
  const release = made.circuit.isolate();
  release();

  assertEquals(read, [
    ["open", "open"],
    ["half_open", "half_open"],
    ["closed", "closed"],
    ["open", "open"],
    ["closed", "closed"],
  ]);
});

Deno.test("a refusal says why: open, probing, and open while isolated", () => {
  const { circuit, clock, events } = rig();
  circuit.trip();
  circuit.acquire();
  clock.ms += 1_000;
  permit(circuit);
  circuit.acquire();
  circuit.isolate();
  circuit.acquire();

  assertEquals(only(events, "refused").map(({ why }) => why), ["open", "probing", "open"]);
});

Deno.test("the error of a refused call says why: open, also while probing, or isolated", async () => {
  const { circuit, clock } = rig();
  const why = () => circuit.run(() => 1).catch((error) => error.why);
  circuit.trip();
  const whileOpen = await why();
  clock.ms += 1_000;
  permit(circuit);
  const whileProbing = await why();
  circuit.isolate();

  assertEquals([whileOpen, whileProbing, await why()], ["open", "open", "isolated"]);
});
