/** What becomes of the copy that a later response is about. */

import type { Candidate, KeepResult } from "./candidate.ts";
import { requestKind } from "./request_kind.ts";
import { foreignReason, type KeepRefusal } from "./rules/storable.ts";
import type { Store } from "./store.ts";
import type { StoredResponse } from "./stored_response.ts";

/** Returns the copy that a response may replace: one that was asked for later stays (S18). */
export function olderCopy({ memory }: Store, candidate: Candidate): StoredResponse | undefined {
  const found = memory.find(candidate.key, candidate.request.headers);
  return found !== undefined && found.head.order <= candidate.timing.order ? found : undefined;
}

/** Does to the older copy what a refused response says about it (S17), and says why it is refused. */
export function refuse(
  { memory }: Store,
  { request, key, response, timing, errors }: Candidate,
  { why, old }: KeepRefusal,
  current: StoredResponse | undefined,
): KeepResult {
  if (old === "stays") return { why };
  // The answer of another URL removes nothing here (S14).
  const foreign = foreignReason(response);
  if (foreign !== undefined) return { why: foreign };
  // Nor does an answer to another kind of request (S17).
  const kind = requestKind(request.headers);
  const isSameKind = current?.kind === kind;
  if (old === "goes" || (isSameKind && current.isDoubted)) {
    const removed = memory.remove(key, request.headers, timing.order, kind);
    if (removed > 0) errors.reportRemoved(request.url, why);
  } else if (isSameKind) {
    memory.replace(key, current, { ...current, isDoubted: true });
  }
  return { why };
}

/** Takes back the doubt about a copy after a good answer to the same kind of request (S17). */
export function clearDoubt(
  { memory }: Store,
  { request, key, response }: Candidate,
  current: StoredResponse,
): undefined {
  if (!current.isDoubted || current.kind !== requestKind(request.headers)) return;
  if (foreignReason(response) !== undefined) return;
  memory.replace(key, current, { ...current, isDoubted: false });
}
