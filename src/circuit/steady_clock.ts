import { invalidOption } from "../validation.ts";
import { isTime } from "./saved_numbers.ts";

/**
 * Makes a clock of one that may give nonsense or throw: its last good reading counts then, or the
 * wall clock if there is none. A single NaN would lock a circuit for good (promise 9).
 *
 * @param onError Gets what went wrong, once until there is a good reading again: it may read the
 * clock itself.
 */
export function steadyClock(
  now: () => number,
  onError: (error: unknown) => void,
): () => number {
  let latest: number | undefined;
  let isBad = false;
  return () => {
    let error: unknown;
    try {
      const at: unknown = now();
      if (isTime(at)) {
        isBad = false;
        return latest = at;
      }
      error = invalidOption("tell the time", "now", "a function that gives the time in ms", at);
    } catch (thrown) {
      error = thrown;
    }
    if (!isBad) {
      isBad = true;
      onError(error);
    }
    return latest ?? Date.now();
  };
}
