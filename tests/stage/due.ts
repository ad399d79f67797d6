import type { BreakerOptions } from "@lastgood/breaker";
import { type Stage, stage, type Way } from "./breaker_stage.ts";

/** Work that a runtime was told to keep alive. */
export function waiting() {
  const works: Promise<unknown>[] = [];
  return { works, waitUntil: (work: Promise<unknown>) => void works.push(work) };
}

/** Good, failed, good again. */
export const SCRIPT = [{ body: "old" }, 500, { body: "new" }];

/** A stage on which a probe is due and something is kept. */
export async function due(
  way: Way,
  script: Parameters<typeof stage>[0],
  options: BreakerOptions = {},
): Promise<Stage> {
  const act = stage(script, { threshold: 1, ...options }, way);
  await act.text();
  await act.text();
  act.tick(1_000);
  return act;
}
