import type { ErrorListener } from "../observe/events.ts";
import { primaryKey } from "./keying.ts";
import { fetchHead, type RequestHead } from "./request_head.ts";
import type { Store } from "./store.ts";

/** The circumstances of a removal. */
export interface Invalidation {
  /** Its place in the order of all requests: responses to earlier ones are no longer kept. */
  readonly order: number;
  readonly errors: ErrorListener;
}

/**
 * Removes what an unsafe request may have changed: all variants of its URL, and of the URLs on the
 * same origin that its response names (RFC 9111 §4.4, S19).
 *
 * @param response Its response; undefined if there was none, but it may have had an effect.
 */
export function invalidate(
  store: Store,
  request: RequestHead,
  response: Response | undefined,
  by: Invalidation,
): void {
  removeAll(store, request, by);
  for (const name of ["location", "content-location"]) {
    const url = resolved(response?.headers.get(name), request.url);
    if (url?.origin === request.origin) removeAll(store, fetchHead(url, undefined), by);
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
  const primary = request === undefined ? undefined : primaryKey(settings, request, by.errors);
  if (request !== undefined && primary === undefined) return;
  if (isSoft) memory.outdate(primary, by.order);
  else if (primary === undefined) memory.clear(by.order);
  else memory.removeAll(primary, by.order);
}

function removeAll(
  { settings, memory }: Store,
  request: RequestHead,
  { order, errors }: Invalidation,
): void {
  const primary = primaryKey(settings, request, errors);
  if (primary !== undefined) memory.removeAll(primary, order);
}

function resolved(reference: string | null | undefined, base: string): URL | undefined {
  if (typeof reference !== "string") return undefined;
  try {
    return new URL(reference, base);
  } catch {
    return undefined;
  }
}
