import { isStrong, matchesEtag } from "../http/fields.ts";
import { variantOf } from "./cache_key.ts";
import type { Candidate } from "./candidate.ts";
import { freshness, initialAgeMs } from "./rules/freshness.ts";
import { type Exchange, exchange } from "./rules/exchange.ts";
import { requestKind } from "./rules/field_names.ts";
import { keepRefusal } from "./rules/storable.ts";
import { isHeadTooLarge, isKeyTooLong, put, type Store } from "./store.ts";
import { compactBody, decodedHead, storedHead, type StoredResponse } from "./stored_response.ts";

/**
 * Renews the dates of a copy that was made a moment ago and has this response's entity tag, weak or
 * strong: only dates can have changed since.
 */
export function renew(
  { memory }: Store,
  { key, timing }: Candidate,
  seen: Exchange,
  current: StoredResponse,
): undefined {
  const { order, receivedAt } = timing;
  const head = {
    ...current.head,
    order,
    receivedAt,
    initialAgeMs: initialAgeMs(seen.fields, timing),
    freshness: freshness(seen, receivedAt),
  };
  memory.replace(key, current, { ...current, head });
}

/**
 * Gives the copy the fields of a response with the same entity tag, so that its body need not be
 * copied again: RFC 9111 §4.3.4.
 *
 * @returns False if the body has to be copied after all.
 */
export function freshen(
  store: Store,
  candidate: Candidate,
  seen: Exchange,
  current: StoredResponse,
): boolean {
  const { request, key, response, timing } = candidate;
  const { etag = "", status, fields } = current.head;
  // Only a strong tag says that the bodies are the same: RFC 9110 §8.8.1.
  if (!isStrong(etag) || response.status !== status) return false;
  const coding = seen.fields.get("content-encoding");
  const keptCoding = fields["content-encoding"];
  if (keptCoding !== undefined && keptCoding !== coding) return false;
  const head = storedHead(candidate, seen.fields, freshness(seen, timing.receivedAt));
  const wasDecoded = coding !== null && keptCoding === undefined;
  const whole = wasDecoded ? decodedHead(head) : head;
  const variant = variantOf(request, seen.vary ?? []);
  if (isHeadTooLarge(whole) || isKeyTooLong(key, variant)) return false;
  put(store, candidate, { head: whole, body: compactBody(current.body, whole), variant });
  return true;
}

const ONLY_304: ReadonlySet<number> = new Set([304]);

/** Gives the copy the fields of a 304 that confirms it: RFC 9111 §4.3.4. */
export function confirm(store: Store, candidate: Candidate): void {
  const { request, key, response, timing } = candidate;
  const { memory, settings: { ignore } } = store;
  const current = memory.find(key, request.headers);
  const seen = exchange(request, response, key.owner !== "", { statuses: ONLY_304, ignore });
  const refusal = keepRefusal(seen);
  if (refusal?.dropsOld) {
    memory.remove(key, request.headers, timing.order, requestKind(request.headers));
  }
  if (refusal !== undefined || current === undefined) return;
  // Another response was kept while the origin was being asked: the 304 is not about that one.
  const confirmed = seen.fields.get("etag");
  const { etag } = current.head;
  if (confirmed !== null && (etag === undefined || !matchesEtag(confirmed, etag))) return;
  freshenBy304(store, candidate, seen, current);
}

function freshenBy304(
  store: Store,
  candidate: Candidate,
  seen: Exchange,
  { body, head: { status, statusText, type, url, fields, etag, freshness: before } }:
    StoredResponse,
): void {
  const { request, key, timing } = candidate;
  const head = storedHead(candidate, seen.fields, before);
  // What describes the body describes the kept one.
  const { "content-encoding": _coding, "content-type": _type, etag: _etag, ...renewed } =
    head.fields;
  const merged = { ...fields, ...renewed };
  // Directives that the 304 does not repeat still hold, must-revalidate for one.
  const response = new Response(null, { headers: merged });
  const whole = exchange(request, response, key.owner !== "", store.settings);
  put(store, candidate, {
    head: {
      ...head,
      status,
      statusText,
      type,
      url,
      etag,
      fields: merged,
      freshness: freshness(whole, timing.receivedAt),
    },
    body,
    variant: variantOf(request, whole.vary ?? []),
  });
}
