/** Measures in MB by how much processes grow under loads that would fill a memory without bounds. */
import { output } from "../runtimes/child.ts";
import { MEMORY_LOADS } from "./lines.ts";
import { interleaved, type Samples } from "./rounds.ts";
import type { Runtime } from "./runtime.ts";

const LIMIT_MS = 120_000;

/** Line 8: memory. Each measurement is a process of its own. */
export async function memory(on: Runtime, isQuick: boolean): Promise<Samples> {
  const samples: Samples = {};
  for (const load of MEMORY_LOADS) {
    const grown = (subject: string) => grownMb(on, load, subject, isQuick ? 0.1 : 1);
    const subjects = { bare: "bare", breaker: "breaker" };
    samples[`MB, ${load}`] = await interleaved(subjects, isQuick ? 1 : 3, grown);
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
