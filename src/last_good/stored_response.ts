import type { FieldMap } from "../http/fields.ts";
import { maxTextBytes } from "../runtime.ts";
import type { Variant } from "./cache_key.ts";
import type { Candidate } from "./candidate.ts";
import type { Hold } from "./copies.ts";
import type { Fetched } from "./fetched.ts";
import { decodedFields, type KeptFields, keptFields } from "./kept_fields.ts";
import type { ServedFields } from "./served_response.ts";
import { type Freshness, initialAgeMs } from "./rules/freshness.ts";

/** A kept body. A string is ASCII only, so its length is its number of bytes. */
export type StoredBody = Uint8Array<ArrayBuffer> | string;

/** A kept response: plain data that any number of requests can be answered with. */
export interface StoredResponse {
  /** The whole body. {@link servedBody} gives it its form. */
  body: StoredBody;
  /** True once it has that form. */
  isCompact?: boolean;
  /** The request fields it varies on. */
  readonly variant: Variant;
  /** When its body was copied, in ms. */
  readonly copiedAt: number;
  readonly head: StoredHead;
  /** Its size in bytes, with all that keeping it takes. */
  readonly size: number;
  /** The kind of request that it answers: an answer to another kind does not remove it (S17). */
  readonly kind: number;
  /** True once an answer came that removes it if the next one agrees (S17). */
  readonly isDoubted?: boolean;
  /** True once it was softly forgotten: it is served in an outage only. */
  readonly isOutdated?: boolean;
  /** The answer that it was copied from, if a reader still waits for bytes of it (N3). */
  readonly hold?: Hold | undefined;
  /** The fields of the latest answer that was made of it. */
  latest?: ServedFields | undefined;
}

/** The head of a kept response. */
export interface StoredHead extends Fetched {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. Repeated fields are joined; Set-Cookie, which cannot be, is never kept. */
  readonly fields: KeptFields;
  /** The place of its request in the order of all requests (S18). */
  readonly order: number;
  /** When the head was received, in ms. */
  readonly receivedAt: number;
  /** Its age when it was received, in ms (RFC 9111 §4.2.3). */
  readonly initialAgeMs: number;
  readonly freshness: Freshness;
  /** Its entity tag as the origin gave it; undefined if it has none. */
  readonly etag: string | undefined;
}

/** When a response was asked for and received. */
export interface Timing {
  /** The place of its request in the order of all requests (S18). */
  readonly order: number;
  /** When its request was sent, in ms. */
  readonly requestedAt: number;
  /** When its head was received, in ms. */
  readonly receivedAt: number;
}

/** Makes the head of a kept response. */
export function storedHead(
  { request, response, timing, byFetch }: Candidate,
  fields: FieldMap,
  freshness: Freshness,
  { type = "default", url = "" }: Partial<Fetched> = response,
): StoredHead {
  const { status, statusText } = response;
  const { order, receivedAt } = timing;
  const kept = keptFields(fields);
  // A recipient "MUST record the time it was received and append a corresponding Date":
  // RFC 9110 §6.6.1 (H2).
  kept["date"] ??= new Date(receivedAt).toUTCString();
  return {
    status,
    statusText,
    type,
    // A function in place of `fetch` may construct its responses.
    url: url === "" && byFetch ? request.url : url,
    fields: kept,
    order,
    receivedAt,
    initialAgeMs: initialAgeMs(fields, timing),
    freshness,
    etag: fields.get("etag") ?? undefined,
  };
}

/**
 * Returns the head for a body that was decoded on its way here, without what describes the coded
 * bytes (H4).
 */
export function decodedHead(head: StoredHead): StoredHead {
  const fields = decodedFields(head.fields);
  // The tag names the coded bytes; for the decoded ones it can only be weak (RFC 9110 §8.8.1).
  const isStrong = head.etag !== undefined && !head.etag.startsWith("W/");
  if (isStrong && fields["etag"] !== undefined) fields["etag"] = `W/${head.etag}`;
  return { ...head, fields };
}

/** The size of a head in bytes: field values are Latin-1, and each line has 4 bytes around it. */
export function headSize({ fields, url }: StoredHead): number {
  let size = url.length;
  for (const name in fields) size += name.length + fields[name]!.length + 4;
  return size;
}

/**
 * Returns a body in the form in which it is served: as text where the runtime serves that faster than
 * bytes. It is made for the first answer, as most of what is copied is never served: that saves Bun
 * 2 µs per copy, and Deno 7 ms for a picture of 1 MB.
 */
export function servedBody(stored: StoredResponse): StoredBody {
  // While a reader still gets the rest of the same bytes, they would be held twice (N3).
  if (!stored.isCompact && stored.hold?.isOver !== false) {
    stored.isCompact = true;
    stored.body = compactBody(stored.body, stored.head);
  }
  return stored.body;
}

let decoder: TextDecoder | undefined;

/**
 * Returns a body in its best form under this head: as text only if that has a type, as `Response` would
 * give a text one.
 */
export function compactBody(body: StoredBody, { fields }: StoredHead): StoredBody {
  const isText = typeof body === "string";
  // An origin may also take back the type of a body that is kept already.
  if (fields["content-type"] === undefined) return isText ? new TextEncoder().encode(body) : body;
  if (isText || body.length > maxTextBytes() || !isAscii(body)) return body;
  decoder ??= new TextDecoder();
  return decoder.decode(body);
}

function isAscii(body: Uint8Array): boolean {
  for (let at = 0; at < body.length; at++) if (body[at]! > 0x7f) return false;
  return true;
}
