import {
  Circuit,
  consecutive,
  total,
  type TripPolicy,
  type TripWindow,
  type Verdict,
} from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { calls, due, permit, rig } from "../../stage/circuit_stage.ts";
import { deferred } from "../../stage/deferred.ts";
import { only } from "../../stage/events.ts";

/** Returns a window's answers to a row of verdicts, "s" for success and "f" for failure. */
function said(window: TripWindow, verdicts: string): (string | undefined)[] {
  return [...verdicts].map((one) => window.record(one === "f" ? "failure" : "success", 0, 0));
}

Deno.test("2: consecutive gives the reason at the threshold", () => {
  const reasons = said(consecutive(2).start(), "fsffs");

  assertEquals(reasons, [undefined, undefined, undefined, "2 failures in a row", undefined]);
  assertEquals(said(consecutive(1).start(), "f"), ["1 failure in a row"]);
});

Deno.test("2: total keeps counting across successes", () => {
  assertEquals(said(total(2).start(), "fssf"), [undefined, undefined, undefined, "2 failures"]);
});

Deno.test("16: one policy starts any number of independent windows", () => {
  for (const policy of [consecutive(2), total(2)]) {
    const one = policy.start();
    const other = policy.start();

    said(one, "f");

    assertEquals(other.record("failure", 0, 0), undefined);
    assertEquals(typeof one.record("failure", 0, 0), "string");
  }
});

Deno.test("4: total forgets everything before the last closing", () => {
  const { circuit, clock } = rig({ trip: total(2) });
  calls(circuit, "failure", "failure");
  clock.ms += 1_000;

  calls(circuit, "success", "failure");
  assertEquals(circuit.state, "closed");
  calls(circuit, "success", "failure");

  assertEquals(circuit.state, "open");
});

Deno.test("several policies are ORed, and the reason is that of the one that opened", () => {
  for (
    const [verdicts, reason] of [
      [["failure", "failure"], "2 failures in a row"],
      [["failure", "success", "failure", "success", "failure"], "3 failures"],
    ] as [Verdict[], string][]
  ) {
    const { circuit, events } = rig({ trip: [consecutive(2), total(3)] });

    calls(circuit, ...verdicts);

    assertEquals(only(events, "state").map((event) => event.reason), [reason]);
  }
});

Deno.test("all policies see every call, even when the first one opens", () => {
  const heard: string[] = [];
  const listening = (name: string): TripPolicy => ({
    start: () => ({
      record(verdict) {
        heard.push(`${name} ${verdict}`);
        return verdict === "failure" ? name : undefined;
      },
    }),
  });
  const { circuit, events } = rig({ trip: [listening("a"), listening("b")] });

  calls(circuit, "success", "failure");

  assertEquals(heard, ["a success", "b success", "a failure", "b failure"]);
  assertEquals(only(events, "state").map(({ reason }) => reason), ["a"]);
});

Deno.test("a custom policy is given verdict, time and duration", () => {
  const heard: unknown[] = [];
  const { circuit, clock } = rig({
    trip: { start: () => ({ record: (...args) => void heard.push(args) }) },
    onEvent: undefined as never,
  });
  const start = clock.ms;
  const call = permit(circuit);
  clock.ms += 70;

  call.settle("success");

  assertEquals(heard, [["success", start + 70, 70]]);
});

Deno.test("a policy may open at a success, and with an empty reason", () => {
  const { circuit } = rig({ trip: { start: () => ({ record: () => "" }) } });

  calls(circuit, "success");

  assertEquals(circuit.state, "open");
});

Deno.test("a policy starts afresh after each closing", () => {
  let started = 0;
  const trip: TripPolicy = {
    start() {
      started++;
      return consecutive(1).start();
    },
  };
  const { circuit, clock } = rig({ trip });

  calls(circuit, "failure");
  clock.ms += 1_000;
  calls(circuit, "success", "failure");

  assertEquals([started, circuit.state], [2, "open"]);
});

Deno.test("13: policies never see refused, ignored, running or half open calls", async () => {
  const heard: string[] = [];
  const listening: TripPolicy = {
    start: () => ({ record: (verdict) => void heard.push(verdict) }),
  };
  const { circuit, clock } = due({ trip: listening });
  calls(circuit, "failure");
  circuit.acquire();
  circuit.acquire();
  clock.ms += 1_000;
  calls(circuit, "ignored", "success");
  const running = deferred<number>();
  const call = circuit.run(() => running.promise);

  assertEquals([circuit.state, heard], ["closed", []]);
  running.resolve(1);
  await call;

  assertEquals(heard, ["success"]);
});

Deno.test("a policy that does not count successes is started at the first failure", () => {
  const heard: string[] = [];
  const circuit = new Circuit({
    trip: {
      countsSuccesses: false,
      start() {
        heard.push("start");
        return { record: (verdict) => void heard.push(verdict) };
      },
    },
  });

  calls(circuit, "success", "success");
  assertEquals(heard, []);
  calls(circuit, "failure", "success", "failure");

  assertEquals(heard, ["start", "failure", "success", "failure"]);
});

Deno.test("among several policies, those that count successes see all of them", () => {
  const counted: string[] = [];
  const circuit = new Circuit({
    trip: [total(9), { start: () => ({ record: (verdict) => void counted.push(verdict) }) }],
  });

  calls(circuit, "success", "failure");

  assertEquals(counted, ["success", "failure"]);
});
