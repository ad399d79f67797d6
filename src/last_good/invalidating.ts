import type { RemovalListener, RemovedReason } from "../observe/events.ts";
import { doubtReason, primaryKey } from "./keying.ts";
import { fetchHead, type RequestHead } from "./request_head.ts";
import type { Store } from "./store.ts";

/** The circumstances of a removal. */
export interface Invalidation {
  /** Its place in the order of all requests: responses to earlier ones are no longer kept. */
  readonly order: number;
  readonly listener: RemovalListener;
}

/**
 * Removes what an unsafe request has changed: all variants of its URL, and of the URLs on the same
 * origin that its response names (RFC 9111 §4.4, S19).
 */
export function invalidate(
  store: Store,
  request: RequestHead,
  { headers }: Response,
  by: Invalidation,
): void {
  // It may have changed another page than the one in its URL (K1).
  if (doubtReason(request, store.settings) !== undefined) return;
  removeAll(store, request, "method", by);
  for (const name of ["location", "content-location"]) {
    // A mock may have anything for fields.
    const url = resolved(headers?.get?.(name), request.url);
    if (url?.origin === request.origin) removeAll(store, fetchHead(url, undefined), "method", by);
  }
}

/** Forgets every variant kept for the URL of a request, or everything; softly, `freshMs` alone does. */
export function forget(
  store: Store,
  request: RequestHead | undefined,
  by: Invalidation,
  isSoft: boolean,
): void {
  const { settings, memory } = store;
  const { order, listener } = by;
  if (isSoft) {
    const primary = request && primaryKey(settings, request, listener);
    if (request === undefined || primary !== undefined) memory.outdate(primary, order);
  } else if (request !== undefined) removeAll(store, request, "forgotten", by);
  else if (memory.clear(order) > 0) listener.reportRemoved("", "forgotten");
}

function removeAll(
  { settings, memory }: Store,
  request: RequestHead,
  why: RemovedReason,
  { order, listener }: Invalidation,
): void {
  const primary = primaryKey(settings, request, listener);
  if (primary === undefined) return;
  if (memory.removeAll(primary, order) > 0) listener.reportRemoved(request.url, why);
}

function resolved(reference: string | null | undefined, base: string): URL | undefined {
  if (typeof reference !== "string") return undefined;
  try {
    return new URL(reference, base);
  } catch {
    return undefined;
  }
}
