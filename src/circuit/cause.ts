import { CircuitOpenError } from "../errors.ts";
import type { Cause, IgnoredReason } from "../observe/events.ts";
import type { CallPermit } from "./permit.ts";
import { type Judge, type Verdict, verdictOf } from "./verdict.ts";

/** How a call that gave no result counts, by what ended it. */
interface Blame {
  /** "failure" if the upstream is to blame. */
  readonly verdict: Verdict;
  /** True if `judge` may decide otherwise. */
  readonly isJudged?: boolean;
  /** Why the call does not count. */
  readonly why?: IgnoredReason;
}

/** The one table that says who is to blame (promise 31). */
const BLAME: Readonly<Record<Cause, Blame>> = {
  upstream: { verdict: "failure", isJudged: true },
  timeout: { verdict: "failure" },
  deadline: { verdict: "failure", isJudged: true },
  abort: { verdict: "ignored", why: "aborted" },
  upload: { verdict: "ignored", why: "upload" },
  arguments: { verdict: "ignored", why: "arguments" },
  inner: { verdict: "ignored", why: "inner" },
  ours: { verdict: "ignored", why: "ours" },
};

/** Ends a call that was rejected with `error`. */
export function endRejected<T>(
  permit: CallPermit,
  cause: Cause,
  error: unknown,
  judge: Judge<T> | undefined,
  onJudgeError: (error: unknown) => void,
): void {
  const { verdict, isJudged, why } = BLAME[cause];
  const decided = isJudged
    ? verdictOf(judge, { status: "rejected", reason: error }, verdict, onJudgeError)
    : verdict;
  permit.end(decided, { detail: { error }, cause, why });
}

/** Says what ended a call that was rejected by itself, neither by our timeout nor by its caller. */
export function causeOfError(error: unknown): Cause {
  return CircuitOpenError.in(error) === undefined ? "upstream" : "inner";
}
