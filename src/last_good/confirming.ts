import { parseDate } from "../http/dates.ts";
import { FieldMap, type Fields, isOneTag, isSameTag } from "../http/fields.ts";
import { variantOf } from "./cache_key.ts";
import type { Candidate, KeepResult } from "./candidate.ts";
import { keeper } from "./hearing.ts";
import { olderCopy, refuse } from "./older_copy.ts";
import { confirmedFields } from "./kept_fields.ts";
import type { LastGoodSettings } from "./options.ts";
import { type Exchange, exchange } from "./rules/exchange.ts";
import { freshness } from "./rules/freshness.ts";
import { foreignReason, keepRefusal } from "./rules/storable.ts";
import { isHeadTooLarge, isKeyTooLong, type Store } from "./store.ts";
import {
  compactBody,
  decodedHead,
  type StoredHead,
  storedHead,
  type StoredResponse,
  type Timing,
} from "./stored_response.ts";
import { isVetoed } from "./veto.ts";

/** A copy is not freshened more often than this, in ms: the next answer does it. */
const FRESHEN_MS = 1_000;

/** Reports whether a copy has got its fields and times a moment ago. */
export function isJustFreshened(
  { head, isOutdated }: StoredResponse,
  { receivedAt }: Timing,
  { refreshMs }: LastGoodSettings,
): boolean {
  return !isOutdated && Math.abs(receivedAt - head.receivedAt) < Math.min(FRESHEN_MS, refreshMs);
}

/**
 * Gives the copy the times and fields of a response with the same strong entity tag, so that its body
 * need not be copied again: RFC 9111 §4.3.4.
 *
 * @returns False if the body has to be copied after all.
 */
export function freshen(
  store: Store,
  candidate: Candidate,
  seen: Exchange,
  current: StoredResponse,
): boolean {
  const { response, timing } = candidate;
  const { status, fields } = current.head;
  if (response.status !== status) return false;
  const coding = seen.fields.get("content-encoding");
  const keptCoding = fields["content-encoding"];
  if (keptCoding !== undefined && keptCoding !== coding) return false;
  const head = storedHead(candidate, seen.fields, freshness(seen, timing.receivedAt));
  const wasDecoded = coding !== null && keptCoding === undefined;
  return putHead(store, candidate, seen, current, wasDecoded ? decodedHead(head) : head);
}

/** Keeps the body of a copy under a new head. Returns false if that is too large (S15). */
function putHead(
  store: Store,
  candidate: Candidate,
  { vary }: Exchange,
  { body }: StoredResponse,
  head: StoredHead,
): boolean {
  const variant = variantOf(candidate.request, vary ?? []);
  if (isHeadTooLarge(head) || isKeyTooLong(candidate.key, variant)) return false;
  keeper(store, candidate)({ head, body: compactBody(body, head), variant });
  return true;
}

/**
 * Gives the copy the fields of a 304 that confirms it (RFC 9111 §4.3.4, S21), or does to it what the
 * 304 says (S17).
 *
 * @param askedEtag The entity tag that we have asked about; undefined if the caller has asked.
 * @returns Why it was not freshened; undefined if it was, or has been a moment ago.
 */
export function confirm(
  store: Store,
  candidate: Candidate,
  askedEtag: string | undefined,
): KeepResult | undefined {
  const { request, response, timing } = candidate;
  if (typeof response.headers?.forEach !== "function") return { why: "uncopyable" };
  const current = olderCopy(store, candidate);
  const fields = new FieldMap(response.headers);
  const seen = seenWith(store, candidate, fields, current);
  const refusal = keepRefusal(seen);
  if (refusal !== undefined) return refuse(store, candidate, refusal, current);
  const why = foreignReason(response);
  if (why !== undefined) return { why };
  if (current === undefined || !isConfirmed(current, fields, request.headers, askedEtag)) {
    return { why: "status" };
  }
  if (!current.isDoubted && isJustFreshened(current, timing, store.settings)) return undefined;
  const head = storedHead(candidate, fields, freshness(seen, timing.receivedAt));
  return putConfirmed(store, candidate, seen, current, confirmedHead(current.head, head));
}

const ONLY_304: ReadonlySet<number> = new Set([304]);

/**
 * Reads a 304 together with the copy: what it does not repeat still holds, must-revalidate for one.
 * Only the kept Date is no longer true.
 */
function seenWith(
  { settings: { ignore } }: Store,
  { request, key, response }: Candidate,
  fields: FieldMap,
  current: StoredResponse | undefined,
): Exchange {
  const whole = new FieldMap(fields);
  const kept = current?.head.fields ?? {};
  for (const name in kept) {
    if (name !== "date" && !whole.has(name)) whole.all.set(name, kept[name]!);
  }
  return exchange(request, response, key.owner !== "", { statuses: ONLY_304, ignore }, whole);
}

/** Keeps the head of a confirmed copy, unless the option `keep` is against it. */
function putConfirmed(
  store: Store,
  candidate: Candidate,
  seen: Exchange,
  current: StoredResponse,
  head: StoredHead,
): KeepResult | undefined {
  const { settings } = store;
  if (settings.keep !== undefined) {
    const { status, statusText, fields } = head;
    const response = new Response(null, { status, statusText, headers: fields });
    if (isVetoed(settings, { ...candidate, response }, current.body)) return { why: "veto" };
  }
  return putHead(store, candidate, seen, current, head) ? undefined : { why: "headers-too-large" };
}

/**
 * Reports whether a 304 is about this copy: by its own entity tag, or by the one that was asked about;
 * where the copy has none, by Last-Modified (RFC 9111 §4.3.4).
 */
function isConfirmed(
  { head: { etag, fields: kept, receivedAt } }: StoredResponse,
  fields: Fields,
  asked: Fields,
  askedEtag: string | undefined,
): boolean {
  const own = fields.get("etag");
  if (own !== null) return etag !== undefined && isSameTag(own, etag);
  if (askedEtag !== undefined) return askedEtag === etag;
  const tags = asked.get("if-none-match");
  // `*` and lists do not say which version the client has.
  if (tags !== null && !isOneTag(tags)) return false;
  if (etag !== undefined) return tags !== null && isSameTag(tags, etag);
  // "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match".
  const modified = fields.get("last-modified") ??
    (tags === null ? asked.get("if-modified-since") : null);
  const keptMs = parseDate(kept["last-modified"] ?? "", receivedAt);
  return keptMs !== undefined && keptMs === parseDate(modified ?? "", receivedAt);
}

/** The head of a copy after a 304. */
function confirmedHead(before: StoredHead, { fields, ...times }: StoredHead): StoredHead {
  const { status, statusText, type, url, etag } = before;
  const confirmed = confirmedFields(before.fields, fields);
  return { ...times, status, statusText, type, url, etag, fields: confirmed };
}
