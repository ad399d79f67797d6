import { assertEquals, assertRejects } from "@std/assert";
import type { BreakerOptions, ErrorSource } from "@lastgood/breaker";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";

/** A return value that makes no sense for any callback. */
const NONSENSE = NaN as never;

interface Fault {
  readonly source: ErrorSource;
  /** The callback's name, if it differs from the source. */
  readonly what?: string;
  readonly options: (callback: () => never) => BreakerOptions;
  /** The texts that the caller gets for a good answer, then for a failed one. */
  readonly gives: [string, string];
}

const FAULTS: readonly Fault[] = [
  { source: "judge", options: (judge) => ({ judge }), gives: ["good", "good"] },
  { source: "key", options: (key) => ({ key }), gives: ["good", "good"] },
  { source: "keep", options: (keep) => ({ lastGood: { keep } }), gives: ["good", "good"] },
  { source: "lastGood.key", options: (key) => ({ lastGood: { key } }), gives: ["good", "bad"] },
  {
    source: "partition",
    options: (partition) => ({ lastGood: { partition } }),
    gives: ["good", "bad"],
  },
  {
    source: "fallback",
    options: (fallback) => ({ fallback, lastGood: false }),
    gives: ["good", "bad"],
  },
  {
    source: "policy",
    what: "window",
    options: (record) => ({ trip: { start: () => ({ record }) } }),
    gives: ["good", "good"],
  },
  {
    source: "policy",
    what: "trip policy",
    options: (start) => ({ trip: { start } }),
    gives: ["good", "good"],
  },
  {
    source: "policy",
    what: "delay policy",
    options: (delayMs) => ({ threshold: 1, delayMs }),
    gives: ["good", "good"],
  },
];

function throwing(): never {
  throw new Error("in a callback");
}

for (const way of WAYS) {
  for (const { source, what, options, gives } of FAULTS) {
    for (const callback of [throwing, () => NONSENSE]) {
      const fault = callback === throwing ? "throws" : "returns nonsense";
      Deno.test(`9: on ${way} a ${what ?? source} that ${fault} does no harm and is reported`, async () => {
        const script = [{ body: "good" }, { status: 500, body: "bad" }];
        const act = stage(script, options(callback), way);

        const texts = [await act.text(), await act.text()];

        assertEquals(texts, gives);
        const sources = only(act.events, "error").map(({ source }) => source);
        assertEquals(new Set(sources), new Set([source]));
      });
    }
  }
}

Deno.test("9: if key throws, the request uses the default circuit", async () => {
  const act = stage([500], { key: throwing, threshold: 1 });
  await act.ask();

  assertEquals(act.circuit.name, "http://origin.test");
});

Deno.test("9: a callback that rejects counts as one that throws", async () => {
  const reject = () => Promise.reject(new Error("later"));
  const options = { fallback: reject, lastGood: { partition: reject } };
  const act = stage([{ status: 500, body: "bad" }], options);

  assertEquals(await act.text(), "bad");
  assertEquals(act.types, ["error", "failure", "error"]);
});

Deno.test("9: a judge that returns undefined leaves the default verdict, without an error event", async () => {
  const act = stage([500], { judge: () => undefined, threshold: 1 });
  await act.ask();

  assertEquals(act.types, ["failure", "state"]);
});

Deno.test("9: a judge decides on responses and rejections", async () => {
  const judge = (outcome: PromiseSettledResult<Response>) =>
    outcome.status === "rejected"
      ? "ignored"
      : outcome.value.status === 404
      ? "failure"
      : undefined;
  const act = stage(["reset", 404], { judge, threshold: 1 });

  await assertRejects(() => act.ask(), TypeError);
  assertEquals(act.circuit.state, "closed");
  await act.ask();
  assertEquals(act.circuit.state, "open");
});

Deno.test("9: a listener that throws or rejects breaks nothing", async () => {
  const listeners = [throwing, () => Promise.reject(new Error("later")) as never];
  for (const onEvent of listeners) {
    for (const way of WAYS) {
      const act = stage([{ body: "good" }, 500], { onEvent, threshold: 1 }, way);

      assertEquals([await act.text(), await act.text(), await act.text()], [
        "good",
        "good",
        "good",
      ]);
      assertEquals(act.circuit.state, "open");
    }
  }
});

Deno.test("9: if keep throws, the rules alone decide", async () => {
  const act = stage([{ body: "good", headers: { "cache-control": "no-store" } }, 500], {
    lastGood: { keep: throwing },
  });
  await act.text();

  assertEquals((await act.ask()).status, 500);
});
