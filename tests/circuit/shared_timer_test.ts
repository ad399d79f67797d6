/** Deadlines of calls that begin in one millisecond, in real time: only there they share a timer. */
import { Deadlines, type TimedCall } from "../../src/circuit/deadlines.ts";
import { assertEquals } from "@std/assert";

/** Adds calls that record when they time out, and resolves when all that are left have done so. */
function begun(deadlines: Deadlines, count: number, over: number[]): TimedCall[] {
  return Array.from({ length: count }, (_, index) => {
    const call: TimedCall = { deadline: undefined, timeOut: () => over.push(index) };
    deadlines.add(call);
    return call;
  });
}

/** Waits until a deadline that begins now has passed, and a few turns for those that waited for it. */
function passed(deadlines: Deadlines): Promise<void> {
  return new Promise((resolve) => {
    deadlines.add({ deadline: undefined, timeOut: () => setTimeout(resolve, 20) });
  });
}

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}

for (const done of [[], [0], [2], [4], [1, 2], [3, 2], [0, 4], [4, 3], [0, 1, 3, 4], [2, 0, 4]]) {
  Deno.test(`11: of calls that share a timer, those that end in time leave the others alone (${done})`, async () => {
    const deadlines = new Deadlines(30);
    const over: number[] = [];
    const calls = begun(deadlines, 5, over);

    for (const index of [...done, ...done]) deadlines.delete(calls[index]!);
    await passed(deadlines);

    assertEquals(sorted(over), [0, 1, 2, 3, 4].filter((index) => !done.includes(index)));
  });
}

Deno.test("11: calls that share a timer begin anew after all before them have ended", async () => {
  const deadlines = new Deadlines(30);
  const over: number[] = [];
  const first = begun(deadlines, 3, over);
  for (const call of first) deadlines.delete(call);

  begun(deadlines, 2, over);
  for (const call of first) deadlines.delete(call);
  await passed(deadlines);

  assertEquals(sorted(over), [0, 1]);
});

for (const ended of [[0], [1], [3], [4], [1, 3], [3, 1], [4, 3], [0, 1, 3, 4], [4, 3, 1, 0]]) {
  Deno.test(`11: calls that end while others of their timer pass leave the rest alone (${ended})`, async () => {
    const deadlines = new Deadlines(30);
    const over: number[] = [];
    const calls = begun(deadlines, 5, over);
    calls[2]!.timeOut = () => {
      over.push(2);
      for (const index of [2, ...ended]) deadlines.delete(calls[index]!);
    };

    await passed(deadlines);

    const rest = [0, 1, 3, 4].filter((index) => !ended.includes(index));
    assertEquals(over.filter((index) => index === 2), [2]);
    for (const index of rest) assertEquals(over.filter((one) => one === index), [index]);
    assertEquals(new Set(over).size, over.length);
  });
}

Deno.test("11: a call made while its timer passes has the whole of its time", async () => {
  const deadlines = new Deadlines(40);
  let beganAt = 0;

  const tookMs = await new Promise<number>((resolve) => {
    const again: TimedCall = {
      deadline: undefined,
      timeOut: () => resolve(performance.now() - beganAt),
    };
    begun(deadlines, 2, []);
    deadlines.add({
      deadline: undefined,
      timeOut() {
        beganAt = performance.now();
        deadlines.add(again);
      },
    });
  });

  // Timers are a millisecond off on some runtimes.
  assertEquals(tookMs > 38, true, `${tookMs} ms`);
});

Deno.test("35: thousands of calls whose time is over together end once each", async () => {
  const deadlines = new Deadlines(30);
  const over: number[] = [];
  const calls = begun(deadlines, 3_000, over);
  for (const call of calls.slice(0, 1_000)) deadlines.delete(call);

  await passed(deadlines);
  await passed(deadlines);

  assertEquals([over.length, new Set(over).size, Math.min(...over)], [2_000, 2_000, 1_000]);
});

for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]]) {
  Deno.test(`11: a shared timer stops with the last of its calls (${order})`, () => {
    const deadlines = new Deadlines(60_000);
    const calls = begun(deadlines, 3, []);
    const { clearTimeout } = globalThis;
    let cleared = 0;
    globalThis.clearTimeout = (id) => {
      cleared++;
      clearTimeout(id);
    };

    try {
      for (const index of order) deadlines.delete(calls[index]!);
    } finally {
      globalThis.clearTimeout = clearTimeout;
    }

    // One for all if they began in one millisecond; on Workers each has its own.
    assertEquals(cleared > 0, true);
  });
}
