import { invalidOption } from "../validation.ts";
import type { Candidate } from "./candidate.ts";
import { asFetched } from "./fetched.ts";
import type { LastGoodSettings } from "./options.ts";
import type { StoredBody } from "./stored_response.ts";

/**
 * Asks the option `keep` about a response whose whole body is known. If it throws or returns nonsense,
 * the response is kept (promise 9).
 *
 * @param body The body; the option gets bytes of its own, which it may change.
 */
export function isVetoed(
  { keep }: Pick<LastGoodSettings, "keep">,
  { request, response, errors }: Pick<Candidate, "request" | "response" | "errors">,
  body: StoredBody,
): boolean {
  if (keep === undefined) return false;
  try {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body.slice();
    const isKept: unknown = keep(request.toRequest(), withoutBody(response), bytes);
    if (typeof isKept === "boolean") return !isKept;
    // A promise that rejects would end the process.
    Promise.resolve(isKept).catch(() => {});
    throw invalidOption("keep a response", "lastGood.keep", "true or false", isKept);
  } catch (error) {
    errors.reportError("keep", error);
    return false;
  }
}

/** Copies the head of a response. */
export function withoutBody(response: Response): Response {
  // A mock may have no URL and no type.
  const { status, statusText, headers, url = "", type = "default" } = response;
  return asFetched(new Response(null, { status, statusText, headers }), { url, type });
}
