import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "./assert.ts";
import { FakeTime, TimeError } from "./time.ts";

/** All that FakeTime replaces, as it is now. */
function clockwork(): Record<string, unknown> {
  const { Date, setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const timeout = AbortSignal.timeout;
  return { Date, setTimeout, clearTimeout, setInterval, clearInterval, timeout };
}

function assertSameClockwork(actual: Record<string, unknown>, expected: Record<string, unknown>) {
  for (const name of Object.keys(expected)) {
    assertStrictEquals(actual[name], expected[name], name);
  }
}

const REAL = clockwork();

// Dates

Deno.test("FakeTime says what time it is, however it is asked", () => {
  using _time = new FakeTime(5_000);

  assertEquals(Date.now(), 5_000);
  assertEquals(new Date().getTime(), 5_000);
  assertEquals(Date(), new Date(5_000).toString());
});

Deno.test("FakeTime leaves dates alone that say their own time", () => {
  using _time = new FakeTime(5_000);

  assertEquals(new Date(7).getTime(), 7);
  assertEquals(new Date("1970-01-01T00:00:01Z").getTime(), 1_000);
  assertEquals(new Date(1970, 0, 1, 0, 0, 2).getSeconds(), 2);
  assertEquals(Date.parse("1970-01-01T00:00:01Z"), 1_000);
  assertEquals(Date.UTC(1970, 0, 1, 0, 0, 3), 3_000);
});

Deno.test("FakeTime makes real dates", () => {
  const RealDate = Date;
  using _time = new FakeTime(5_000);

  const date = new Date();

  assertInstanceOf(date, Date);
  assertInstanceOf(date, RealDate);
  assert(new RealDate(1) instanceof Date);
  assertEquals(structuredClone(date).getTime(), 5_000);
});

Deno.test("FakeTime reaches a class that extends Date", () => {
  using _time = new FakeTime(5_000);
  class Day extends Date {
    get number(): number {
      return Math.floor(this.getTime() / 1_000);
    }
  }

  const day = new Day();

  assertInstanceOf(day, Day);
  assertEquals(day.number, 5);
  assertEquals(new Day(9_000).number, 9);
});

Deno.test("FakeTime starts at a number, a date, a text, or the present", () => {
  const before = Date.now();
  const startOf = (start?: number | Date | string) => {
    using time = new FakeTime(start);
    return [time.start, time.now, Date.now()];
  };

  const [present] = startOf();

  assertGreaterOrEqual(present!, before);
  assertEquals(startOf(7), [7, 7, 7]);
  assertEquals(startOf(new Date(8)), [8, 8, 8]);
  assertEquals(startOf("1970-01-01T00:00:09Z"), [9_000, 9_000, 9_000]);
});

Deno.test("FakeTime refuses a start that is no time, and replaces nothing", () => {
  assertThrows(() => new FakeTime(NaN), TypeError, "invalid start time NaN");
  assertThrows(() => new FakeTime("soon"), TypeError);
  assertSameClockwork(clockwork(), REAL);
});

Deno.test("FakeTime refuses to be nested, and the outer one goes on", () => {
  using _time = new FakeTime(5_000);

  assertThrows(() => new FakeTime(6_000), TimeError, "already faked");
  assertEquals(Date.now(), 5_000);
});

// Moving time

Deno.test("FakeTime stands still until it is moved", async () => {
  using time = new FakeTime(1_000);

  await time.delay(5);
  const still = Date.now();
  time.tick(500);
  const ticked = Date.now();
  time.now = 9_000;

  assertEquals([still, ticked, Date.now(), time.start], [1_000, 1_500, 9_000, 1_000]);
});

Deno.test("FakeTime never moves back", () => {
  using time = new FakeTime(1_000);

  assertThrows(() => time.now = 999, RangeError, "must be >= 1000: received 999");
  assertThrows(() => time.tick(-1), RangeError);
  assertThrows(() => time.tick(NaN), RangeError);
  assertEquals(time.now, 1_000);
});

// Timers

Deno.test("FakeTime calls timers in the order in which they are due, then of their making", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  const note = (name: string) => calls.push(`${name} ${Date.now()}`);
  setTimeout(note, 30, "a");
  setTimeout(note, 10, "b");
  setInterval(note, 15, "every");
  setTimeout(note, 10, "c");
  setTimeout(note, 30, "d");

  time.tick(30);

  assertEquals(calls, ["b 10", "c 10", "every 15", "a 30", "d 30", "every 30"]);
});

Deno.test("FakeTime calls a timer once it is due, not before, and once only", () => {
  using time = new FakeTime(0);
  let calls = 0;
  setTimeout(() => calls++, 10);

  time.tick(9);
  const early = calls;
  time.tick(1);
  const due = calls;
  time.tick(100);

  assertEquals([early, due, calls], [0, 1, 1]);
});

Deno.test("FakeTime calls a timer without delay in the next tick, be it of 0 ms", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  setTimeout(() => calls.push("timer"));

  calls.push("after");
  time.tick();

  assertEquals(calls, ["after", "timer"]);
});

Deno.test("FakeTime calls what a timer makes in the same tick, if due", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  const note = (name: string) => calls.push(`${name} ${Date.now()}`);
  setTimeout(() => {
    note("outer");
    setTimeout(note, 0, "at once");
    setTimeout(note, 5, "later");
    setTimeout(note, 50, "too late");
  }, 10);
  setTimeout(note, 10, "second");

  time.tick(20);

  assertEquals(calls, ["outer 10", "second 10", "at once 10", "later 15"]);
  assertEquals(Date.now(), 20);
});

Deno.test("FakeTime stops what is cleared, by either name", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  const timeout = setTimeout(() => calls.push("timeout"), 10);
  const interval = setInterval(() => calls.push("interval"), 10);
  const crossed = setTimeout(() => calls.push("crossed"), 10);
  setTimeout(() => calls.push("kept"), 10);

  clearTimeout(timeout);
  clearInterval(interval);
  clearInterval(crossed);
  clearTimeout(undefined);
  time.tick(10);

  assertEquals(calls, ["kept"]);
});

Deno.test("FakeTime lets a timer clear another that is due at the same time", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  setTimeout(() => clearTimeout(second), 10);
  const second = setTimeout(() => calls.push("second"), 10);

  time.tick(10);

  assertEquals(calls, []);
});

Deno.test("FakeTime lets an interval clear itself", () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  const interval = setInterval(() => {
    if (calls.push(Date.now()) === 2) clearInterval(interval);
  }, 10);

  time.tick(100);

  assertEquals(calls, [10, 20]);
});

Deno.test("FakeTime lets an interval take 1 ms at least", () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  setInterval(() => calls.push(Date.now()), 0);

  time.tick(3);

  assertEquals(calls, [1, 2, 3]);
});

Deno.test("FakeTime calls at once what does not fit in a timer", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  setTimeout(() => calls.push("longest"), 2 ** 31 - 1);
  setTimeout(() => calls.push("longer"), 2 ** 31);
  setTimeout(() => calls.push("endless"), Infinity);
  setTimeout(() => calls.push("negative"), -5);

  time.tick(1);

  assertEquals(calls, ["negative", "longer", "endless"]);
});

Deno.test("FakeTime stops at a timer that throws, and goes on from there", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  setTimeout(() => {
    throw new Error("no");
  }, 10);
  setTimeout(() => calls.push("next"), 10);

  assertThrows(() => time.tick(50), Error, "no");
  assertEquals([Date.now(), calls.length], [10, 0]);

  time.tick(0);
  assertEquals(calls, ["next"]);
});

Deno.test("FakeTime moved by a timer does not move back after it", () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  setTimeout(() => time.tick(100), 10);
  setTimeout(() => calls.push(Date.now()), 10);
  setTimeout(() => calls.push(Date.now()), 20);

  time.tick(30);

  assertEquals(calls, [10, 20]);
  assertEquals(Date.now(), 110);
});

Deno.test("FakeTime restored by a timer calls no further one", () => {
  const time = new FakeTime(0);
  const calls: string[] = [];
  setTimeout(() => time.restore(), 10);
  setTimeout(() => calls.push("next"), 10);

  time.tick(20);

  assertEquals(calls, []);
  assertSameClockwork(clockwork(), REAL);
});

Deno.test("FakeTime takes functions only", () => {
  using _time = new FakeTime();
  const text = "0" as unknown as () => void;

  assertThrows(() => setTimeout(text, 0), TimeError, "callbacks to setTimeout");
  assertThrows(() => setInterval(text, 0), TimeError, "callbacks to setInterval");
});

// Signals

Deno.test("FakeTime aborts a signal when its time is over, with a TimeoutError", () => {
  using time = new FakeTime(0);
  const signal = AbortSignal.timeout(10);
  const calls: number[] = [];
  signal.addEventListener("abort", () => calls.push(Date.now()));

  time.tick(9);
  const early = signal.aborted;
  time.tick(11);

  assertEquals([early, signal.aborted, calls], [false, true, [10]]);
  assertInstanceOf(signal.reason, DOMException);
  assertEquals(signal.reason.name, "TimeoutError");
});

Deno.test("FakeTime aborts signals in turn with timers", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  setTimeout(() => calls.push("before"), 10);
  AbortSignal.timeout(10).addEventListener("abort", () => calls.push("signal"));
  setTimeout(() => calls.push("after"), 10);

  time.next();

  assertEquals(calls, ["before", "signal", "after"]);
});

Deno.test("FakeTime refuses a signal that no runtime would make", () => {
  using _time = new FakeTime();

  assertThrows(() => AbortSignal.timeout(Infinity), TypeError);
  assertThrows(() => AbortSignal.timeout(NaN), TypeError);
  assertThrows(() => AbortSignal.timeout(-1), TypeError);
});

// Microtasks

Deno.test("FakeTime.tick() runs no microtask, tickAsync() runs all of them first", async () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  queueMicrotask(() => calls.push("microtask"));
  setTimeout(() => calls.push("timer"), 10);

  time.tick(5);
  const ticked = [...calls];
  await time.tickAsync(5);

  assertEquals(ticked, []);
  assertEquals(calls, ["microtask", "timer"]);
});

Deno.test("FakeTime.tickAsync() waits for long chains of promises, and for a timer they set", async () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  (async () => {
    for (let step = 0; step < 1_000; step++) await undefined;
    setTimeout(() => calls.push(Date.now()), 10);
  })();

  await time.tickAsync(10);

  assertEquals(calls, [10]);
});

Deno.test("FakeTime.runMicrotasks() moves no time", async () => {
  using time = new FakeTime(1_000);
  const calls: string[] = [];
  queueMicrotask(() => calls.push("microtask"));
  setTimeout(() => calls.push("timer"), 0);

  await time.runMicrotasks();

  assertEquals(calls, ["microtask"]);
  assertEquals(Date.now(), 1_000);
});

Deno.test("FakeTime.next() moves to the next timer and calls all that are due with it", () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  setTimeout(() => calls.push("a"), 10);
  setTimeout(() => calls.push("b"), 10);
  setTimeout(() => calls.push("c"), 20);
  clearTimeout(setTimeout(() => calls.push("cleared"), 5));

  const first = time.next();
  const firstCalls = [Date.now(), ...calls];
  const second = time.next();
  const third = time.next();

  assertEquals(firstCalls, [10, "a", "b"]);
  assertEquals(calls, ["a", "b", "c"]);
  assertEquals([first, second, third, Date.now()], [true, true, false, 20]);
});

Deno.test("FakeTime.nextAsync() sees a timer that is set after a chain of promises", async () => {
  using time = new FakeTime(0);
  (async () => {
    for (let step = 0; step < 1_000; step++) await undefined;
    setTimeout(() => {}, 10);
  })();

  const first = await time.nextAsync();
  const second = await time.nextAsync();

  assertEquals([first, second, Date.now()], [true, false, 10]);
});

Deno.test("FakeTime.runAll() moves until no timer is left, those made on the way included", () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  const note = () => calls.push(Date.now());
  setTimeout(() => setTimeout(note, 100), 10);
  setTimeout(note, 20);

  time.runAll();

  assertEquals(calls, [20, 110]);
  assertEquals(Date.now(), 110);
});

Deno.test("FakeTime.runAllAsync() runs microtasks before each timer", async () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  (async () => {
    await sleep(10);
    calls.push(`first ${Date.now()}`);
    await sleep(20);
    calls.push(`second ${Date.now()}`);
  })();
  setTimeout(() => calls.push(`third ${Date.now()}`), 40);

  await time.runAllAsync();

  assertEquals(calls, ["first 10", "second 30", "third 40"]);
});

// Real time

Deno.test("FakeTime leaves queueMicrotask and performance.now alone", () => {
  const { queueMicrotask: microtask } = globalThis;
  const { now } = performance;
  using _time = new FakeTime(0);

  assertStrictEquals(globalThis.queueMicrotask, microtask);
  assertStrictEquals(performance.now, now);
});

Deno.test("FakeTime.delay() takes real time", async () => {
  const before = Date.now();
  const time = new FakeTime(0);

  await time.delay(20);
  const fake = Date.now();
  time.restore();

  assertEquals(fake, 0);
  assertGreaterOrEqual(Date.now() - before, 15);
});

Deno.test("FakeTime.delay() ends with its signal", async () => {
  using time = new FakeTime(0);
  const controller = new AbortController();
  const delay = time.delay(60_000, { signal: controller.signal });

  controller.abort();

  const error = await assertRejects(() => delay, DOMException, "Delay was aborted");
  assertEquals(error.name, "AbortError");
  await assertRejects(
    () => time.delay(60_000, { signal: controller.signal }),
    DOMException,
    "Delay was aborted",
  );
});

Deno.test("FakeTime moves by itself at the rate it is told to", async () => {
  const time = new FakeTime(0, { advanceRate: 100, advanceFrequency: 2 });

  await time.delay(20);
  time.restore();
  const reached = time.now;
  await new Promise((resolve) => setTimeout(resolve, 10));

  assertGreaterOrEqual(reached, 200);
  assertEquals(reached % 200, 0);
  assertEquals(time.now, reached);
});

Deno.test("FakeTime.restoreFor() gives real time to one function, waits for it, and returns what it does", async () => {
  using _time = new FakeTime(0);
  const fake = clockwork();

  const sync = FakeTime.restoreFor((a: number, b: number) => [a + b, clockwork()] as const, 1, 2);
  const between = clockwork();
  const [sum, seen] = await sync;
  const later = await FakeTime.restoreFor(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return clockwork();
  });

  assertEquals(sum, 3);
  assertSameClockwork(seen, REAL);
  assertSameClockwork(between, fake);
  assertSameClockwork(later, REAL);
  assertSameClockwork(clockwork(), fake);
});

Deno.test("FakeTime.restoreFor() fakes time again after an error, and passes it on", async () => {
  using _time = new FakeTime(0);

  await assertRejects(
    () =>
      FakeTime.restoreFor(() => {
        throw new Error("thrown");
      }),
    Error,
    "thrown",
  );
  await assertRejects(
    () => FakeTime.restoreFor(() => Promise.reject(new Error("rejected"))),
    Error,
    "rejected",
  );
  assertEquals(Date.now(), 0);
});

Deno.test("FakeTime.restoreFor() leaves real time that was restored meanwhile", async () => {
  const time = new FakeTime(0);

  await FakeTime.restoreFor(() => time.restore());

  assertSameClockwork(clockwork(), REAL);
});

Deno.test("FakeTime.restoreFor() rejects when time is real", async () => {
  await assertRejects(
    () => FakeTime.restoreFor(() => {}),
    TimeError,
    "Cannot restore time: time is not faked",
  );
});

// The end

Deno.test("FakeTime replaces its globals and puts all of them back at the end of its scope", () => {
  {
    using _time = new FakeTime(0);
    for (const [name, fake] of Object.entries(clockwork())) {
      assertNotStrictEquals(fake, REAL[name], name);
    }
  }

  assertSameClockwork(clockwork(), REAL);
});

Deno.test("FakeTime puts back what was there before it, be it a fake of others", () => {
  const { setTimeout } = globalThis;
  const other = Object.assign(() => 0, setTimeout);
  globalThis.setTimeout = other as unknown as typeof setTimeout;
  const time = new FakeTime(0);

  time.restore();
  const restored = globalThis.setTimeout as unknown;
  globalThis.setTimeout = setTimeout;

  assertStrictEquals(restored, other);
});

Deno.test("FakeTime can be restored once, by its instance or by its class", () => {
  const first = new FakeTime(0);
  FakeTime.restore();
  const second = new FakeTime(0);

  assertThrows(() => first.restore(), TimeError, "time is already restored");
  second.restore();
  assertThrows(() => second.restore(), TimeError, "time is already restored");
  assertThrows(() => FakeTime.restore(), TimeError, "time is already restored");
  assertSameClockwork(clockwork(), REAL);
});

Deno.test("FakeTime refuses to go on after it is restored", async () => {
  const time = new FakeTime(0);
  setTimeout(() => {}, 10);
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const { setInterval: setEvery, clearInterval: clearEvery } = globalThis;
  const { timeout } = AbortSignal;
  time.restore();

  assertThrows(() => set(() => {}, 0), TimeError, "Cannot set timeout: time is not faked");
  assertThrows(() => clear(0), TimeError, "Cannot clear timeout: time is not faked");
  assertThrows(() => setEvery(() => {}, 1), TimeError, "Cannot set interval: time is not faked");
  assertThrows(() => clearEvery(0), TimeError, "Cannot clear interval: time is not faked");
  assertThrows(() => timeout(0), TimeError);
  assertThrows(() => time.tick(1), TimeError);
  assertThrows(() => time.now = 5, TimeError);
  assertThrows(() => time.next(), TimeError);
  assertThrows(() => time.runAll(), TimeError);
  await assertRejects(() => time.tickAsync(1), TimeError);
  await assertRejects(() => time.delay(1), TimeError);
  assertEquals([time.now, time.start], [0, 0]);
});

Deno.test("FakeTime's Date says the real time after it is restored", () => {
  const time = new FakeTime(0);
  const FakeDate = Date;
  time.restore();

  const now = Date.now();

  assertGreaterOrEqual(FakeDate.now(), now);
  assertGreaterOrEqual(new FakeDate().getTime(), now);
  assertMatch(FakeDate(), /^\w{3} \w{3} \d/);
});
