import type { Circuit, Permit, Verdict } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { calls, due, permit, type Rig, rig } from "../stage/circuit_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { moves, types } from "../stage/events.ts";

type Meanwhile = (rig: Rig<unknown>) => void;

/** The states in which a call is admitted. */
const ADMITTED: Record<string, () => { made: Rig<unknown>; late: Permit }> = {
  "closed": () => admittedIn(rig({ probes: 2 })),
  "closed, with a failure counted": () => {
    const made = rig({ probes: 2 });
    calls(made.circuit, "failure");
    return admittedIn(made);
  },
  "half open, first probe": () => admittedIn(due({ probes: 2 })),
  "half open, second probe": () => {
    const made = due({ probes: 2 });
    calls(made.circuit, "success");
    return admittedIn(made);
  },
  "open, in mode observe": () => {
    const made = rig({ probes: 2, mode: "observe" });
    made.circuit.trip();
    return admittedIn(made);
  },
  "isolated, in mode observe": () => {
    const made = rig({ probes: 2, mode: "observe" });
    const release = made.circuit.isolate();
    const given = admittedIn(made);
    release();
    return given;
  },
};

function admittedIn(made: Rig<unknown>): { made: Rig<unknown>; late: Permit } {
  return { made, late: permit(made.circuit) };
}

/** Events before the call ends. Each of these begins a new epoch. */
const MEANWHILE: Record<string, Meanwhile> = {
  "trip": ({ circuit }) => circuit.trip(),
  "reset": ({ circuit }) => circuit.reset(),
  "trip and reset": ({ circuit }) => {
    circuit.trip();
    circuit.reset();
  },
  "reset and a failure": ({ circuit }) => {
    circuit.reset();
    calls(circuit, "failure");
  },
  "isolate": ({ circuit }) => void circuit.isolate(),
  "isolate and release": ({ circuit }) => circuit.isolate()(),
  "trip and a new half open": (made) => {
    made.circuit.trip();
    made.clock.ms += 1_000;
    permit(made.circuit);
  },
  "reopened by a failed probe": (made) => {
    made.circuit.trip();
    made.clock.ms += 1_000;
    calls(made.circuit, "failure");
  },
  "reopened, half open again": (made) => {
    made.circuit.trip();
    made.clock.ms += 1_000;
    calls(made.circuit, "failure");
    made.clock.ms += 1_000;
    calls(made.circuit, "success");
  },
  "recovered": (made) => {
    made.circuit.trip();
    made.clock.ms += 1_000;
    calls(made.circuit, "success", "success");
  },
};

/** Everything observable about a circuit: what it reports and what it does next. */
function future({ circuit, clock, events }: Rig<unknown>): unknown[] {
  const seen: unknown[] = [circuit.state, circuit.retryAfterMs, JSON.stringify(circuit)];
  const next: (Permit | undefined)[] = [];
  for (let call = 0; call < 3; call++) next.push(circuit.acquire());
  seen.push(next.map((given) => given !== undefined), circuit.state);
  next[0]?.settle("success");
  seen.push(circuit.state);
  next[1]?.settle("failure");
  seen.push(circuit.state, circuit.retryAfterMs);
  clock.ms += 1_000;
  seen.push(circuit.state, circuit.acquire() !== undefined, moves(events));
  return seen;
}

for (const [state, admitted] of Object.entries(ADMITTED)) {
  for (const [what, meanwhile] of Object.entries(MEANWHILE)) {
    Deno.test(`6: the late end of a call changes nothing (${state}; ${what})`, () => {
      const { made: twin } = admitted();
      meanwhile(twin);
      const expected = future(twin);

      for (const verdict of ["success", "failure", "ignored"] as const) {
        const { made, late } = admitted();
        meanwhile(made);
        const before = moves(made.events);
        late.settle(verdict, 77_000);

        assertEquals(moves(made.events), before);
        assertEquals(future(made), expected, verdict);
      }
    });
  }
}

for (const [what, meanwhile] of Object.entries(MEANWHILE)) {
  Deno.test(`6: the late end of a run without a listener changes nothing (${what})`, async () => {
    const unheard = () => rig({ probes: 2, onEvent: undefined as never });
    const twin = unheard();
    meanwhile(twin);
    const expected = future(twin);

    for (const end of ["resolve", "reject"] as const) {
      const made = unheard();
      const answer = deferred<unknown>();
      const late = made.circuit.run(() => answer.promise).catch(() => {});
      meanwhile(made);
      answer[end](new Error("late"));
      await late;

      assertEquals(future(made), expected, end);
    }
  });
}

Deno.test("6: a flood of late failures after recovery does not trip the circuit", async () => {
  const { circuit, clock } = rig({ threshold: 3 });
  const answer = deferred<never>();
  const slow = Array.from({ length: 50 }, () => circuit.run(() => answer.promise));
  calls(circuit, "failure", "failure", "failure");
  clock.ms += 1_000;
  calls(circuit, "success");

  answer.reject(new Error("late"));
  await Promise.allSettled(slow);

  assertEquals(circuit.state, "closed");
  calls(circuit, "failure", "failure");
  assertEquals(circuit.state, "closed");
});

Deno.test("6: late failures while open do not lengthen the delay", () => {
  const { circuit, clock } = rig({ threshold: 2 });
  const late = [permit(circuit), permit(circuit), permit(circuit), permit(circuit)];
  late[0]?.settle("failure");
  late[1]?.settle("failure");
  clock.ms += 900;

  late[2]?.settle("failure", 60_000);
  clock.ms += 100;

  assertEquals(circuit.state, "half_open");
  late[3]?.settle("success");
  assertEquals(circuit.state, "half_open");
});

Deno.test("6: a permit counts once, whatever is settled later", () => {
  const pairs: [Verdict, Verdict][] = [
    ["success", "failure"],
    ["ignored", "failure"],
    ["failure", "failure"],
  ];
  for (const [first, second] of pairs) {
    const { circuit, events } = rig({ threshold: 2 });
    const once = permit(circuit);

    once.settle(first);
    once.settle(second);
    once.settle(second);

    assertEquals(circuit.state, "closed");
    assertEquals(types(events), [first]);
  }
});

Deno.test("6: a late end still emits its event", () => {
  const { circuit, events } = rig();
  const late = permit(circuit);
  circuit.reset();
  events.length = 0;

  late.settle("failure");

  assertEquals(types(events), ["failure"]);
});

Deno.test("6: two circuits made from one options object count separately", () => {
  const options = { threshold: 1 };
  const { circuit: one } = rig(options);
  const { circuit: other } = rig(options);
  const states = (...all: Circuit[]) => all.map(({ state }) => state);

  calls(one, "failure");

  assertEquals(states(one, other), ["open", "closed"]);
});
