import { invalidOption } from "../validation.ts";

/** How a call counts: for the upstream, against it, or not at all. */
export type Verdict = "success" | "failure" | "ignored";

/**
 * Decides how a call counts. Return undefined to leave it to the default verdict: a rejection is a
 * failure; of responses, any 5xx except 501 is a failure, and 408, 425 and 429 are ignored.
 *
 * It is not called for our own timeout, which is always a failure, nor for what the upstream is not
 * to blame for, which is always ignored: the caller's own abort, an upload that breaks, arguments that
 * `fetch` refuses, and the refusal of another circuit.
 */
export type Judge<T> = (outcome: PromiseSettledResult<T>) => Verdict | undefined;

/** What a judge may return, for errors: completes "must be …". */
export const A_VERDICT = '"success", "failure", "ignored" or undefined';

/** Reports whether `value` is a verdict. */
export function isVerdict(value: unknown): value is Verdict {
  return value === "success" || value === "failure" || value === "ignored";
}

/**
 * Returns the judge's verdict, or `defaultVerdict` if there is no judge, or it throws or returns
 * nonsense.
 *
 * @param onError Gets what went wrong.
 */
export function verdictOf<T>(
  judge: Judge<T> | undefined,
  outcome: PromiseSettledResult<T>,
  defaultVerdict: Verdict,
  onError: (error: unknown) => void,
): Verdict {
  if (judge === undefined) return defaultVerdict;
  try {
    const verdict: unknown = judge(outcome);
    if (isVerdict(verdict)) return verdict;
    if (verdict !== undefined) onError(invalidOption("judge a call", "judge", A_VERDICT, verdict));
  } catch (error) {
    onError(error);
  }
  return defaultVerdict;
}
