import { assertEquals } from "@std/assert";
import { ageMs, stalenessMs } from "../../../src/last_good/rules/freshness.ts";
import type { StoredHead } from "../../../src/last_good/stored_response.ts";
import { stored } from "../../stage/stored.ts";

/** The times at which a response received at 1,000 ms is examined. */
const AGES: readonly {
  readonly now: number;
  readonly initialAgeMs: number;
  readonly lifetimeMs?: number;
  readonly ageMs: number;
  readonly stalenessMs: number;
}[] = [
  { now: 1_000, initialAgeMs: 0, ageMs: 0, stalenessMs: 0 },
  { now: 1_001, initialAgeMs: 0, ageMs: 1, stalenessMs: 1 },
  { now: 999, initialAgeMs: 0, ageMs: 0, stalenessMs: 0 },
  { now: 1_000, initialAgeMs: 500, ageMs: 500, stalenessMs: 0 },
  { now: 0, initialAgeMs: 500, ageMs: 500, stalenessMs: 0 },
  { now: 3_000, initialAgeMs: 500, ageMs: 2_500, stalenessMs: 2_000 },
  { now: 3_000, initialAgeMs: 500, lifetimeMs: 2_000, ageMs: 2_500, stalenessMs: 500 },
  { now: 1_500, initialAgeMs: 500, lifetimeMs: 2_000, ageMs: 1_000, stalenessMs: -1_000 },
  { now: 0, initialAgeMs: 0, lifetimeMs: 0, ageMs: 0, stalenessMs: 0 },
];

function received(initialAgeMs: number, lifetimeMs: number | undefined) {
  const response = stored(1);
  const freshness: StoredHead["freshness"] = { ...response.head.freshness, lifetimeMs };
  return { ...response, head: { ...response.head, receivedAt: 1_000, initialAgeMs, freshness } };
}

for (const { now, initialAgeMs, lifetimeMs, ...expected } of AGES) {
  const what = `${initialAgeMs} ms old at 1000 with a lifetime of ${lifetimeMs}`;
  Deno.test(`H2, F3: age and staleness at ${now} of a response ${what}`, () => {
    const response = received(initialAgeMs, lifetimeMs);

    const found = { ageMs: ageMs(response, now), stalenessMs: stalenessMs(response, now) };

    assertEquals(found, expected);
  });
}
