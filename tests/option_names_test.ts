/** Promise 18: unknown names of options throw, with the nearest known one. */

import {
  backoff,
  type BackoffOptions,
  breaker,
  type BreakerOptions,
  Circuit,
  type CircuitOptions,
  failureRate,
  type FailureRateOptions,
  type LastGoodOptions,
  slowRate,
  type SlowRateOptions,
} from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { type ScriptedResponse, upstream, type UpstreamOptions } from "@lastgood/breaker/testing";
import { assert, assertEquals, assertThrows } from "@std/assert";

/** The names of all options: it does not compile if one is missing or made up. */
type Names<Options> = Readonly<Record<keyof Required<Options>, 1>>;

const SHARED: Names<Omit<CircuitOptions, "state">> = {
  name: 1,
  threshold: 1,
  trip: 1,
  delayMs: 1,
  probes: 1,
  probeTimeoutMs: 1,
  timeoutMs: 1,
  judge: 1,
  mode: 1,
  onEvent: 1,
  now: 1,
  random: 1,
};
const CIRCUIT: Names<CircuitOptions> = { ...SHARED, state: 1 };
const BREAKER: Names<BreakerOptions> = {
  ...SHARED,
  fetch: 1,
  key: 1,
  maxCircuits: 1,
  onRetryAfter: 1,
  maxDelayMs: 1,
  lastGood: 1,
  fallback: 1,
  waitUntil: 1,
  background: 1,
};
const LAST_GOOD: Names<LastGoodOptions> = {
  maxEntries: 1,
  maxBytes: 1,
  maxBodyBytes: 1,
  maxBodyMs: 1,
  maxVariants: 1,
  maxStaleMs: 1,
  serveOn: 1,
  patienceMs: 1,
  freshMs: 1,
  refreshMs: 1,
  statuses: 1,
  ignore: 1,
  key: 1,
  partition: 1,
  keep: 1,
  dropFields: 1,
  cacheStatus: 1,
};
const BACKOFF: Names<BackoffOptions> = { baseMs: 1, maxMs: 1, factor: 1, jitter: 1 };
const RATE: Names<FailureRateOptions> = {
  threshold: 1,
  minimumCalls: 1,
  windowMs: 1,
  lastCalls: 1,
};
const SLOW: Names<SlowRateOptions> = { slowMs: 1, threshold: 1, minimumCalls: 1, windowMs: 1 };
const UPSTREAM: Names<UpstreamOptions> = { delayMs: 1 };
const ANSWER: Names<ScriptedResponse> = { status: 1, headers: 1, body: 1, delayMs: 1 };

/** Everything that takes options: how, and which. */
const MAKERS: Record<string, [make: (options: object) => unknown, names: object, path?: string]> = {
  "Circuit": [(options) => new Circuit(options), CIRCUIT],
  "breaker()": [breaker, BREAKER],
  "breaker() of hono": [middleware, BREAKER],
  "lastGood": [(lastGood) => breaker({ lastGood }), LAST_GOOD, "lastGood."],
  "backoff()": [(options) => backoff({ ...options, baseMs: 1, maxMs: 9 }), BACKOFF],
  "failureRate()": [failureRate, RATE],
  "slowRate()": [(options) => slowRate({ ...options, slowMs: 9 }), SLOW],
  "upstream()": [(options) => upstream([200], options), UPSTREAM],
  "an answer of upstream()": [(answer) => upstream([200, answer]), ANSWER, "script."],
};

/** The message of the error for options with this name. */
function refusalOf(make: (options: object) => unknown, name: string, value?: unknown): string {
  return assertThrows(() => make({ [name]: value }), TypeError, undefined, name).message;
}

for (const [maker, [make, names, path = ""]] of Object.entries(MAKERS)) {
  Deno.test(`18: ${maker} accepts each of its options as undefined`, () => {
    for (const name of Object.keys(names)) make({ [name]: undefined });
  });

  Deno.test(`18: ${maker} refuses a misspelt name and suggests the right one`, () => {
    for (const name of Object.keys(names)) {
      const middle = name.length >> 1;
      const [start, end] = [name.slice(0, middle), name.slice(middle)];
      const typos = [
        // "kep" is as near to "key".
        ...name === "keep" ? [] : [start + end.slice(1)],
        `${start}${end[0]}${end}`,
        `${start}_${end}`,
        `${name}s`,
      ];
      for (const typo of typos) {
        const message = refusalOf(make, typo);

        const ending = ` as "${path}${typo}" is not an option: did you mean "${path}${name}"?`;
        assert(message.startsWith("Cannot make a") && message.endsWith(ending), message);
      }
    }
  });

  Deno.test(`18: ${maker} refuses a name that is like no other, without a suggestion`, () => {
    const message = refusalOf(make, "retries", 3);

    assert(message.endsWith(` as "${path}retries" is not an option`), message);
  });
}

Deno.test("18: the whole sentence about an unknown name", () => {
  assertEquals(
    refusalOf(breaker, "treshold", 5),
    'Cannot make a breaker as "treshold" is not an option: did you mean "threshold"?',
  );
});

Deno.test("18: a name in other letters is near: timeoutms, TIMEOUT_MS, timeout, delay", () => {
  const near = ["timeoutms", "TIMEOUT_MS", "timeout", "delay"].map((name) => [
    name,
    refusalOf(breaker, name, 1).split("mean ")[1],
  ]);

  assertEquals(near, [
    ["timeoutms", '"timeoutMs"?'],
    ["TIMEOUT_MS", '"timeoutMs"?'],
    ["timeout", '"timeoutMs"?'],
    ["delay", '"delayMs"?'],
  ]);
});

Deno.test("18: a name in which too many letters differ gets no suggestion", () => {
  for (const name of ["xw", "nee", "probexyzw", "xxxholdxxx"]) {
    assertEquals(refusalOf(breaker, name).split("mean ")[1], undefined, name);
  }
  assertEquals(refusalOf(breaker, "no").split("mean ")[1], '"now"?');
  assertEquals(refusalOf(breaker, "xxxeshold").split("mean ")[1], '"threshold"?');
});

Deno.test("18: maxAgeMs in lastGood is near to maxStaleMs", () => {
  assertEquals(
    refusalOf((lastGood) => breaker({ lastGood }), "maxAgeMs", 1),
    'Cannot make a breaker as "lastGood.maxAgeMs" is not an option: did you mean "lastGood.maxStaleMs"?',
  );
});

/** Names that opossum and cockatiel use, and what does the same here. */
const FOREIGN: Record<string, string> = {
  timeout: "timeoutMs",
  resetTimeout: "delayMs",
  halfOpenAfter: "delayMs",
  errorThresholdPercentage: "failureRate({ threshold })",
  volumeThreshold: "failureRate({ minimumCalls })",
  minimumRps: "failureRate({ minimumCalls })",
  allowWarmUp: "failureRate({ minimumCalls })",
  rollingCountTimeout: "failureRate({ windowMs })",
  rollingCountBuckets: "failureRate({ windowMs })",
  duration: "failureRate({ windowMs })",
  size: "failureRate({ lastCalls })",
  breaker: "trip",
  halfOpenSampling: "probes",
  errorFilter: "judge",
  cache: "breaker({ lastGood })",
  cacheTTL: "breaker({ lastGood })",
  cacheSize: "breaker({ lastGood })",
  cacheGetKey: "breaker({ lastGood })",
  cacheTransport: "breaker({ lastGood })",
};

Deno.test("18: the names of opossum and cockatiel point to ours", () => {
  const told = Object.keys(FOREIGN).map((name) => [
    name,
    refusalOf(breaker, name, 1).split("mean ")[1],
  ]);

  assertEquals(told, Object.entries(FOREIGN).map(([name, ours]) => [name, `"${ours}"?`]));
});

Deno.test("18: a state, cockatiel's initialState, is for a Circuit: a breaker() takes none", () => {
  const makers = [breaker, (options: object) => new Circuit(options)];
  const told = [refusalOf(breaker, "state"), ...makers.map((it) => refusalOf(it, "initialState"))];

  for (const message of told) assert(message.endsWith('mean "new Circuit({ state })"?'), message);
});

Deno.test("18: an option that belongs elsewhere is refused with its place", () => {
  const places: Record<string, string> = {
    maxStaleMs: "lastGood.maxStaleMs",
    partition: "lastGood.partition",
    patienceMs: "lastGood.patienceMs",
    cacheStatus: "lastGood.cacheStatus",
    minimumCalls: "failureRate({ minimumCalls })",
    windowMs: "failureRate({ windowMs })",
    lastCalls: "failureRate({ lastCalls })",
    slowMs: "slowRate({ slowMs })",
  };

  for (const [name, place] of Object.entries(places)) {
    const message = refusalOf(breaker, name, 1);

    assert(message.endsWith(`did you mean "${place}"?`), message);
  }
});

Deno.test("18: an unknown name is refused whatever its value, undefined included", () => {
  for (const value of [undefined, null, 0, false, () => {}]) {
    assert(refusalOf(breaker, "treshold", value).includes("treshold"));
  }
});

Deno.test("18: an unknown name is refused though a circuit of the same options was just made", () => {
  new Circuit({ probes: 2 });

  assertThrows(() => new Circuit({ probes: 2, treshold: 3 } as object), TypeError, "threshold");
});

Deno.test("16, 18: an inherited name counts, too", () => {
  const inheriting = Object.create({ treshold: 5 });

  for (const make of [breaker, (options: object) => new Circuit(options)]) {
    assertThrows(() => make(inheriting), TypeError, '"treshold" is not an option');
  }
});

Deno.test("18: what every object has is no option: methods and getters of a class, symbols", () => {
  const TAG = Symbol("tag");
  class Config {
    threshold = 3;
    get delayMs() {
      return 1_000;
    }
    describe() {}
    readonly [TAG] = 1;
  }

  new Circuit(new Config());
  breaker(new Config());
  breaker(Object.assign(Object.create(null), { threshold: 3 }));
});

Deno.test("18: a name that somebody has added to Object.prototype is no option", () => {
  const before = Object.prototype as { polluted?: unknown };
  before.polluted = () => {};
  try {
    breaker({ threshold: 3 });
    new Circuit({ threshold: 4 });
  } finally {
    delete before.polluted;
  }
});

Deno.test("18: an unknown name is shown on one line", () => {
  assertEquals(
    refusalOf(breaker, 'a "b"\nc'),
    'Cannot make a breaker as "a \\"b\\"\\nc" is not an option',
  );
});

for (
  const [maker, make] of Object.entries({
    "breaker()": breaker,
    "breaker() of hono": middleware,
    "Circuit": (options: object) => new Circuit(options),
  })
) {
  Deno.test(`18: ${maker} given a function points to Circuit.wrap`, () => {
    assertThrows(
      () => make((() => {}) as never),
      TypeError,
      'as "options" must be an object: current value is a function; to guard a function, ' +
        "use Circuit.wrap",
    );
  });
}
