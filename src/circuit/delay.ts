import {
  check,
  checkOptions,
  duration,
  factor,
  fraction,
  invalidOption,
  outOfRange,
  positiveDuration,
} from "../validation.ts";

/**
 * Decides how long a circuit stays open, in ms.
 *
 * @param reopenings How many times the circuit has opened again since it was last closed: 0 at
 * first, 1 after the first failed probe.
 * @param random Returns a number from 0 to 1.
 */
export type DelayPolicy = (reopenings: number, random: () => number) => number;

/** How long a circuit stays open if it has no delay of its own, in ms. */
export const DEFAULT_DELAY_MS = 60_000;

/** Options of {@link backoff}. */
export interface BackoffOptions {
  /** The first delay, in ms. */
  readonly baseMs: number;
  /** The longest delay, in ms, jitter included. */
  readonly maxMs: number;
  /**
   * How many times as long each delay is as the one before; at least 1.
   * @default {2}
   */
  readonly factor?: number | undefined;
  /**
   * How far each delay is spread at random to either side, as a share of it from 0 to 1, so that
   * many instances do not all probe at the same moment.
   * @default {0.2}
   */
  readonly jitter?: number | undefined;
}

const BACKOFF_OPTIONS = new Set<keyof BackoffOptions>(["baseMs", "maxMs", "factor", "jitter"]);

/**
 * Makes a delay that grows each time a probe fails, up to a limit. An upstream that stays down for
 * long is then probed less and less often.
 *
 * @throws {TypeError} If `baseMs` or `maxMs` is missing.
 * @throws {RangeError} If a number is out of range, or `maxMs` is less than `baseMs`.
 *
 * @example One second, two, four … up to a minute
 * ```ts
 * import { backoff } from "@lastgood/breaker";
 * import { assertEquals } from "@std/assert";
 *
 * const delay = backoff({ baseMs: 1_000, maxMs: 60_000, jitter: 0 });
 *
 * assertEquals(delay(0, Math.random), 1_000);
 * assertEquals(delay(1, Math.random), 2_000);
 * assertEquals(delay(9, Math.random), 60_000);
 * ```
 */
export function backoff(options: BackoffOptions): DelayPolicy {
  const purpose = "make a backoff";
  const { baseMs, maxMs, factor: growth = 2, jitter = 0.2 } = checkOptions(
    purpose,
    options,
    BACKOFF_OPTIONS,
  );
  check(purpose, "baseMs", baseMs, positiveDuration);
  check(purpose, "maxMs", maxMs, positiveDuration);
  if (maxMs < baseMs) throw outOfRange(purpose, "maxMs", `at least "baseMs" (${baseMs})`, maxMs);
  check(purpose, "factor", growth, factor);
  check(purpose, "jitter", jitter, fraction);
  return (reopenings, random) => {
    const delayMs = Math.min(maxMs, baseMs * growth ** reopenings);
    return Math.min(maxMs, delayMs * (1 + jitter * (random() * 2 - 1)));
  };
}

/**
 * Returns the delay for this opening: `delay` itself, or what the policy gives; the default delay if
 * the policy throws or returns nonsense.
 *
 * @param onError Gets what went wrong.
 */
export function delayFrom(
  delay: number | DelayPolicy,
  reopenings: number,
  random: () => number,
  onError: (error: unknown) => void,
): number {
  if (typeof delay === "number") return delay;
  try {
    const delayMs = delay(reopenings, random);
    if (duration.accepts(delayMs)) return delayMs;
    onError(
      invalidOption("open for as long as the policy says", "delayMs", duration.mustBe, delayMs),
    );
  } catch (error) {
    onError(error);
  }
  return DEFAULT_DELAY_MS;
}
