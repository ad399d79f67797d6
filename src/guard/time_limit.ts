import type { Deadlines, TimedCall } from "../circuit/deadlines.ts";

/**
 * Waits for what a callback of the app promises, but no longer than a call may take: one that hangs
 * is given up (promise 9).
 *
 * @param deadlines The limit of calls; undefined if there is none.
 * @param onLate Gets what comes after that.
 */
export function withinLimit<T>(
  work: Promise<T>,
  deadlines: Deadlines | undefined,
  onLate?: (value: T) => void,
): Promise<T> {
  if (deadlines === undefined) return work;
  return new Promise((resolve, reject) => {
    let isLate = false;
    const waiting: TimedCall = {
      deadline: undefined,
      timeOut() {
        isLate = true;
        reject(new DOMException(`It took longer than ${deadlines.ms} ms`, "TimeoutError"));
      },
    };
    deadlines.add(waiting);
    // Heard from the start: a listener added by the timer would run in another call's async context.
    work.then((value) => isLate ? onLate?.(value) : resolve(value), reject)
      .finally(() => deadlines.delete(waiting));
  });
}

/**
 * Reports whether `work`, which never rejects, ends in time. Without any time, nothing is waited for.
 *
 * @param deadlines How long it may take.
 */
export function endsWithin(work: Promise<unknown>, deadlines: Deadlines): Promise<boolean> {
  return new Promise((resolve) => {
    if (deadlines.ms === 0) return resolve(false);
    const waiting: TimedCall = { deadline: undefined, timeOut: () => resolve(false) };
    deadlines.add(waiting);
    work.then(() => {
      deadlines.delete(waiting);
      resolve(true);
    });
  });
}
