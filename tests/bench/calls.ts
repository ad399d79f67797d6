/** Measures in one process the cost of a call through a closed circuit, and of a refusal. */
import { Circuit, type CircuitOptions, failureRate } from "../../mod.ts";
import * as peers from "./peers.ts";
import { bytesPerCall, type Effort, nsPerCall, type Samples } from "./rounds.ts";

// deno-lint-ignore require-await
const fine = async () => 1;
const fail = () => Promise.reject(new Error("down"));

/** The minimum that anything that counts failures must do. */
let failures = 0;
async function wrapper<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (error) {
    failures++;
    throw error;
  }
}

function circuit(options: CircuitOptions): peers.Guard {
  const made = new Circuit(options);
  return (call) => () => made.run(call);
}

const PEERS: Readonly<Record<string, peers.Guard>> = {
  "cockatiel consecutive": peers.cockatielConsecutive,
  "cockatiel count": peers.cockatielCount,
  "cockatiel sampling": peers.cockatielSampling,
  "opossum": peers.opossum,
  "opossum no timeout": peers.opossumNoTimeout,
  "opossum lean": peers.opossumLean,
  "mollitia": peers.mollitiaCount,
};

const GUARDS: Readonly<Record<string, peers.Guard>> = {
  "wrapper": (call) => () => wrapper(call),
  "consecutive": circuit({ threshold: 5 }),
  "count": circuit({ trip: failureRate({ lastCalls: 100 }) }),
  "by time": circuit({ trip: failureRate() }),
  "consecutive, heard": circuit({ threshold: 5, onEvent: () => {} }),
  "consecutive, timeout": circuit({ threshold: 5, timeoutMs: 3_000 }),
  ...PEERS,
};

/** Line 1: closed. */
export async function closed(effort: Effort): Promise<Samples> {
  const subjects: Record<string, () => Promise<unknown>> = { "bare": fine };
  for (const [name, guard] of Object.entries(GUARDS)) subjects[name] = guard(fine);
  return {
    "ns per call": await nsPerCall(subjects, effort),
    "bytes per call": await bytesPerCall(subjects, effort),
  };
}

/** Line 2: refused. */
export async function refused(effort: Effort): Promise<Samples> {
  const open = new Circuit();
  open.trip();
  const subjects: Record<string, () => Promise<unknown>> = {
    // deno-lint-ignore require-await
    "throw new Error": async () => {
      throw new Error("The circuit is open");
    },
    "circuit.run": () => open.run(fine),
  };
  for (const [name, guard] of Object.entries(PEERS)) {
    // Opening these would take seconds of calls at the rate they require.
    if (name === "cockatiel count" || name === "cockatiel sampling") continue;
    const guarded = guard(fail);
    for (let call = 0; call < 20; call++) await guarded().catch(() => {});
    subjects[name] = guarded;
  }
  return { "ns per call": await nsPerCall(subjects, effort) };
}
