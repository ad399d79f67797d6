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
  /** The whole body. */
  readonly body: StoredBody;
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

let decoder: TextDecoder | undefined;

/**
 * Returns a body in the form in which it is kept under this head: as text where the runtime serves
 * text faster than bytes, and only if it has a type, as `Response` would give a text one.
 */
export function compactBody(body: StoredBody, { fields }: StoredHead): StoredBody {
  const isText = typeof body === "string";
  // An origin may also take back the type of a body that is kept already.
  if (fields["content-type"] === undefined) return isText ? new TextEncoder().encode(body) : body;
  if (isText || body.length > maxTextBytes()) return body;
  decoder ??= new TextDecoder();
  const text = decoder.decode(body);
  // deno-lint-ignore no-control-regex
  return text.length === body.length && /^[\x00-\x7f]*$/.test(text) ? text : body;
}
