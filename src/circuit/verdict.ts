import { invalidOption } from "../validation.ts";

/** How a call counts: for the upstream, against it, or not at all. */
export type Verdict = "success" | "failure" | "ignored";

/**
 * Decides how a call counts by what came of it. Undefined leaves it to the default: a rejection is
 * a failure; of responses, statuses from 500 on but 501 are failures, 408, 425 and 429 are ignored.
 * It is not asked about the caller's own abort (ignored) nor about our own timeout (a failure).
 */
export type Judge<T> = (outcome: PromiseSettledResult<T>) => Verdict | undefined;

/** Whether `value` is a verdict. */
export function isVerdict(value: unknown): value is Verdict {
  return value === "success" || value === "failure" || value === "ignored";
}

/**
 * The judge's verdict or, where there is none, it throws or it gives nonsense, `usual`.
 *
 * @param onError Hears what went wrong.
 */
export function verdictOf<T>(
  judge: Judge<T> | undefined,
  outcome: PromiseSettledResult<T>,
  usual: Verdict,
  onError: (error: unknown) => void,
): Verdict {
  if (judge === undefined) return usual;
  try {
    const verdict: unknown = judge(outcome);
    if (isVerdict(verdict)) return verdict;
    if (verdict !== undefined) onError(invalidOption("judge a call", "judge", A_VERDICT, verdict));
  } catch (error) {
    onError(error);
  }
  return usual;
}

/** The rule for a verdict, in words. */
export const A_VERDICT = '"success", "failure", "ignored" or undefined';
