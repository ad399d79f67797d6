import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { callsOf } from "../../src/circuit/caller_signal.ts";
import { Call } from "../../src/circuit/call.ts";
import { rig } from "../stage/circuit_stage.ts";
import { deferred } from "../stage/deferred.ts";
import { only } from "../stage/events.ts";
import { listenersOf } from "../stage/listeners.ts";
import { settled } from "../stage/settle.ts";

/** Makes a call that may be released, as with `patienceMs`. */
function releasable(run: (signal: AbortSignal) => unknown, signal: AbortSignal): Call<unknown> {
  return new Call(run, {
    caller: { signal },
    deadlines: undefined,
    takesSignal: true,
    mayRelease: true,
  });
}

Deno.test("11: calls at once with one signal have one listener between them", async () => {
  const { circuit } = rig();
  const { signal } = new AbortController();
  const listeners = listenersOf(signal);
  const answers = Array.from({ length: 50 }, () => deferred<number>());

  const calls = answers.map(({ promise }) => circuit.run(() => promise, { signal }));
  assertEquals(listeners.count, 1);
  for (const { resolve } of answers) resolve(1);
  await Promise.all(calls);

  assertEquals(listeners.count, 0);
});

Deno.test("11: an abort ends all calls of its signal, and none that has ended before", async () => {
  const { circuit, events } = rig();
  const caller = new AbortController();
  const ended = circuit.run(() => 1, { signal: caller.signal });
  const waiting = [1, 2, 3].map(() =>
    circuit.run(() => new Promise(() => {}), { signal: caller.signal })
  );
  await ended;

  caller.abort(new Error("gone"));

  for (const call of waiting) await assertRejects(() => call, Error, "gone");
  assertEquals(only(events, "ignored").length, 3);
});

Deno.test("11: calls made by an abort listener of the caller are not lost", async () => {
  const { circuit } = rig();
  const first = new AbortController();
  const again = new AbortController();
  let second: Promise<unknown> | undefined;
  const run = (signal: AbortSignal) =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        second ??= circuit.run(() => new Promise(() => {}), { signal: again.signal });
        reject(signal.reason);
      })
    );
  const calls = [1, 2].map(() => circuit.run(run, { signal: first.signal }).catch(() => "aborted"));

  first.abort();
  assertEquals(await Promise.all(calls), ["aborted", "aborted"]);
  again.abort(new Error("too"));

  await assertRejects(() => second!, Error, "too");
});

Deno.test("11: a signal that nobody may write to has a listener for each call", () => {
  const signal = new Proxy(new AbortController().signal, { set: () => false });

  assert(callsOf(signal) !== callsOf(signal));
});

Deno.test("11: with patience, a signal that outlives many calls gets one listener", async () => {
  const { signal } = new AbortController();
  const listeners = listenersOf(signal);

  for (let call = 0; call < 100; call++) await releasable(() => ({}), signal).result;

  assertEquals(listeners.count, 1);
});

Deno.test("11: with patience, a result without a body leaves no listener", async () => {
  const { signal } = new AbortController();
  const listeners = listenersOf(signal);

  for (const result of [1, null, undefined, "text"]) {
    await releasable(() => result, signal).result;
  }

  assertEquals(listeners.count, 0);
});

Deno.test("11: with patience, an abort reaches every body that may still be read", async () => {
  const caller = new AbortController();
  const signals: AbortSignal[] = [];
  const results: unknown[] = [];
  for (let call = 0; call < 40; call++) {
    const run = (signal: AbortSignal) => {
      signals.push(signal);
      return {};
    };
    results.push(await releasable(run, caller.signal).result);
  }

  caller.abort("gone");

  assertEquals(results.length, 40);
  assertEquals(signals.map(({ reason }) => reason), Array(40).fill("gone"));
});

Deno.test("24: an abort does not reach a call that was released, nor its body", async () => {
  for (const when of ["before its result", "never"]) {
    const caller = new AbortController();
    const answer = deferred<object>();
    let signal: AbortSignal | undefined;
    const call = releasable((own) => {
      signal = own;
      return answer.promise;
    }, caller.signal);
    if (when !== "never") call.release();
    answer.resolve({});
    await call.result;

    caller.abort("gone");

    assertEquals(signal?.aborted, when === "never");
  }
});

/** A host without `WeakRef`, as Workers were before 2025. */
async function withoutWeakRef(test: () => Promise<void>): Promise<void> {
  const { WeakRef } = globalThis;
  Object.assign(globalThis, { WeakRef: undefined });
  try {
    await test();
  } finally {
    Object.assign(globalThis, { WeakRef });
  }
}

Deno.test("11: an abort reaches a body without WeakRef, too", () =>
  withoutWeakRef(async () => {
    const caller = new AbortController();
    let signal: AbortSignal | undefined;
    await releasable((own) => (signal = own, {}), caller.signal).result;

    caller.abort("gone");

    assertEquals(signal?.reason, "gone");
  }));

Deno.test("11: links to what nobody needs any more are dropped", () => {
  const calls = callsOf(new AbortController().signal);
  const { WeakRef } = globalThis;
  let made = 0;
  let looked = 0;
  const fake = class {
    constructor() {
      made++;
    }
    deref() {
      looked++;
      return undefined;
    }
  };
  Object.assign(globalThis, { WeakRef: fake });
  try {
    for (let call = 0; call < 10_000; call++) calls.link(new AbortController(), {});
  } finally {
    Object.assign(globalThis, { WeakRef });
  }

  // Each is looked at once, which leaves at most as many as are made between two looks.
  assertEquals(made, 10_000);
  assert(looked >= made - 17 && looked <= made, `${looked} of ${made}`);
});

for (const [cause, reason] of [["abort", new Error("left")], ["deadline", timeout()]] as const) {
  Deno.test(`31: an error of a call whose caller has just aborted is the caller's end (${cause})`, async () => {
    for (const justArrived of [false, true]) {
      const caller = new AbortController();
      const upstream = deferred<number>();
      const call = new Call(() => upstream.promise, {
        caller: { signal: caller.signal, justArrived },
        deadlines: undefined,
        takesSignal: false,
      });
      if (!justArrived) await settled();
      upstream.reject(new TypeError("body broke off"));
      // Before the rejection is heard of, and before a listener that is added late is there.
      caller.abort(reason);

      const error = await call.result.catch((error) => error);

      assertStrictEquals(error, reason);
      assertEquals(call.endedBy, cause);
    }
  });
}

function timeout(): DOMException {
  return new DOMException("took too long", "TimeoutError");
}

Deno.test("31: an error of a call is its own if its caller had let go of it before aborting", async () => {
  const caller = new AbortController();
  const upstream = deferred<number>();
  const call = releasable(() => upstream.promise, caller.signal);
  call.release();
  caller.abort(new Error("left"));

  upstream.reject(new TypeError("down"));

  await assertRejects(() => call.result, TypeError, "down");
  assertEquals(call.endedBy, undefined);
});
