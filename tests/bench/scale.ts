/** Measures in one process the cost of many circuits and of simultaneous calls. */
import process from "node:process";
import { breaker, Circuit, failureRate } from "../../mod.ts";
import * as peers from "./peers.ts";
import {
  collect,
  collectAll,
  type Effort,
  heapUsed,
  interleaved,
  pause,
  type Sample,
  type Samples,
} from "./rounds.ts";

// deno-lint-ignore require-await
const fine = async () => 1;

/** Makes a circuit, and returns a function that calls through it. */
type Make = (index: number) => peers.Guarded<number>;

/** One options object shared by all, as in an app. */
const BY_TIME = { trip: failureRate({ windowMs: 10_000 }) };
const BY_CALLS = { trip: failureRate({ lastCalls: 100 }) };

const MAKERS: Readonly<Record<string, Make>> = {
  "consecutive": () => guarded(new Circuit({ threshold: 5 })),
  "count": () => guarded(new Circuit(BY_CALLS)),
  "by time": () => guarded(new Circuit(BY_TIME)),
  "by time, of a breaker": ofBreaker(),
  "cockatiel consecutive": () => peers.cockatielConsecutive(fine),
  "cockatiel count": () => peers.cockatielCount(fine),
  "cockatiel sampling": () => peers.cockatielSampling(fine),
  "mollitia": () => peers.mollitiaCount(fine),
};

/** Breakers measured in smaller numbers, since each has timers and hundreds of objects. */
const HEAVY: Readonly<Record<string, Make>> = {
  "opossum": () => peers.opossum(fine),
};

function guarded(circuit: Circuit): peers.Guarded<number> {
  return () => circuit.run(fine);
}

function ofBreaker(): Make {
  let many = breaker({ ...BY_TIME, maxCircuits: 1_000_000 });
  return (index) => {
    if (index === 0) many = breaker({ ...BY_TIME, maxCircuits: 1_000_000 });
    const circuit = many.circuit(`http://${index}.example`);
    return async () => {
      await circuit.run(() => RESPONSE);
      return 1;
    };
  };
}

const RESPONSE = new Response(null);

/** Line 6: scale. */
export async function scale(effort: Effort): Promise<Samples> {
  const rounds = Math.max(4, Math.round(effort.rounds / 12));
  return {
    ...await heap(rounds),
    ...await byConcurrency(effort),
    "% of a core, 10,000 idle": await idle(),
    "bytes per call, of an hour": await interleaved({ "growth": hour }, 1, (run) => run()),
  };
}

/** Keeps the measured objects reachable: an engine frees even what a local variable refers to. */
let held: unknown[] = [];

/** Measures the bytes per circuit before and after its first call, and the ns to make one. */
async function heap(rounds: number): Promise<Samples> {
  const idle: Sample = {};
  const used: Sample = {};
  const made = await interleaved({ ...MAKERS, ...HEAVY }, rounds + 1, async (make, name) => {
    const times = name in HEAVY ? 500 : 5_000;
    // Make the array before measuring the heap.
    const calls = held = Array<peers.Guarded<number>>(times).fill(fine);
    for (let index = 0; index < 500; index++) await make(index)();
    collect();
    const empty = heapUsed();
    const startedAt = performance.now();
    for (let index = 0; index < times; index++) calls[index] = make(index);
    const ns = (performance.now() - startedAt) * 1e6 / times;
    collect();
    (idle[name] ??= []).push((heapUsed() - empty) / times);
    for (const call of calls) await call();
    collect();
    (used[name] ??= []).push((heapUsed() - empty) / times);
    held = [];
    peers.stopOpossum();
    return ns;
  });
  // The first round also measures the engine's own allocations.
  for (const sample of [idle, used, made]) for (const name in sample) sample[name]!.shift();
  return {
    "heap bytes per idle circuit": idle,
    "heap bytes per used circuit": used,
    "ns to make one": made,
  };
}

/** Measures batches of calls that all begin before any ends. */
async function byConcurrency({ rounds, roundMs }: Effort): Promise<Samples> {
  const samples: Samples = {};
  const circuit = new Circuit(BY_TIME);
  for (const many of [1, 100, 10_000]) {
    const batches = Math.max(1, Math.round(roundMs * 1_000 / many));
    const inFlight = async (run: (call: () => Promise<number>) => Promise<number>) => {
      const startedAt = performance.now();
      for (let batch = 0; batch < batches; batch++) {
        let end = (_value: number) => {};
        const gate = new Promise<number>((resolve) => end = resolve);
        const calls = Array.from({ length: many }, () => run(() => gate));
        end(1);
        await Promise.all(calls);
      }
      return (performance.now() - startedAt) * 1e6 / batches / many;
    };
    samples[`ns per call, ${many} in flight`] = await interleaved(
      { "bare": (call: () => Promise<number>) => call(), "circuit": circuit.run.bind(circuit) },
      Math.ceil(rounds / 2),
      (run) => inFlight(run as (call: () => Promise<number>) => Promise<number>),
    );
  }
  return samples;
}

/** Measures 10,000 circuits without calls, after one call each. */
async function idle(): Promise<Sample> {
  const makers = {
    "nothing": () => fine,
    "by time": MAKERS["by time"]!,
    "cockatiel sampling": MAKERS["cockatiel sampling"]!,
    "opossum": HEAVY["opossum"]!,
  };
  const sample: Sample = {};
  // In this order: opossum's timers go on.
  for (const [name, make] of Object.entries(makers)) {
    for (let index = 0; index < 10_000; index++) {
      const call = make(index);
      await call();
      held.push(call);
    }
    collect();
    await pause(300);
    const before = process.cpuUsage();
    await pause(2_000);
    const { user, system } = process.cpuUsage(before);
    sample[name] = [(user + system) / 2e6 * 100];
  }
  return sample;
}

/** Measures an hour of 20 requests a second with an outage every ten minutes, in simulated time. */
async function hour(): Promise<number> {
  let now = 1_000_000;
  let seed = 1;
  const random = () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647;
  const api = breaker({
    ...BY_TIME,
    delayMs: 5_000,
    timeoutMs: Infinity,
    now: () => now,
    random,
    fetch: () => {
      const isDown = now % 600_000 > 570_000;
      return Promise.resolve(new Response("x".repeat(500), { status: isDown ? 503 : 200 }));
    },
    lastGood: { maxEntries: 500 },
  });
  const calls = async (many: number) => {
    for (let call = 0; call < many; call++) {
      now += 50;
      const host = Math.floor(random() * 20);
      const response = await api.fetch(
        `http://${host}.example/${Math.floor(random() * 10_000)}`,
      ).catch(() => undefined);
      await response?.text();
    }
    await api.idle();
    await collectAll();
  };
  // Compiled code takes memory, too.
  await calls(36_000);
  const before = heapUsed();
  await calls(72_000);
  return (heapUsed() - before) / 72_000;
}
