/** Measures in MB by how much processes grow under loads that would fill a memory without bounds. */
import { output } from "../runtimes/child.ts";
import { MEMORY_LOADS } from "./lines.ts";
import { interleaved, type Samples } from "./rounds.ts";
import type { Runtime } from "./runtime.ts";

const LIMIT_MS = 120_000;
const SUBJECTS = ["bare", "breaker"];

/**
 * Line 8: memory. Each measurement is a process of its own. Both subjects run at the same time, as
 * nothing is timed.
 */
export async function memory(on: Runtime, isQuick: boolean): Promise<Samples> {
  const samples: Samples = {};
  for (const load of MEMORY_LOADS) {
    const both = SUBJECTS.map((subject) => [subject, [] as number[]] as const);
    const round = async () => {
      const grown = both.map(([subject]) => grownMb(on, load, subject, isQuick ? 0.1 : 1));
      for (const [index, mb] of (await Promise.all(grown)).entries()) both[index]![1].push(mb);
      return 0;
    };
    await interleaved({ round }, isQuick ? 1 : 3, (round) => round());
    samples[`MB, ${load}`] = Object.fromEntries(both);
  }
  return samples;
}

async function grownMb(
  on: Runtime,
  load: string,
  subject: string,
  share: number,
): Promise<number> {
  const { command, args } = await on.command("memory_load.ts", load, subject, `${share}`);
  // V8 in a hurry to collect garbage: only what is held is to be seen.
  const flags = args.flatMap((arg) =>
    arg === "--expose-gc"
      ? [arg, "--optimize-for-size"]
      : [arg.startsWith("--v8-flags=") ? `${arg},--optimize-for-size` : arg]
  );
  return Number(await output({ command, args: flags, limitMs: LIMIT_MS }));
}
