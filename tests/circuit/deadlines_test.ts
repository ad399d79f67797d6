import { Deadlines, type TimedCall } from "../../src/circuit/deadlines.ts";
import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";

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

/** Runs `test` with every timer `lateMs` late. */
function withLateTimers(lateMs: number, test: (time: FakeTime) => void): void {
  using time = new FakeTime();
  const { setTimeout } = globalThis;
  globalThis.setTimeout =
    ((callback: () => void, ms: number) => setTimeout(callback, ms + lateMs)) as typeof setTimeout;
  try {
    test(time);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

Deno.test("11: each deadline passes on time, although one timer serves them all", () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];

  for (const name of ["a", "b", "c", "d"]) {
    deadlines.add(due(name, over, time));
    time.tick(30);
  }
  time.tick(1_000);

  assertEquals(over, ["a after 100", "b after 100", "c after 100", "d after 100"]);
  assertEquals(time.next(), false);
});

Deno.test("11: deadlines set at the same moment pass together", () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  for (const name of ["a", "b", "c"]) deadlines.add(due(name, over, time));

  time.tick(99);
  assertEquals(over, []);
  time.tick(1);

  assertEquals(over, ["a after 100", "b after 100", "c after 100"]);
});

Deno.test("11: a call that ends in time leaves the other deadlines unchanged", () => {
  for (const done of [[0], [1], [2], [0, 1], [0, 2], [1, 2], [2, 1, 0]]) {
    using time = new FakeTime();
    const deadlines = new Deadlines(100);
    const over: string[] = [];
    const all = ["a", "b", "c"].map((name) => {
      const one = due(name, over, time);
      deadlines.add(one);
      time.tick(10);
      return one;
    });

    for (const index of [...done, ...done]) deadlines.delete(all[index]!);
    time.tick(1_000);

    const left = ["a", "b", "c"].filter((_, index) => !done.includes(index));
    assertEquals(over, left.map((name) => `${name} after 100`));
    assertEquals(time.next(), false);
  }
});

Deno.test("11: a call made while another one times out delays no other deadline", () => {
  using time = new FakeTime();
  const deadlines = new Deadlines(100);
  const over: string[] = [];
  deadlines.add(due("a", over, time, () => deadlines.add(due("retry", over, time))));
  time.tick(50);
  deadlines.add(due("b", over, time));

  time.tick(1_000);

  assertEquals(over, ["a after 100", "b after 100", "retry after 100"]);
  assertEquals(time.next(), false);
});

Deno.test("11: late timers do not add up while some call is always running", () => {
  withLateTimers(5, (time) => {
    const deadlines = new Deadlines(100);
    const over: string[] = [];

    for (let call = 0; call < 100; call++) {
      const one = due("done", over, time);
      deadlines.add(one);
      time.tick(40);
      const next = due("done", over, time);
      deadlines.add(next);
      time.tick(40);
      deadlines.delete(one);
      deadlines.delete(next);
      deadlines.add(due("hangs", [], time));
    }
    deadlines.add(due("last", over, time));
    time.tick(1_000);

    assertEquals(over, ["last after 105"]);
  });
});

for (const step of [-86_400_000, -70, 70, 86_400_000]) {
  Deno.test(`12: a clock that jumps by ${step} ms moves no deadline`, () => {
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
      jumpedMs = step;
      deadlines.add(due("b", over, time));
      time.tick(15);
      deadlines.add(due("c", over, time));
      time.tick(1_000);
    } finally {
      globalThis.Date = Date;
    }

    assertEquals(over, ["a after 100", "b after 100", "c after 100"]);
    assertEquals(time.next(), false);
  });
}
