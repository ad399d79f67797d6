import { parseDate, parseSeconds } from "../../http/dates.ts";
import { type Fields, forbiddingWords, mediaType, parseCacheControl } from "../../http/fields.ts";
import type { NotKeptReason, RemovedReason } from "../../observe/events.ts";
import { credentialsRefusal, isLiftedForOwner } from "./credentials.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Why a response may not be kept, and what becomes of the older copy (S17): it stays; it is doubted,
 * so that it goes if the next answer agrees; or it goes at once.
 */
export type KeepRefusal =
  | { readonly why: NotKeptReason; readonly old: "stays" }
  | { readonly why: NotKeptReason & RemovedReason; readonly old: "doubted" | "goes" };

function keepOld(why: NotKeptReason): KeepRefusal {
  return { why, old: "stays" };
}

function doubtOld(why: NotKeptReason & RemovedReason): KeepRefusal {
  return { why, old: "doubted" };
}

function dropOld(why: NotKeptReason & RemovedReason): KeepRefusal {
  return { why, old: "goes" };
}

/** Says why a response may not be kept, judging by all fields; returns undefined if it may. */
export function keepRefusal(exchange: Exchange): KeepRefusal | undefined {
  const why = requestRefusal(exchange);
  // A client cannot evict what all others rely on: refusals by the request keep the old copy (S17).
  if (why !== undefined) return keepOld(why);
  const refusal = responseRefusal(exchange);
  const whose = credentialsRefusal(exchange);
  // Whoever asks, a page that is gone or may no longer be kept is so for the copy of their own kind (S17).
  if (whose !== undefined && (refusal === undefined || refusal.old === "stays")) {
    return keepOld(whose);
  }
  return refusal ?? (isModeNoStore(exchange) ? keepOld("request-no-store") : undefined);
}

// ---- The request ----

function requestRefusal(exchange: Exchange): NotKeptReason | undefined {
  const { request, requestDirectives, policy } = exchange;
  const { method, hasBody, headers } = request;
  // A response to HEAD has no body to keep: RFC 9111 §3 (S1).
  if (method !== "GET") return "method";
  // It asks for another protocol: RFC 9110 §7.8 (S1).
  if (headers.has("upgrade")) return "upgrade";
  // The body of a GET has no defined meaning that a key could hold: RFC 9110 §9.3.1 (S1).
  if (hasBody) return "request-body";
  // In doubt, nothing is kept (S16).
  if (requestDirectives === undefined) return "request-malformed";
  // "A cache MUST NOT store any part of either this request or any response to it":
  // RFC 9111 §5.2.1.5 (S3).
  if (requestDirectives.has("no-store") && !policy.ignore.has("no-store")) {
    return "request-no-store";
  }
  if (request.isOutgoing && isModeNoStore(exchange)) return "request-no-store";
  // Parts of a response are not kept: RFC 9111 §3.3 (S11).
  if (headers.has("range")) return "range";
  return undefined;
}

/**
 * Reports whether the request's `cache` member says "no-store" (S3). That of a request that came in is
 * read after everything else, because some servers make a whole request for it.
 */
function isModeNoStore({ request, policy }: Exchange): boolean {
  return !policy.ignore.has("no-store") && request.cacheMode === "no-store";
}

// ---- The response ----

function responseRefusal(exchange: Exchange): KeepRefusal | undefined {
  const { response: { status }, fields } = exchange;
  // An opaque response hides its status and fields (S14).
  if (status === 0) return keepOld("opaque");
  // Hono's server for Node has sent it already (promise 34).
  if (fields.has("x-hono-already-sent")) return keepOld("uncopyable");
  const kind = mediaType(fields.get("content-type"));
  // Parts of a response are not kept: RFC 9111 §3.3 (S11).
  if (status === 206 || fields.has("content-range") || kind === "multipart/byteranges") {
    return keepOld("range");
  }
  return statusRefusal(exchange) ?? directivesRefusal(exchange) ?? fieldsRefusal(exchange, kind) ??
    (isConstructible(exchange) ? undefined : keepOld("uncopyable"));
}

function statusRefusal({ response, policy, partitioned }: Exchange): KeepRefusal | undefined {
  const { status } = response;
  // Only statuses that the owner calls good are kept (S2).
  if (policy.statuses.has(status)) return undefined;
  // The page is gone; or, within a partition, its very owner may no longer see it (S17).
  if (status === 410 || (partitioned && (status === 401 || status === 403))) {
    return dropOld("status");
  }
  // One redirect or 404 may be a bot's, or a deploy's; two in a row are the origin's new answer (S17).
  const isNewAnswer = (status >= 200 && status < 400 && status !== 304) || status === 404;
  return isNewAnswer ? doubtOld("status") : keepOld("status");
}

/** A response whose directives forbid keeping it forbids it for the older copy, too (S17). */
function directivesRefusal(exchange: Exchange): KeepRefusal | undefined {
  const { responseDirectives, fields, policy } = exchange;
  // A malformed one is read as it was meant only where that keeps less (S16).
  const directives = responseDirectives ?? forbiddingWords(fields.get("cache-control") ?? "");
  // "A cache MUST NOT store any part of either the immediate request or the response":
  // RFC 9111 §5.2.2.5 (S3).
  if (
    (directives.has("no-store") || isNoStoreElsewhere(fields)) && !policy.ignore.has("no-store")
  ) {
    return dropOld("no-store");
  }
  // "A shared cache MUST NOT store the response": RFC 9111 §5.2.2.7, here for all forms (S4).
  if (directives.has("private") && !isLiftedForOwner(exchange, "private")) {
    return dropOld("private");
  }
  // It "MUST NOT be used to satisfy any other request without forwarding it for validation":
  // RFC 9111 §5.2.2.4, here for all forms (S5).
  if (directives.has("no-cache") && !policy.ignore.has("no-cache")) return dropOld("no-cache");
  // In doubt, nothing is kept; no age can be computed from a malformed number (S16).
  return responseDirectives !== undefined && AGES.every((name) => isSeconds(directives.get(name)))
    ? undefined
    : keepOld("malformed");
}

/** In fields for other shared caches (RFC 9213), or in the older Pragma (S3). */
function isNoStoreElsewhere(fields: Fields): boolean {
  const pragma = fields.has("cache-control") ? null : fields.get("pragma");
  return (pragma !== null && forbiddingWords(pragma).has("no-cache")) ||
    saysNoStore(fields.get("cdn-cache-control")) || saysNoStore(fields.get("surrogate-control"));
}

function saysNoStore(value: string | null): boolean {
  return value !== null && (parseCacheControl(value) ?? forbiddingWords(value)).has("no-store");
}

const AGES = ["max-age", "s-maxage", "stale-if-error"];

function fieldsRefusal(
  { fields, vary, policy }: Exchange,
  kind: string,
): KeepRefusal | undefined {
  // No age can be computed from a malformed Age or Date (S16).
  if (!isSeconds(fields.get("age") ?? undefined) || !isDate(fields.get("date"))) {
    return keepOld("malformed");
  }
  // A cookie is meant for one client alone (S7).
  if (fields.has("set-cookie") && !policy.ignore.has("set-cookie")) return keepOld("set-cookie");
  // "A stored response with a Vary header field value containing a member '*' always fails to
  // match": RFC 9111 §4.1 (S10). A malformed one is treated alike (S16).
  if (vary === undefined) return keepOld("vary");
  // These streams never end (S13).
  if (ENDLESS.has(kind)) return keepOld("content-type");
  return undefined;
}

/**
 * Reports whether a constructor accepts this head, as it must to make the answer for the caller and
 * all later ones. Node's parser gives names with blanks and reason phrases in any script (promise 34).
 */
function isConstructible({ response: { statusText }, fields }: Exchange): boolean {
  if (!REASON_PHRASE.test(statusText)) return false;
  for (const [name, value] of fields.all) {
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) return false;
  }
  return true;
}

// RFC 9112 §4, RFC 9110 §5.1 and §5.5, as the Fetch Standard reads them; Workers refuse a tab.
const REASON_PHRASE = /^[\x20-\x7e\x80-\xff]*$/;
const FIELD_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const FIELD_VALUE = /^[^\0\r\n\u0100-\uffff]*$/;

const ENDLESS: ReadonlySet<string> = new Set([
  "text/event-stream",
  "multipart/x-mixed-replace",
  "application/x-ndjson",
]);

/**
 * Says why a response is not one of its URL: it was redirected, or may not be looked into (S14).
 *
 * It is asked last: on Node, reading these properties turns a server's own response into a real one,
 * which takes longer than sending it.
 */
export function foreignReason({ type, redirected }: Response): "opaque" | "redirected" | undefined {
  if (type === "error" || type === "opaque" || type === "opaqueredirect") return "opaque";
  return redirected === true ? "redirected" : undefined;
}

function isSeconds(value: string | undefined): boolean {
  return value === undefined || parseSeconds(value) !== undefined;
}

function isDate(value: string | null): boolean {
  return value === null || parseDate(value, 0) !== undefined;
}
