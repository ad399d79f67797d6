import { Deadlines, nextOrder, type TimedCall } from "../../src/circuit/deadlines.ts";
import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { settled } from "../stage/settle.ts";

/** Makes a call that records when it times out. */
function due(name: string, over: string[], time: FakeTime, then = () => {}): TimedCall {
  const start = time.now;
  return {
    deadline: undefined,
    timeOut() {
      over.push(`${name} after ${time.now - start}`);
      then();
    },
  };
}

/** Lets time pass, a millisecond at a time. */
async function pass(time: FakeTime, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed++) {
    time.tick(1);
    await settled();
  }
}

/** Runs `test` with every timer `lateMs` late. */
async function withLateTimers(
  lateMs: number,
  test: (time: FakeTime) => Promise<void>,
): Promise<void> {
  using time = new FakeTime();
  const { setTimeout } = globalThis;
  globalThis.setTimeout =
    ((callback: () => void, ms: number) => setTimeout(callback, ms + lateMs)) as typeof setTimeout;
  try {
    await test(time);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

Deno.test("11: each deadline passes on time, although one timer serves them all", async () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];

  for (const name of ["a", "b", "c", "d"]) {
    deadlines.add(due(name, over, time));
    await pass(time, 30);
  }
  await pass(time, 300);

  assertEquals(over, ["a after 100", "b after 100", "c after 100", "d after 100"]);
  assertEquals(time.next(), false);
});

Deno.test("11: deadlines set at the same moment pass together", async () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  for (const name of ["a", "b", "c"]) deadlines.add(due(name, over, time));

  time.tick(99);

  await settled();
  assertEquals(over, []);
  time.tick(1);
  await settled();

  assertEquals(over, ["c after 100", "b after 100", "a after 100"]);
});

Deno.test("11: a call that ends in time leaves the other deadlines unchanged", async () => {
  for (const done of [[0], [1], [2], [0, 1], [0, 2], [1, 2], [2, 1, 0]]) {
    using time = new FakeTime();
    const deadlines = new Deadlines(100);
    const over: string[] = [];
    const all: TimedCall[] = [];
    for (const name of ["a", "b", "c"]) {
      const one = due(name, over, time);
      deadlines.add(one);
      all.push(one);
      time.tick(10);
    }

    for (const index of [...done, ...done]) deadlines.delete(all[index]!);
    await pass(time, 300);

    const left = ["a", "b", "c"].filter((_, index) => !done.includes(index));
    assertEquals(over, left.map((name) => `${name} after 100`));
    assertEquals(time.next(), false);
  }
});

Deno.test("11: a call made while another one times out delays no other deadline", async () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  deadlines.add(due("a", over, time, () => deadlines.add(due("retry", over, time))));
  time.tick(50);
  await settled();
  deadlines.add(due("b", over, time));

  await pass(time, 300);

  assertEquals(over, ["a after 100", "b after 100", "retry after 100"]);
  assertEquals(time.next(), false);
});

Deno.test("11: late timers do not add up while some call is always running", async () => {
  await withLateTimers(5, async (time) => {
    const deadlines = new Deadlines(100);
    const over: string[] = [];

    for (let call = 0; call < 100; call++) {
      const one = due("done", over, time);
      deadlines.add(one);
      time.tick(40);
      await settled();
      const next = due("done", over, time);
      deadlines.add(next);
      time.tick(40);
      await settled();
      deadlines.delete(one);
      deadlines.delete(next);
      deadlines.add(due("hangs", [], time));
    }
    deadlines.add(due("last", over, time));
    await pass(time, 300);

    assertEquals(over, ["last after 110"]);
  });
});

for (const step of [-86_400_000, -70, 70, 86_400_000]) {
  Deno.test(`12: a clock that jumps by ${step} ms moves no deadline`, async () => {
    using time = new FakeTime(1_000_000_000);
    const deadlines = new Deadlines(100);
    const over: string[] = [];
    const { Date } = globalThis;
    let jumpedMs = 0;
    globalThis.Date = class extends Date {
      static override now = () => Date.now() + jumpedMs;
    } as DateConstructor;
    try {
      deadlines.add(due("a", over, time));
      time.tick(80);
      await settled();
      jumpedMs = step;
      deadlines.add(due("b", over, time));
      time.tick(15);
      await settled();
      deadlines.add(due("c", over, time));
      await pass(time, 300);
    } finally {
      globalThis.Date = Date;
    }

    assertEquals(over, ["a after 100", "b after 100", "c after 100"]);
    assertEquals(time.next(), false);
  });
}

Deno.test("35: a deadline leaves the last two milliseconds to what is already there", async () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  const read = due("a", over, time);
  deadlines.add(read);
  deadlines.add(due("b", over, time));

  time.tick(98);
  setTimeout(() => deadlines.delete(read), 0);
  await pass(time, 300);

  assertEquals(over, ["b after 100"]);
});

Deno.test("35: timers that fire late leave a turn as well", async () => {
  await withLateTimers(500, async (time) => {
    const deadlines = new Deadlines(100);
    const over: string[] = [];
    const read = due("a", over, time);
    deadlines.add(read);
    const { setTimeout } = globalThis;

    time.tick(598);
    setTimeout(() => deadlines.delete(read), -500);
    await pass(time, 300);

    assertEquals(over, []);
  });
});

for (const first of ["inner", "outer"]) {
  Deno.test(`35: of two calls due at one instant, the inner one's caller goes on first (${first} timer first)`, async () => {
    using time = new FakeTime();
    const outer = new Deadlines(100);
    const inner = new Deadlines(100);
    const over: string[] = [];
    const outerCall = due("outer", over, time);
    const outerOrder = nextOrder();
    const addOuter = () => outer.add(outerCall, outerOrder);
    const addInner = () =>
      inner.add(due("inner", over, time, async () => {
        for (let turn = 0; turn < 40; turn++) await undefined;
        outer.delete(outerCall);
      }));

    for (const add of first === "outer" ? [addOuter, addInner] : [addInner, addOuter]) add();
    time.tick(100);
    await settled(300);

    assertEquals(over, ["inner after 100"]);
  });
}

Deno.test("35: an outer call waits for an inner one that is due a millisecond later", async () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  const outer = due("outer", over, time);
  deadlines.add(outer);
  time.tick(1);
  deadlines.add(due("inner", over, time, () => deadlines.delete(outer)));

  for (let ms = 0; ms < 10; ms++) {
    time.tick(ms === 0 ? 99 : 1);
    await settled(300);
  }

  assertEquals(over, ["inner after 100"]);
});

Deno.test("35: a call waits for no younger one that is due much later, or that has ended", async () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  deadlines.add(due("a", over, time));
  time.tick(1);
  const ended = due("b", over, time);
  deadlines.add(ended);
  time.tick(98);
  deadlines.add(due("c", over, time));
  deadlines.delete(ended);

  time.tick(1);
  await settled(300);

  assertEquals(over, ["a after 100"]);
});

Deno.test("12: two clocks that tests install at one instant share no timer", async () => {
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  const start = Date.now();
  {
    using time = new FakeTime(start);
    deadlines.add(due("of the first", over, time));
  }

  using time = new FakeTime(start);
  deadlines.add(due("of the second", over, time));
  time.tick(100);
  await settled();

  assertEquals(over, ["of the second after 100"]);
});

Deno.test("12: a clock that stands still makes no two calls one", async () => {
  const deadlines = new Deadlines(120);
  const { now } = Date;
  const frozen = now();
  const tookMs = (): Promise<number> => {
    const start = performance.now();
    return new Promise((resolve) => {
      deadlines.add({ deadline: undefined, timeOut: () => resolve(performance.now() - start) });
    });
  };
  Date.now = () => frozen;
  try {
    const first = tookMs();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const both = await Promise.all([first, tookMs()]);

    // Timers are a millisecond off on some runtimes.
    for (const ms of both) assert(ms > 118, `${ms} ms`);
  } finally {
    Date.now = now;
  }
});
