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
 * How long a circuit stays open, in ms.
 *
 * @param reopenings How often it has opened again since it was last closed: 0 at first.
 * @param random Gives a number from 0 to 1.
 */
export type DelayPolicy = (reopenings: number, random: () => number) => number;

/** How long a circuit stays open if nothing else is said, in ms. */
export const DEFAULT_DELAY_MS = 60_000;

/** Options of {@link backoff}. */
export interface BackoffOptions {
  /** The first delay, in ms. */
  readonly baseMs: number;
  /** The longest delay, in ms, jitter included. */
  readonly maxMs: number;
  /**
   * Each delay is so many times the one before, at least 1.
   * @default {2}
   */
  readonly factor?: number;
  /**
   * Spreads each delay by up to this share of it to either side, from 0 to 1, so that many
   * instances do not come back at once.
   * @default {0.2}
   */
  readonly jitter?: number;
}

/**
 * A delay that grows each time a probe fails, up to a limit.
 *
 * @throws {TypeError} If `baseMs` or `maxMs` is missing.
 * @throws {RangeError} If a number is out of range.
 *
 * @example One second, two, four … a minute at most
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
  const { baseMs, maxMs, factor: growth = 2, jitter = 0.2 } = checkOptions(purpose, options);
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
 * The delay that a policy gives, or, where it throws or gives nonsense, the default one.
 *
 * @param onError Hears what went wrong.
 */
export function delayFrom(
  policy: DelayPolicy,
  reopenings: number,
  random: () => number,
  onError: (error: unknown) => void,
): number {
  try {
    const delayMs = policy(reopenings, random);
    if (duration.accepts(delayMs)) return delayMs;
    onError(
      invalidOption("open for as long as the policy says", "delayMs", duration.mustBe, delayMs),
    );
  } catch (error) {
    onError(error);
  }
  return DEFAULT_DELAY_MS;
}
