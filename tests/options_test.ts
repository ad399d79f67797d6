/** Promise 18: bad options throw at construction; the error names option, rule and value. */

import {
  backoff,
  breaker,
  type BreakerOptions,
  Circuit,
  type CircuitOptions,
  consecutive,
  failureRate,
  slowRate,
  total,
} from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { assertEquals, assertThrows } from "@std/assert";

/** Bad values for each kind of option. */
const NUMBERS = {
  count: [0, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53],
  duration: [-1, NaN, 1e300, Infinity, -Infinity],
  positiveDuration: [0, -1, NaN, 1e300, Infinity],
  age: [-1, NaN, -Infinity],
  limit: [0, -1, NaN, 2_147_483_648, -Infinity],
  patience: [-1, NaN, 2_147_483_648],
  share: [0, -0.5, 1.1, 50, NaN, Infinity],
  fraction: [-0.1, 1.1, NaN],
  factor: [0, 0.9, -2, NaN, Infinity],
};
const NO_NUMBER = [null, "1", "", true, false, {}, [], [1], 1n];
const NO_FUNCTION = [null, "x", 0, 1, true, {}, []];
const NO_FLAG = [null, "true", 0, 1, {}, [], () => true];
const NO_TEXT = [null, 0, 1, true, {}, [], () => "x"];
const NO_OBJECT = [null, "x", 1, true, [], () => {}];

const number = (kind: keyof typeof NUMBERS) => [...NUMBERS[kind], ...NO_NUMBER];
const word = ["", "Enforce", "on", "failures", "close", ...NO_TEXT];

const CIRCUIT: Record<string, readonly unknown[]> = {
  name: NO_TEXT,
  threshold: [...number("count"), () => 1],
  trip: [null, "consecutive", 5, true, {}, [], consecutive, { start: 1 }, [consecutive(1), null]],
  delayMs: number("duration"),
  probes: number("count"),
  probeTimeoutMs: number("positiveDuration"),
  timeoutMs: number("limit"),
  judge: NO_FUNCTION,
  mode: word,
  onEvent: NO_FUNCTION,
  now: NO_FUNCTION,
  random: NO_FUNCTION,
};

const BREAKER: Record<string, readonly unknown[]> = {
  ...CIRCUIT,
  fetch: NO_FUNCTION,
  key: NO_FUNCTION,
  maxCircuits: number("count"),
  onRetryAfter: word,
  maxDelayMs: number("duration"),
  lastGood: [null, true, 0, "x", [], () => {}],
  fallback: NO_FUNCTION,
  waitUntil: NO_FUNCTION,
  background: NO_FLAG,
};

const LAST_GOOD: Record<string, readonly unknown[]> = {
  maxEntries: number("count"),
  maxBytes: number("count"),
  maxBodyBytes: number("count"),
  maxBodyMs: number("limit"),
  maxVariants: number("count"),
  maxStaleMs: number("age"),
  serveOn: word,
  patienceMs: number("patience"),
  freshMs: number("age"),
  refreshMs: number("duration"),
  statuses: [null, 200, "200", {}, [206], [304], [100], [500], [199], ["200"], [NaN], [200, 503]],
  ignore: [null, "no-store", {}, ["nostore"], ["No-Store"], [""], [null], ["private", "vary"]],
  key: NO_FUNCTION,
  partition: NO_FUNCTION,
  keep: NO_FUNCTION,
  dropFields: [null, "x-a", {}, [""], ["a b"], ["x:"], [1], ["x-ä"]],
  cacheStatus: [null, "", true, 1, {}, "two\nlines", "ünïcode", "\u0000"],
};

/** Everything that takes options, with the other options it requires. */
const MAKERS: Record<
  string,
  [
    make: (options: never) => unknown,
    needs: object,
    prefix: string,
    Record<string, readonly unknown[]>,
  ]
> = {
  "Circuit": [(options: CircuitOptions) => new Circuit(options), {}, "", CIRCUIT],
  "breaker()": [(options: BreakerOptions) => breaker(options), {}, "", BREAKER],
  "breaker() of hono": [(options: BreakerOptions) => middleware(options), {}, "", BREAKER],
  "lastGood of breaker()": [
    (lastGood: object) => breaker({ lastGood }),
    {},
    "lastGood.",
    LAST_GOOD,
  ],
  "lastGood of hono": [(lastGood: object) => middleware({ lastGood }), {}, "lastGood.", LAST_GOOD],
  "backoff()": [backoff, { baseMs: 10, maxMs: 100 }, "", {
    baseMs: [undefined, 101, ...number("positiveDuration")],
    maxMs: [undefined, 9, ...number("positiveDuration")],
    factor: number("factor"),
    jitter: number("fraction"),
  }],
  "failureRate()": [failureRate, {}, "", {
    threshold: number("share"),
    minimumCalls: number("count"),
    windowMs: number("positiveDuration"),
    lastCalls: [...number("count"), 1_000_001, 2 ** 40],
  }],
  "failureRate() by last calls": [failureRate, { lastCalls: 10 }, "", {
    threshold: number("share"),
    minimumCalls: [11, 20, ...number("count")],
    windowMs: [1, 60_000, ...number("positiveDuration")],
  }],
  "slowRate()": [slowRate, { slowMs: 10 }, "", {
    slowMs: [undefined, ...number("positiveDuration")],
    threshold: number("share"),
    minimumCalls: number("count"),
    windowMs: number("positiveDuration"),
  }],
};

/** `backoff` checks one limit against the other. */
const OTHER: Record<string, string> = { "backoff() baseMs 101": "maxMs" };

function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

for (const [maker, [make, needs, prefix, options]] of Object.entries(MAKERS)) {
  for (const [option, bad] of Object.entries(options)) {
    Deno.test(`18: ${maker} refuses a bad ${option}`, () => {
      for (const value of bad) {
        const given = { ...needs, [option]: value } as never;
        const where = OTHER[`${maker} ${option} ${value}`] ?? option;

        const error = assertThrows(() => make(given), Error, undefined, shown(value));

        const rule =
          /^Cannot make an? [a-z ]+ as "([\w.]+)" must (not )?be .+: current value is .+$/;
        assertEquals(rule.exec(error.message)?.[1], prefix + where, error.message);
        assertEquals(error instanceof RangeError || error instanceof TypeError, true);
      }
    });
  }
}

Deno.test("18: the error shows the given value", () => {
  for (const value of [...NUMBERS.count, ...NO_NUMBER]) {
    assertThrows(
      () => new Circuit({ probes: value as number }),
      typeof value === "number" ? RangeError : TypeError,
      `Cannot make a circuit as "probes" must be an integer of at least 1: current value is ${
        shown(value)
      }`,
    );
  }
});

Deno.test("18: threshold and trip together are refused", () => {
  const both = { threshold: 3, trip: consecutive(3) };

  for (const make of [() => new Circuit(both), () => breaker(both), () => middleware(both)]) {
    assertThrows(make, TypeError, '"threshold" must not be given with "trip": current value is 3');
  }
});

Deno.test("18: windowMs and lastCalls together are refused", () => {
  assertThrows(
    () => failureRate({ windowMs: 60_000, lastCalls: 20 }),
    TypeError,
    '"windowMs" must not be given with "lastCalls": current value is 60000',
  );
});

Deno.test("18: minimumCalls greater than lastCalls is refused", () => {
  assertThrows(
    () => failureRate({ minimumCalls: 6, lastCalls: 5 }),
    RangeError,
    '"minimumCalls" must be at most "lastCalls" (5): current value is 6',
  );
});

for (const [name, policy] of Object.entries({ consecutive, total })) {
  Deno.test(`18: ${name}() refuses a bad number of failures`, () => {
    for (const value of [undefined, ...number("count")]) {
      assertThrows(
        () => policy(value as number),
        Error,
        'Cannot make a trip policy as "failures" must be an integer of at least 1',
      );
    }
  });
}

const WHOLE: Record<string, (options: never) => unknown> = {
  "Circuit": (options) => new Circuit(options),
  "breaker()": breaker,
  "breaker() of hono": middleware,
  "backoff()": backoff,
  "failureRate()": failureRate,
  "slowRate()": slowRate,
};

for (const [maker, make] of Object.entries(WHOLE)) {
  Deno.test(`18: ${maker} refuses options that are not an object`, () => {
    for (const value of NO_OBJECT) {
      assertThrows(
        () => make(value as never),
        TypeError,
        `"options" must be an object: current value is ${shown(value)}`,
      );
    }
  });
}

Deno.test("18: a permit refuses a bad verdict and a bad time, and can still be settled", () => {
  const circuit = new Circuit({ threshold: 1, now: () => 0 });
  const permit = circuit.acquire();
  for (const verdict of [undefined, null, "", "ok", "Success", 1, true, {}]) {
    assertThrows(() => permit?.settle(verdict as never), Error, '"verdict" must be');
  }
  for (const retryAfterMs of number("duration")) {
    assertThrows(() => permit?.settle("failure", retryAfterMs as number), Error, '"retryAfterMs"');
  }
  assertEquals(circuit.state, "closed");

  permit?.settle("failure");

  assertEquals(circuit.state, "open");
});

Deno.test("18: values at the edge of a rule are accepted", () => {
  new Circuit({ delayMs: 0, probeTimeoutMs: 0.5, timeoutMs: 2_147_483_647, name: "", probes: 1e6 });
  new Circuit({ timeoutMs: Infinity, trip: [consecutive(1), total(1)] });
  backoff({ baseMs: 10, maxMs: 10, factor: 1, jitter: 0 });
  backoff({ baseMs: 10, maxMs: 10, jitter: 1 });
  failureRate({ threshold: 1, minimumCalls: 5, lastCalls: 5 });
  failureRate({ lastCalls: 1_000_000 });
  failureRate({ threshold: Number.MIN_VALUE, windowMs: 1 });
  breaker({ timeoutMs: Infinity, maxDelayMs: 0, lastGood: false });
  breaker({
    lastGood: { maxStaleMs: 0, patienceMs: 0, freshMs: Infinity, refreshMs: 0, statuses: [] },
  });
  breaker({ lastGood: { statuses: [200, 404, 499], ignore: [], cacheStatus: 'My "cache"' } });
});

Deno.test("18: an option set to undefined counts as not given", () => {
  for (const [option] of Object.entries(BREAKER)) {
    breaker({ [option]: undefined } as BreakerOptions);
    if (option in CIRCUIT) new Circuit({ [option]: undefined } as CircuitOptions);
  }
  for (const [option] of Object.entries(LAST_GOOD)) breaker({ lastGood: { [option]: undefined } });
  new Circuit({ threshold: 3, trip: undefined } as unknown as CircuitOptions);
});
