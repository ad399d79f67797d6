import { asFetched } from "./fetched.ts";
import { dropRuled } from "./kept_fields.ts";
import type { RequestHead } from "./request_head.ts";
import { ageMs } from "./rules/freshness.ts";
import { isUnmodified } from "./rules/servable.ts";
import type { StoredHead, StoredResponse } from "./stored_response.ts";
import { asTyped } from "./typed_body.ts";

/**
 * Makes a response from a kept one. Each has its own body and fields, so what an app does to one does
 * not show in the next.
 *
 * @param cacheStatus This cache's Cache-Status; undefined adds none.
 * @param dropped The names of the fields that the owner wants dropped, in lower case.
 */
export function servedResponse(
  stored: StoredResponse,
  request: RequestHead,
  now: number,
  cacheStatus: string | undefined,
  dropped: ReadonlySet<string>,
): Response {
  const { body, head } = stored;
  const age = String(Math.floor(ageMs(stored, now) / 1_000));
  if (head.status === 200 && isUnmodified(request.headers, head)) {
    return notModified(head, age, cacheStatus, dropped);
  }
  // A plain record, not Headers: on Node it goes to the socket as it is.
  const headers: Record<string, string> = { ...head.fields, age };
  dropRuled(headers, dropped);
  addCacheStatus(headers, head, cacheStatus);
  // These statuses have no content: RFC 9110 §15.3.5 and §15.3.6.
  const isEmpty = head.status === 204 || head.status === 205;
  if (!isEmpty) headers["content-length"] = String(body.length);
  const hasBody = !isEmpty && request.method !== "HEAD";
  const hasType = headers["content-type"] !== undefined;
  const init: ResponseInit & { encodeBody?: "manual" } = {
    status: head.status,
    statusText: head.statusText,
    headers,
  };
  // What is kept under a coding is coded already; Workers would do it again.
  if (headers["content-encoding"] !== undefined) init.encodeBody = "manual";
  return asFetched(new Response(hasBody ? asTyped(body, head, hasType) : null, init), head);
}

/** The kept fields that a 304 must repeat: RFC 9110 §15.4.5 (F5). */
const IN_304 = ["cache-control", "content-location", "date", "etag", "expires", "vary"];

function notModified(
  head: StoredHead,
  age: string,
  cacheStatus: string | undefined,
  dropped: ReadonlySet<string>,
): Response {
  const headers: Record<string, string> = { age };
  addCacheStatus(headers, head, cacheStatus);
  for (const name of IN_304) {
    const value = head.fields[name];
    if (value !== undefined) headers[name] = value;
  }
  dropRuled(headers, dropped);
  return asFetched(new Response(null, { status: 304, headers }), head);
}

/** The cache closest to the user comes last: RFC 9211 §2. */
function addCacheStatus(
  headers: Record<string, string>,
  { fields }: StoredHead,
  cacheStatus: string | undefined,
): void {
  if (cacheStatus === undefined) return;
  const upstream = fields["cache-status"];
  headers["cache-status"] = upstream ? `${upstream}, ${cacheStatus}` : cacheStatus;
}
