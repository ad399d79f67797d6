import { assertEquals } from "@std/assert";
import type { LastGoodOptions } from "@lastgood/breaker";
import { Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";

const control = (value: string) => ({ "cache-control": value });

/** Fields of a kept page, its age in seconds during the outage, and whether it is served. */
const AGES: readonly {
  readonly rule: string;
  readonly fields?: Record<string, string>;
  readonly options?: LastGoodOptions;
  readonly request?: Record<string, string>;
  readonly secs: number;
  readonly isServed: boolean;
}[] = [
  { rule: "F3: no freshness, a day old", secs: 86_400, isServed: true },
  { rule: "F3: no freshness, older than a day", secs: 86_401, isServed: false },
  { rule: "F3: maxStaleMs", options: { maxStaleMs: 5_000 }, secs: 5, isServed: true },
  { rule: "F3: past maxStaleMs", options: { maxStaleMs: 5_000 }, secs: 6, isServed: false },
  {
    rule: "F3: maxStaleMs counts from the end of freshness",
    fields: control("max-age=10"),
    options: { maxStaleMs: 5_000 },
    secs: 15,
    isServed: true,
  },
  {
    rule: "F3: past freshness and maxStaleMs",
    fields: control("max-age=10"),
    options: { maxStaleMs: 5_000 },
    secs: 16,
    isServed: false,
  },
  {
    rule: "F3: maxStaleMs 0, fresh",
    fields: control("max-age=10"),
    options: { maxStaleMs: 0 },
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: maxStaleMs 0, stale",
    fields: control("max-age=10"),
    options: { maxStaleMs: 0 },
    secs: 10,
    isServed: false,
  },
  {
    rule: "F3: Age counts against freshness",
    fields: { ...control("max-age=10"), age: "10" },
    options: { maxStaleMs: 5_000 },
    secs: 6,
    isServed: false,
  },
  {
    rule: "F3: stale-if-error",
    fields: control("max-age=10, stale-if-error=5"),
    secs: 15,
    isServed: true,
  },
  {
    rule: "F3: past stale-if-error",
    fields: control("max-age=10, stale-if-error=5"),
    secs: 16,
    isServed: false,
  },
  { rule: "F3: stale-if-error=0", fields: control("stale-if-error=0"), secs: 0, isServed: false },
  {
    rule: "F3: stale-if-error=0, fresh",
    fields: control("max-age=1, stale-if-error=0"),
    secs: 0,
    isServed: true,
  },
  {
    rule: "F3: stale-if-error does not lengthen maxStaleMs",
    fields: control("stale-if-error=100"),
    options: { maxStaleMs: 5_000 },
    secs: 6,
    isServed: false,
  },
  {
    rule: "F3: s-maxage before max-age",
    fields: control("max-age=1, s-maxage=10"),
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: Expires",
    fields: { expires: "Thu, 01 Jan 2026 00:00:10 GMT", date: "Thu, 01 Jan 2026 00:00:00 GMT" },
    options: { maxStaleMs: 5_000 },
    secs: 16,
    isServed: false,
  },
  {
    rule: "F3: Expires, fresh",
    fields: { expires: "Thu, 01 Jan 2026 00:00:10 GMT" },
    options: { maxStaleMs: 0 },
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: Expires without Date counts from reception",
    fields: { expires: "Thu, 01 Jan 2026 00:00:10 GMT" },
    options: { maxStaleMs: 0 },
    secs: 10,
    isServed: false,
  },
  ...[
    { clock: "that is slow", date: "Wed, 31 Dec 2025 23:59:50 GMT", ends: "00:00:10" },
    { clock: "that is fast", date: "Thu, 01 Jan 2026 00:01:00 GMT", ends: "00:01:10" },
  ].flatMap(({ clock, date, ends }) =>
    [9, 10].map((secs) => ({
      rule: `F3: Expires counts from a Date ${clock}`,
      fields: { date, expires: `Thu, 01 Jan 2026 ${ends} GMT` },
      options: { maxStaleMs: 0 },
      secs,
      isServed: secs === 9,
    }))
  ),
  {
    rule: "F3: max-age before Expires",
    fields: { ...control("max-age=10"), expires: "0" },
    options: { maxStaleMs: 0 },
    secs: 9,
    isServed: true,
  },
  {
    rule: "F3: an Expires that is not a date has passed",
    fields: { expires: "0" },
    options: { maxStaleMs: 0 },
    secs: 0,
    isServed: false,
  },
  ...["must-revalidate, max-age=10", "proxy-revalidate, max-age=10", "s-maxage=10"].flatMap((
    value,
  ) => [
    { rule: `S6: ${value}, fresh`, fields: control(value), secs: 9, isServed: true },
    { rule: `S6: ${value}, stale`, fields: control(value), secs: 10, isServed: false },
    {
      rule: `S6: ${value} beats stale-if-error`,
      fields: control(`${value}, stale-if-error=100`),
      secs: 10,
      isServed: false,
    },
    {
      rule: `S6: ${value}, stale, lifted`,
      fields: control(value),
      options: { ignore: ["must-revalidate"] as const },
      secs: 10,
      isServed: true,
    },
  ]),
  {
    rule: "S6: must-revalidate without freshness",
    fields: control("must-revalidate"),
    secs: 0,
    isServed: false,
  },
  { rule: "F4: max-stale=N", request: control("max-stale=5"), secs: 5, isServed: true },
  { rule: "F4: past max-stale=N", request: control("max-stale=5"), secs: 6, isServed: false },
  { rule: "F4: max-stale", request: control("max-stale"), secs: 60, isServed: true },
  {
    rule: "F4: max-stale=N does not lengthen",
    request: control("max-stale=100"),
    options: { maxStaleMs: 5_000 },
    secs: 6,
    isServed: false,
  },
  { rule: "F4: stale-if-error=N", request: control("stale-if-error=5"), secs: 6, isServed: false },
  { rule: "F4: no-cache", request: control("no-cache"), secs: 60, isServed: true },
  { rule: "F4: max-age=0", request: control("max-age=0"), secs: 60, isServed: true },
  { rule: "F4: a reload's Pragma", request: { pragma: "no-cache" }, secs: 60, isServed: true },
  {
    rule: "F4: nonsense has no effect",
    request: control("max-stale=x, a b"),
    secs: 60,
    isServed: true,
  },
];

for (const { rule, fields = {}, options = {}, request = {}, secs, isServed } of AGES) {
  Deno.test(`${rule}: ${isServed ? "is served" : "is not served"} after ${secs} s`, async () => {
    const site = new Site({ lastGood: options });
    site.answer = page(fields);
    await site.read();

    site.clock.tick(secs * 1_000);
    const kept = await site.kept({ headers: request });

    assertEquals(kept, isServed ? "good" : undefined);
  });
}
