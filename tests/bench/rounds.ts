/** The samples of one measure: by subject, one number per round. */
export type Sample = Record<string, number[]>;

/** All samples, by the name of the measure. */
export type Samples = Record<string, Sample>;

/** How long to measure. */
export interface Effort {
  /** The number of rounds; each measures every subject once, in a different order. */
  readonly rounds: number;
  /** How long each round measures each subject, in ms. */
  readonly roundMs: number;
  /** Measures so many calls of each subject instead. */
  readonly calls?: number;
}

/** Hears that a round begins, with its number from 1. The first round begins a new measure. */
export type RoundListener = (round: number, rounds: number) => void;

let announce: RoundListener = () => {};

/** Lets a listener hear of every round of {@link interleaved} in this process. */
export function onRound(listener: RoundListener): void {
  announce = listener;
}

type Call = () => unknown;
type Loop = (call: Call, times: number) => Promise<void>;

declare const gc: (() => void) | undefined;
declare const Bun: { gc(force: boolean): void } | undefined;

/**
 * Measures all subjects once per round, so that disturbances affect them all alike. The order is by
 * chance: a subject that always followed the same other one would pay for its garbage.
 */
export async function interleaved<S>(
  subjects: Readonly<Record<string, S>>,
  rounds: number,
  measure: (subject: S, name: string) => number | Promise<number>,
): Promise<Sample> {
  const names = Object.keys(subjects);
  const sample: Sample = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    announce(round + 1, rounds);
    for (const name of shuffled(names)) {
      sample[name]!.push(await measure(subjects[name]!, name));
    }
  }
  return sample;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** Measures the time of one call in ns; calls run one after another, each awaited. */
export async function nsPerCall(
  subjects: Readonly<Record<string, Call>>,
  { rounds, roundMs, calls }: Effort,
): Promise<Sample> {
  const ready: Record<string, () => Promise<number>> = {};
  for (const [name, call] of Object.entries(subjects)) {
    const loop = loopFor(name);
    const fitting = await timesWithin(loop, call, roundMs);
    const times = calls ?? fitting;
    ready[name] = async () => await elapsedMs(loop, call, times) * 1e6 / times;
  }
  return await interleaved(ready, rounds, (measure) => measure());
}

/** Measures the bytes that one call allocates; NaN if the runtime does not report them. */
export async function bytesPerCall(
  subjects: Readonly<Record<string, Call>>,
  { rounds }: Effort,
): Promise<Sample> {
  const times = 400;
  const loops = Object.fromEntries(Object.keys(subjects).map((name) => [name, loopFor(name)]));
  for (const [name, call] of Object.entries(subjects)) await loops[name]!(call, 50 * times);
  return await interleaved(subjects, rounds, async (call, name) => {
    collect();
    const before = heapUsed();
    await loops[name]!(call, times);
    return (heapUsed() - before) / times;
  });
}

/** Makes a loop per subject, or the engine would optimize a single loop for a mixture of all. */
function loopFor(name: string): Loop {
  return new Function(`
    return async (call, times) => { // ${name}
      for (let i = 0; i < times; i++) try { await call(); } catch {}
    };`)() as Loop;
}

async function timesWithin(loop: Loop, call: Call, ms: number): Promise<number> {
  await loop(call, 2_000);
  let times = 64;
  while (await elapsedMs(loop, call, times) < ms) times *= 2;
  const last = await elapsedMs(loop, call, times);
  return Math.max(16, Math.round(times * ms / last));
}

async function elapsedMs(loop: Loop, call: Call, times: number): Promise<number> {
  const startedAt = performance.now();
  await loop(call, times);
  return performance.now() - startedAt;
}

/** Runs the garbage collector. */
export function collect(): void {
  if (typeof Bun !== "undefined") Bun.gc(true);
  else if (typeof gc === "function") gc();
}

/** Also frees what waits for finalizers, which run between turns. */
export async function collectAll(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await pause(30);
    collect();
  }
}

/** The memory of this process once it no longer falls: Bun gives it back with delay. */
export async function settledRss(): Promise<number> {
  let least = Infinity;
  for (let turn = 0; turn < 15; turn++) {
    await collectAll();
    const { rss } = globalThis.process.memoryUsage();
    if (turn > 1 && rss > least - 262_144) break;
    least = Math.min(least, rss);
  }
  return least;
}

/** Waits for some ms. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Returns the heap in use, including buffers, in bytes. */
export function heapUsed(): number {
  const { heapUsed, arrayBuffers } = globalThis.process.memoryUsage();
  return heapUsed + arrayBuffers;
}
