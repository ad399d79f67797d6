import type { End } from "../circuit/permit.ts";
import { type Judge, type Verdict, verdictOf } from "../circuit/verdict.ts";
import { parseRetryAfter } from "../http/dates.ts";
import type { RequestContext } from "./request_context.ts";

/** Decides how a call counts that was answered. */
export function blameForResponse(
  context: RequestContext,
  response: Response,
  status: number,
): Verdict {
  const ownVerdict = isAboutOptions(context, response, status)
    ? "ignored"
    : verdictOn(response, status);
  const judge = judgeFor(context);
  if (judge === undefined) return ownVerdict;
  const outcome = { status: "fulfilled", value: response } as const;
  return verdictOf(judge, outcome, ownVerdict, (error) => {
    context.reportError("judge", error);
  });
}

/** Returns the judge, which gets the request, too, unless it declares a parameter for the outcome alone. */
export function judgeFor(
  { settings: { judge }, request }: RequestContext,
): Judge<Response> | undefined {
  return judge === undefined || judge.length === 1
    ? judge
    : (outcome) => judge(outcome, request.toRequest());
}

/**
 * Any 5xx except 501 is a failure, and so is an error response. 408, 425 and 429 say nothing about
 * the upstream's health. Everything else is a success: the upstream is there and answers (F1).
 */
function verdictOn(response: Response, status: number): Verdict {
  if (status >= 500 && status !== 501) return "failure";
  if (status === 0 && response.type === "error") return "failure";
  return status === 408 || status === 425 || status === 429 ? "ignored" : "success";
}

/** Reports whether a middleware may have answered without the upstream, as for CORS (promise 30). */
function isAboutOptions(
  { byFetch, request }: RequestContext,
  response: Response,
  status: number,
): boolean {
  return !byFetch && request.method === "OPTIONS" && verdictOn(response, status) === "success";
}

/** The end of a call whose answer was no success: its status, and the delay it asks for (promise 26). */
export function endOf(context: RequestContext, response: Response): End {
  const { onRetryAfter, maxDelayMs, now } = context.settings;
  const { status, headers } = response;
  const detail = { status };
  if (isAboutOptions(context, response, status)) return { detail, why: "method" };
  const asked = parseRetryAfter(headers?.get?.("retry-after") ?? null, now());
  if (asked === undefined) return { detail };
  const retryAfterMs = Math.min(asked, maxDelayMs);
  return onRetryAfter === "open" && (status === 429 || status === 503)
    ? { detail, retryAfterMs, opens: `the upstream answered ${status} with Retry-After` }
    : { detail, retryAfterMs };
}
