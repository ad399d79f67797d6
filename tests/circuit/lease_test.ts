import type { CallPermit } from "../../src/circuit/permit.ts";
import { assertEquals } from "@std/assert";
import { calls, due, permit, rig } from "../stage/circuit_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { moves, only } from "../stage/events.ts";

Deno.test("7: a probe that never ends holds its slot until its lease is over", () => {
  const { circuit, clock } = due({ probeTimeoutMs: 500 });
  permit(circuit);

  clock.ms += 499;
  assertEquals([circuit.acquire(), circuit.retryAfterMs], [undefined, 1]);
  clock.ms += 1;

  assertEquals(circuit.retryAfterMs, 0);
  calls(circuit, "success");
  assertEquals(circuit.state, "closed");
});

Deno.test("7: losing a lease is neutral: no count, no state change, reported as ignored", () => {
  const { circuit, clock, events } = due();
  permit(circuit);
  events.length = 0;
  clock.ms += 500;

  permit(circuit);

  assertEquals(moves(events), []);
  assertEquals(only(events, "ignored").map(({ why }) => why), ["probe-timeout"]);
  assertEquals(circuit.state, "half_open");
});

Deno.test("7: a result after a lost lease is dropped, although another probe runs", () => {
  for (const verdict of ["success", "failure", "ignored"] as const) {
    const { circuit, clock, events } = due();
    const lost = permit(circuit);
    clock.ms += 500;
    const next = permit(circuit);

    lost.settle(verdict, 99_000);

    assertEquals(moves(events), ["open > half_open"]);
    assertEquals(circuit.acquire(), undefined, "the slot is the next probe's");
    next.settle("success");
    assertEquals(circuit.state, "closed");
  }
});

Deno.test("7: a result after the lease is dropped even if there was no call in between", () => {
  for (const verdict of ["success", "failure"] as const) {
    const { circuit, clock, events } = due();
    const slow = permit(circuit);
    events.length = 0;
    clock.ms += 500;

    slow.settle(verdict);

    assertEquals(circuit.state, "half_open");
    assertEquals(only(events, "ignored").map(({ why }) => why), ["probe-timeout"]);
    assertEquals(events.length, 1);
    calls(circuit, "success");
    assertEquals(circuit.state, "closed");
  }
});

Deno.test("7: a result a millisecond before the end of the lease counts", () => {
  const { circuit, clock } = due();
  const slow = permit(circuit);
  clock.ms += 499;

  slow.settle("success");

  assertEquals(circuit.state, "closed");
});

Deno.test("7: each of several leases ends at its own time", () => {
  const { circuit, clock } = due({ probes: 2 });
  const early = permit(circuit);
  clock.ms += 300;
  const later = permit(circuit);

  clock.ms += 200;
  assertEquals(circuit.retryAfterMs, 0);
  calls(circuit, "success");
  early.settle("failure");
  assertEquals([circuit.state, circuit.acquire()], ["half_open", undefined]);
  later.settle("success");

  assertEquals(circuit.state, "closed");
});

Deno.test("7: a run that hangs frees its slot, and its late result reaches its own caller", async () => {
  const { circuit, clock } = due();
  const answer = deferred<string>();
  const hanging = circuit.run(() => answer.promise);
  clock.ms += 500;

  assertEquals(await circuit.run(() => "next"), "next");
  assertEquals(circuit.state, "closed");
  answer.resolve("late");

  assertEquals(await hanging, "late");
});

Deno.test("7: at the next call, a lease that ended after a good head counts as a success", () => {
  const { circuit, clock, events } = due();
  const probe = permit(circuit) as CallPermit;
  clock.ms += 100;
  probe.headReceived(clock.ms);
  clock.ms += 400;

  permit(circuit);

  assertEquals(circuit.state, "closed");
  assertEquals(only(events, "success").map(({ durationMs }) => durationMs), [100]);
});

Deno.test("7: a body that breaks after the lease does not count if the head was good", () => {
  const { circuit, clock } = due();
  const probe = permit(circuit) as CallPermit;
  probe.headReceived(clock.ms);
  clock.ms += 500;

  probe.end("failure");

  assertEquals(circuit.state, "closed");
});

Deno.test("7: a body that breaks within the lease is a failure even after a good head", () => {
  const { circuit, clock } = due();
  const probe = permit(circuit) as CallPermit;
  probe.headReceived(clock.ms);
  clock.ms += 499;

  probe.end("failure");

  assertEquals(circuit.state, "open");
});

Deno.test("7: a good head that arrives after the lease is dropped", () => {
  const { circuit, clock, events } = due();
  const probe = permit(circuit) as CallPermit;
  clock.ms += 500;
  probe.headReceived(clock.ms);
  events.length = 0;

  probe.end("success");

  assertEquals(circuit.state, "half_open");
  assertEquals(only(events, "ignored").map(({ why }) => why), ["probe-timeout"]);
});

Deno.test("7: a good head alone does not close the circuit: the probe holds its slot until it ends", () => {
  const { circuit, clock } = due();
  const probe = permit(circuit) as CallPermit;
  probe.headReceived(clock.ms);
  clock.ms += 499;

  assertEquals([circuit.state, circuit.acquire()], ["half_open", undefined]);
});

Deno.test("7: calls through a closed circuit have no lease: they count however long they take", () => {
  const { circuit, clock } = rig({ threshold: 1 });
  const slow = permit(circuit);
  clock.ms += 1_000_000;

  slow.settle("failure");

  assertEquals(circuit.state, "open");
});
