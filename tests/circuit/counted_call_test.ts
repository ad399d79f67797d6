import {
  Circuit,
  CircuitOpenError,
  type CircuitOptions,
  consecutive,
  failureRate,
} from "@lastgood/breaker";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Clock } from "../stage/clock.ts";
import { deferred } from "../stage/deferred.ts";

/** Makes a circuit that nobody listens to: its calls take the short path while it is closed. */
function unheard(options: CircuitOptions = {}): Circuit {
  return new Circuit({ trip: consecutive(1), delayMs: 1_000, now: () => 0, ...options });
}

const DOWN = new Error("down");

Deno.test("calls of several circuits that run at the same time count for their own", async () => {
  const [one, other] = [unheard(), unheard()];
  const [slow, quick] = [deferred<number>(), deferred<number>()];
  const running = [one.run(() => slow.promise), other.run(() => quick.promise)];

  quick.resolve(1);
  slow.reject(DOWN);
  await Promise.allSettled(running);

  assertEquals([one.state, other.state], ["open", "closed"]);
});

Deno.test("a call that calls through another circuit counts for its own", async () => {
  const [outer, inner] = [unheard(), unheard()];

  await outer.run(async () => {
    await inner.run(() => Promise.reject(DOWN)).catch(() => {});
  });

  assertEquals([outer.state, inner.state], ["closed", "open"]);
});

Deno.test("31: the refusal of another circuit does not count, heard or not", async () => {
  const [outer, inner] = [unheard(), unheard()];
  inner.trip();

  await assertRejects(() => outer.run(() => inner.run(() => 1)), CircuitOpenError);

  assertEquals(outer.state, "closed");
});

Deno.test("1: a call that resets its own circuit as it begins does not count", async () => {
  const circuit = unheard();

  await assertRejects(() =>
    circuit.run(() => {
      circuit.trip();
      circuit.reset();
      throw DOWN;
    })
  );

  assertEquals(circuit.state, "closed");
});

Deno.test("6: a call from before a reset does not count after it, but the next one does", async () => {
  const circuit = unheard();
  const late = deferred<number>();
  const running = circuit.run(() => late.promise);
  circuit.trip();
  circuit.reset();

  late.reject(DOWN);
  await running.catch(() => {});

  assertEquals(circuit.state, "closed");
  await circuit.run(() => Promise.reject(DOWN)).catch(() => {});
  assertEquals(circuit.state, "open");
});

Deno.test("6: a call from before an isolation does not count after its release", async () => {
  const circuit = unheard();
  const late = deferred<number>();
  const running = circuit.run(() => late.promise);
  circuit.isolate()();

  late.reject(DOWN);
  await running.catch(() => {});

  assertEquals(circuit.state, "closed");
});

Deno.test("10: a synchronous throw counts at once", () => {
  const circuit = unheard();

  circuit.run(() => {
    throw DOWN;
  }).catch(() => {});

  assertEquals(circuit.state, "open");
});

Deno.test("1: whatever kind of promise the function returns, its result counts and is passed on", async () => {
  class Own<R> extends Promise<R> {}
  const given: Record<string, () => unknown> = {
    "a value": () => 1,
    "a promise": () => Promise.resolve(1),
    "a promise of a subclass": () => Own.resolve(1),
    "a thenable": () => ({ then: (done: (value: number) => void) => done(1) }),
    "a Proxy of a promise": () =>
      new Proxy(Promise.resolve(1), {
        get(target, name) {
          const { [name as "then"]: member } = target;
          return name === "then" ? member.bind(target) : member;
        },
      }),
    "a promise with a then of its own": () => Object.assign(Promise.resolve(1), { then: () => 2 }),
  };
  for (const [what, call] of Object.entries(given)) {
    const circuit = unheard({ trip: failureRate({ lastCalls: 9 }) });

    const promise = circuit.run(call);

    assertEquals(promise.constructor, Promise, what);
    assertEquals(await promise, 1, what);
    assertEquals(circuit.toJSON().windows?.[0]?.saved, "0", what);
  }
});

Deno.test("10: what cannot be awaited is a rejection, and counts", async () => {
  const given: Record<string, () => unknown> = {
    "no promise, though its class says so": () => Object.create(Promise.prototype),
    "a promise that does not tell its class": () =>
      Object.defineProperty(Promise.resolve(1), "constructor", {
        get: () => {
          throw DOWN;
        },
      }),
    "a thenable that does not tell its then": () => ({
      get then() {
        throw DOWN;
      },
    }),
  };
  for (const [what, call] of Object.entries(given)) {
    const circuit = unheard();

    const promise = circuit.run(call);

    await assertRejects(() => promise, Error, undefined, what);
    assertEquals(circuit.state, "open", what);
  }
});

Deno.test("2: a failure, too, counts at the time at which it came", async () => {
  const clock = new Clock();
  const trip = failureRate({ minimumCalls: 2, threshold: 1, windowMs: 100 });
  const circuit = unheard({ trip, now: clock.now });
  const late = deferred<number>();
  const running = circuit.run(() => late.promise);
  clock.ms += 1_000;
  await circuit.run(() => Promise.reject(DOWN)).catch(() => {});
  assertEquals(circuit.state, "closed");

  late.reject(DOWN);
  await running.catch(() => {});

  assertEquals(circuit.state, "open");
});

Deno.test("1: the error of a rejected call comes from where the function was called", async () => {
  const circuit = unheard();
  async function theCaller(): Promise<unknown> {
    return await circuit.run(async () => {
      await undefined;
      throw new Error("down");
    });
  }

  const error = await theCaller().catch((error) => error);

  // Stacks across an await are known to V8 only.
  if ("captureStackTrace" in Error && !("Bun" in globalThis)) {
    assert(/theCaller/.test((error as Error).stack ?? ""));
  }
});

Deno.test("2, 14: a circuit that was called just now refuses as soon as it is opened or isolated", async () => {
  const stops: ((circuit: Circuit) => unknown)[] = [
    (circuit) => circuit.trip(),
    (circuit) => circuit.isolate(),
    (circuit) => circuit.run(() => Promise.reject(DOWN)).catch(() => {}),
  ];
  for (const stop of stops) {
    const circuit = unheard();
    await circuit.run(() => 1);

    await stop(circuit);

    await assertRejects(() => circuit.run(() => 1), CircuitOpenError);
  }
});

Deno.test("11: a call that needs no permit but for its caller's signal ends with that signal", async () => {
  const circuit = unheard();
  await circuit.run(() => 1);
  const caller = new AbortController();
  const seen: unknown[] = [];

  const running = circuit.run((signal) => {
    signal.addEventListener("abort", () => seen.push(signal.reason));
    return new Promise(() => {});
  }, { signal: caller.signal });
  caller.abort("gone");

  assertEquals(await running.catch((reason) => reason), "gone");
  assertEquals(seen, ["gone"]);
  assertEquals(circuit.state, "closed");
});

Deno.test("11: a caller who has left already is told so, and its function is not called", async () => {
  const circuit = unheard();
  let calls = 0;

  const running = circuit.run(() => ++calls, { signal: AbortSignal.abort("gone") });

  assertEquals(await running.catch((reason) => reason), "gone");
  assertEquals(calls, 0);
});
