/** How often a request reads the clock. */

import type { BreakerOptions } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { Clock, START } from "../stage/clock.ts";
import { type Asking, stage, WAYS } from "../stage/breaker_stage.ts";

/** Makes an open circuit with a kept page, and counts how often a request reads the clock. */
async function readings(
  way: typeof WAYS[number],
  asking: Asking,
  options: BreakerOptions = {},
): Promise<number> {
  let read = 0;
  const clock = new Clock();
  const now = () => {
    read++;
    return clock.now();
  };
  const act = stage([{ body: "old" }, 500], { now, threshold: 1, ...options }, way);
  await act.text();
  act.circuit.trip();
  clock.tick(500);
  read = 0;
  await act.text(asking).catch(() => {});
  return read;
}

const OPTIONS: Readonly<Record<string, BreakerOptions>> = {
  "": {},
  " with freshMs": { lastGood: { freshMs: 400 } },
  " without an ear": { onEvent: undefined },
};

for (const way of WAYS) {
  for (const [which, options] of Object.entries(OPTIONS)) {
    Deno.test(`9: a request to an open ${way} reads the clock once${which}, whatever it gets`, async () => {
      const condition = { headers: { "if-modified-since": new Date(START).toUTCString() } };
      const gets = {
        kept: await readings(way, {}, options),
        "503": await readings(way, { path: "/other" }, options),
        "304": await readings(way, condition, options),
      };

      assertEquals(gets, { kept: 1, "503": 1, "304": 1 });
    });
  }
}
