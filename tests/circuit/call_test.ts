import { assert, assertEquals, assertNotStrictEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { rig } from "../stage/circuit_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { listenersOf } from "../stage/listeners.ts";

/** Runs `test` as on Vercel Edge, which has no `AbortSignal.any`. */
async function withoutAny(test: () => Promise<void>): Promise<void> {
  const { any } = AbortSignal;
  Object.assign(AbortSignal, { any: undefined });
  try {
    await test();
  } finally {
    Object.assign(AbortSignal, { any });
  }
}

Deno.test("11: each call has its own signal", async () => {
  const { circuit } = rig();
  const caller = new AbortController();
  const signals: AbortSignal[] = [];
  const call = (signal: AbortSignal) => signals.push(signal);

  await circuit.run(call);
  await circuit.run(call);
  await circuit.run(call, { signal: caller.signal });
  await circuit.run(call, { signal: caller.signal });

  assertEquals(new Set(signals).size, 4);
  for (const signal of signals) assertNotStrictEquals(signal, caller.signal);
});

Deno.test("11: our timeout rejects a call that ignores its signal", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });
  const promise = circuit.run(() => new Promise(() => {}));
  const caught = promise.catch((error) => error);

  await time.tickAsync(99);
  assertEquals(await Promise.race([promise, "waits"]), "waits");
  await time.tickAsync(1);
  const error = await caught;

  assert(error instanceof DOMException);
  assertEquals([error.name, error.message], ["TimeoutError", "The call took longer than 100 ms"]);
});

Deno.test("11: our timeout ends a call that waits for a thenable, which is no promise", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });
  const thenable = { then: () => {} } as unknown as Promise<number>;
  const promise = circuit.run(() => thenable);
  const caught = promise.catch((error) => error.name);

  await time.tickAsync(100);
  await time.tickAsync(1);

  assertEquals(await Promise.race([caught, "waits"]), "TimeoutError");
});

Deno.test("11: our timeout aborts the call's signal with the same error", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });
  let signal: AbortSignal | undefined;
  const caught = circuit.run((own) => {
    signal = own;
    return new Promise(() => {});
  }).catch((error) => error);

  await time.tickAsync(100);

  assertEquals(signal?.aborted, true);
  assertEquals(signal?.reason, await caught);
});

Deno.test("11: our timeout aborts only its own call", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });
  const signals: AbortSignal[] = [];
  const hang = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise(() => {});
  };

  const first = circuit.run(hang).catch(() => {});
  await time.tickAsync(50);
  const second = circuit.run(hang).catch(() => {});
  await time.tickAsync(50);
  await first;

  assertEquals(signals.map(({ aborted }) => aborted), [true, false]);
  await time.tickAsync(50);
  await second;
});

Deno.test("11: our timeout never aborts after the result has arrived", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });

  const signal = await circuit.run((own) => own);
  await time.tickAsync(1_000);

  assertEquals(signal.aborted, false);
});

Deno.test("11: a result that arrives after our timeout changes nothing", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100, threshold: 1 });
  for (const end of ["resolve", "reject"] as const) {
    circuit.reset();
    const answer = deferred<unknown>();
    const promise = circuit.run(() => answer.promise);
    promise.catch(() => {});
    await time.tickAsync(100);

    answer[end](new Error("late"));

    await assertRejects(() => promise, DOMException, "longer than 100 ms");
    assertEquals(circuit.state, "open");
  }
});

for (
  const [how, within] of [["", (test) => test()], [" without AbortSignal.any", withoutAny]] as [
    string,
    typeof withoutAny,
  ][]
) {
  Deno.test(`11: the caller's abort reaches the call${how}`, () =>
    within(async () => {
      const { circuit } = rig();
      const caller = new AbortController();
      let signal: AbortSignal | undefined;
      const promise = circuit.run((own) => {
        signal = own;
        return new Promise(() => {});
      }, { signal: caller.signal });

      caller.abort(new Error("gone"));

      await assertRejects(() => promise, Error, "gone");
      assertEquals((signal?.reason as Error).message, "gone");
    }));

  Deno.test(`11: the caller's abort reaches the call after its result, for its body${how}`, () =>
    within(async () => {
      const { circuit } = rig({ timeoutMs: 1_000 });
      const caller = new AbortController();
      const signal = await circuit.run((own) => own, { signal: caller.signal });
      assertEquals(signal.aborted, false);

      caller.abort(new Error("gone"));

      assertEquals((signal.reason as Error).message, "gone");
    }));

  Deno.test(`11: our timeout reaches a call that has a caller's signal, too${how}`, () =>
    within(async () => {
      using time = new FakeTime();
      const { circuit } = rig({ timeoutMs: 100 });
      let signal: AbortSignal | undefined;
      const caught = circuit.run((own) => {
        signal = own;
        return new Promise(() => {});
      }, { signal: new AbortController().signal }).catch(({ name }) => name);

      await time.tickAsync(100);

      assertEquals(await caught, "TimeoutError");
      assertEquals(signal?.reason.name, "TimeoutError");
    }));
}

Deno.test("11: a caller's signal that outlives many calls does not accumulate listeners", async () => {
  const { circuit } = rig({ timeoutMs: 1_000 });
  const { signal } = new AbortController();
  const listeners = listenersOf(signal);

  for (let call = 0; call < 100; call++) {
    await circuit.run(() => call, { signal });
    await circuit.run(() => Promise.reject(new Error("no")), { signal }).catch(() =>
      circuit.reset()
    );
  }

  assert(listeners.count <= 0, `${listeners.count} listeners are left`);
});

Deno.test("11: a call that ends in time leaves no timer", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });

  await circuit.run(() => 1);
  await circuit.run(() => Promise.reject(new Error("no"))).catch(() => {});

  assertEquals(time.next(), false);
});

Deno.test("10: run never throws: a refusal and an earlier abort are rejections", async () => {
  const { circuit } = rig();
  circuit.trip();

  const refused = circuit.run(() => 1);
  const aborted = circuit.run(() => 1, { signal: AbortSignal.abort("gone") });

  assertEquals((await refused.catch((error) => error)).name, "CircuitOpenError");
  assertEquals(await aborted.catch((error) => error), "gone");
});

Deno.test("11: a timeout counts from the call, even though its timer starts a moment later", async () => {
  for (const ms of [0, 40]) {
    using time = new FakeTime();
    const { circuit } = rig({ timeoutMs: 100 });
    const promise = circuit.run(() => new Promise(() => {}));
    const caught = promise.catch((error) => error.name);

    // No microtask has run yet.
    time.tick(ms);
    await time.tickAsync(99 - ms);
    assertEquals(await Promise.race([promise, "waits"]), "waits");
    await time.tickAsync(1);

    assertEquals(await caught, "TimeoutError");
  }
});

Deno.test("11: a timeout that passes before any microtask runs still counts", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });
  const caught = circuit.run(() => new Promise(() => {})).catch((error) => error.name);

  time.tick(100);

  assertEquals(await caught, "TimeoutError");
});

Deno.test("11: a call that ends at once makes no timer", async () => {
  using time = new FakeTime();
  const { circuit } = rig({ timeoutMs: 100 });
  const { setTimeout } = globalThis;
  let timers = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    timers++;
    return setTimeout(...args);
  }) as typeof setTimeout;

  try {
    await circuit.run(async () => await Promise.resolve(1));
    await circuit.run(() => Promise.reject(new Error("down"))).catch(() => {});
  } finally {
    globalThis.setTimeout = setTimeout;
  }

  assertEquals([timers, time.next()], [0, false]);
});
