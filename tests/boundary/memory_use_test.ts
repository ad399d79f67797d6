import { assert } from "@std/assert";
import { output } from "../runtimes/child.ts";

const MIB = 1_048_576;
/** What memory_load.ts gives to the breaker. */
const MAX_BYTES = 4 * MIB;

/** The loads of memory_load.ts, and which share of each is enough to see that memory is bounded. */
const LOADS: readonly (readonly [rule: string, load: string, share: number])[] = [
  ["N3", "100,000 pages of 0 B", 0.5],
  ["N3", "100,000 pages of 1 KB", 0.3],
  ["N3", "300,000 keys", 0.2],
  ["N3", "2,000 removals of long URLs", 0.25],
  ["N5", "a page where maxEntries is 2^31", 1],
  ["N5", "a page where maxEntries is the largest", 1],
];

const PROGRAM = new URL("../bench/memory_load.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Runs a load in a process of its own; returns by how many MB that grew. */
async function grownMb(load: string, subject: "bare" | "breaker", share: number): Promise<number> {
  const flags = ["--v8-flags=--expose-gc,--optimize-for-size", "--no-lock", "--config", CONFIG];
  const args = ["run", "-A", "--no-check", ...flags, PROGRAM, load, subject, `${share}`];
  return Number(await output({ command: Deno.execPath(), args, limitMs: 60_000 }));
}

for (const [rule, load, share] of LOADS) {
  const what = share === 1 ? load : `${share} of ${load}`;
  Deno.test(`22, ${rule}: ${what}: at most maxBytes and 20 MiB over bare`, async () => {
    const [bare, grown] = await Promise.all([
      grownMb(load, "bare", share),
      grownMb(load, "breaker", share),
    ]);

    assert(grown - bare <= MAX_BYTES / MIB + 20, `${grown} MB, bare ${bare}`);
  });
}
