import { ORIGIN } from "../../stage/site.ts";
import { type Outcome, Statement } from "./serving.ts";
import { Stage } from "./stage.ts";
import type { Story } from "./story.ts";

/** How far the statement and the breaker agree on a story. */
export interface Reading {
  readonly checked: number;
  readonly fromMemory: number;
  readonly differs?: { readonly stated: Outcome; readonly found: Outcome };
}

/** Lets both answer a story, until they differ or the rules leave it open. */
export async function read({ owner, steps }: Story): Promise<Reading> {
  const stage = new Stage(owner);
  const statement = new Statement(owner);
  let checked = 0;
  let fromMemory = 0;
  for (const { tickMs, forgets, asking, answering } of steps) {
    stage.clock.tick(tickMs);
    if (forgets !== undefined) {
      stage.api.forget(ORIGIN + forgets.path, { soft: forgets.soft });
      statement.forget(forgets.path, forgets.soft);
    }
    const stated = statement.answer(asking, answering, stage.clock.ms);
    // From here on, either may be right.
    if (stated === "unclear") break;
    const found = await stage.ask(asking, answering);
    checked++;
    if (stated.from === "memory") fromMemory++;
    if (JSON.stringify(found) !== JSON.stringify(stated)) {
      return { checked, fromMemory, differs: { stated, found } };
    }
  }
  return { checked, fromMemory };
}

/** Leaves out every step without which the story still shows a difference. */
export async function shortened({ owner, steps }: Story): Promise<Story> {
  let short = steps;
  for (const step of steps) {
    const without = short.filter((it) => it !== step);
    if ((await read({ owner, steps: without })).differs !== undefined) short = without;
  }
  return { owner, steps: short };
}
