import { failureRate, slowRate, type TripWindow } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { seeded } from "../../stage/random.ts";

/** Records "s" and "f", one per millisecond from `at` on; returns the index at which it opens. */
function opensAt(window: TripWindow, verdicts: string, at = 0): number | undefined {
  for (const [place, one] of [...verdicts].entries()) {
    const verdict = one === "f" ? "failure" : "success";
    if (window.record(verdict, at + place, 0) !== undefined) return place;
  }
  return undefined;
}

const BOTH = {
  "by time": (threshold: number, minimumCalls: number) =>
    failureRate({ threshold, minimumCalls, windowMs: 1_000 }),
  "by last calls": (threshold: number, minimumCalls: number) =>
    failureRate({ threshold, minimumCalls, lastCalls: 100 }),
};

for (const [kind, policy] of Object.entries(BOTH)) {
  Deno.test(`13: the rate ${kind} trips at its threshold, not below`, () => {
    assertEquals(opensAt(policy(0.5, 4).start(), "sfsf"), 3);
    assertEquals(opensAt(policy(0.5, 4).start(), "ssfssf"), undefined);
    assertEquals(opensAt(policy(1, 2).start(), "sff"), undefined);
    assertEquals(opensAt(policy(1, 2).start(), "ff"), 1);
  });

  Deno.test(`13: the rate ${kind} does not trip before the minimum number of calls`, () => {
    assertEquals(opensAt(policy(0.5, 5).start(), "fffff"), 4);
    assertEquals(opensAt(policy(0.01, 1).start(), "f"), 0);
  });

  Deno.test(`13: the rate ${kind} trips only when a failure is recorded`, () => {
    assertEquals(opensAt(policy(0.5, 4).start(), "fffs"), undefined);
    assertEquals(opensAt(policy(0.5, 4).start(), "fffsf"), 4);
  });

  Deno.test(`13: the rate ${kind} is exact at every percentage`, () => {
    for (let failures = 1; failures <= 100; failures++) {
      const window = policy(failures / 100, 100).start();

      const verdicts = "s".repeat(100 - failures) + "f".repeat(failures);

      assertEquals(opensAt(window, verdicts), 99, `${failures} of 100`);
    }
  });
}

Deno.test("13: by default the rate opens at half of 20 calls within a minute", () => {
  assertEquals(opensAt(failureRate().start(), "f".repeat(20)), 19);
  assertEquals(opensAt(failureRate().start(), "s".repeat(11) + "f".repeat(9)), undefined);
  assertEquals(opensAt(failureRate().start(), "s".repeat(10) + "f".repeat(10)), 19);
});

Deno.test("13: the rate by last calls needs a full window if that is below 20 calls", () => {
  assertEquals(opensAt(failureRate({ lastCalls: 4 }).start(), "ffff"), 3);
  assertEquals(opensAt(failureRate({ lastCalls: 50 }).start(), "f".repeat(50)), 19);
});

Deno.test("13: the rate by last calls drops the oldest call for each new one", () => {
  const window = failureRate({ lastCalls: 4, threshold: 0.75 }).start();

  assertEquals(opensAt(window, "ffssfssfsf"), undefined);
  assertEquals(opensAt(window, "f"), 0);
});

Deno.test("13: the window forgets calls older than itself, even after an idle time", () => {
  for (const idle of [1_000, 1_001, 5_000, 1e12]) {
    const window = failureRate({ minimumCalls: 3, windowMs: 1_000 }).start();

    window.record("failure", 0, 0);
    window.record("failure", 0, 0);

    assertEquals(window.record("failure", idle, 0), undefined, `after ${idle} ms`);
  }
});

Deno.test("13: the window remembers calls that are nine tenths of its length old", () => {
  const window = failureRate({ minimumCalls: 3, windowMs: 1_000 }).start();

  window.record("failure", 0, 0);
  window.record("failure", 0, 0);

  assertEquals(window.record("failure", 899, 0), "3 of 3 calls failed");
});

Deno.test("13: the window agrees with a list of all calls, slice by slice", () => {
  const random = seeded(42);
  for (let round = 0; round < 100; round++) {
    const windowMs = [10, 100, 1_000][round % 3] as number;
    const window = failureRate({ minimumCalls: 5, threshold: 0.6, windowMs }).start();
    const list: { slice: number; failed: boolean }[] = [];
    let began = 0;
    let at = 1_000;

    for (let call = 0; call < 200; call++) {
      at += Math.floor(random() * windowMs * (random() < 0.05 ? 2 : 0.1));
      const failed = random() < 0.5;
      const newest = list.at(-1)?.slice ?? -Infinity;
      let slice = Math.floor((at - began) / (windowMs / 10));
      if (slice >= newest + 10 || list.length === 0) {
        list.length = 0;
        began = at;
        slice = 0;
      }
      list.push({ slice, failed });
      const within = list.filter((one) => one.slice > slice - 10);
      const bad = within.filter((one) => one.failed).length;
      const trips = failed && within.length >= 5 && bad / within.length >= 0.6;

      const reason = window.record(failed ? "failure" : "success", at, 0);

      assertEquals(reason, trips ? `${bad} of ${within.length} calls failed` : undefined);
    }
  }
});

Deno.test("13: the slow rate counts calls that take slowMs or longer", () => {
  const slow = (...durations: number[]) => {
    const window = slowRate({ slowMs: 100, minimumCalls: 2, threshold: 0.5 }).start();
    return durations.map((durationMs) => window.record("success", 0, durationMs) !== undefined);
  };

  assertEquals(slow(99, 99, 99), [false, false, false]);
  assertEquals(slow(99, 100), [false, true]);
  assertEquals(slow(1e9, 99, 100), [false, false, true]);
});

Deno.test("13: the slow rate counts a failed call as slow, however fast it was", () => {
  const window = slowRate({ slowMs: 100, minimumCalls: 2, threshold: 1 }).start();

  window.record("failure", 0, 1);

  assertEquals(window.record("failure", 0, 1), "2 of 2 calls were slow");
});

Deno.test("15: a window is restored from JSON in the middle of its count", () => {
  const policies = [
    failureRate({ lastCalls: 7, threshold: 0.9 }),
    failureRate({ minimumCalls: 7, threshold: 0.9, windowMs: 100 }),
    slowRate({ slowMs: 5, minimumCalls: 7, threshold: 0.9, windowMs: 100 }),
  ];
  for (const policy of policies) {
    for (const verdicts of ["", "f", "sf", "ffff", "sssffff", "sfsfsfsfsfsfsf"]) {
      const window = policy.start();
      opensAt(window, verdicts);

      const again = policy.start(JSON.parse(JSON.stringify(window.toJSON?.())));

      const rest = "f".repeat(9);
      assertEquals(opensAt(again, rest, verdicts.length), opensAt(window, rest, verdicts.length));
    }
  }
});
