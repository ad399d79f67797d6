import { maxTextBytes } from "../runtime.ts";
import type { RequestHead } from "./request_head.ts";
import { type Fields, matchesEtag, parseDate, parseSeconds } from "../http/fields.ts";
import type { Variant } from "./cache_key.ts";
import type { Exchange, Freshness } from "./rules/storable.ts";

/** A body at rest. Text is ASCII alone: so it has as many characters as bytes, and weighs the same. */
export type StoredBody = Uint8Array<ArrayBuffer> | string;

/** A response at rest: plain data, which any later request may use, on every runtime. */
export interface StoredResponse {
  /** The body, whole. */
  readonly body: StoredBody;
  /** What it varies on. */
  readonly variant: Variant;
  /** When its bytes were copied, in ms. */
  readonly copiedAt: number;
  /** A later answer may freshen it. */
  head: StoredHead;
  /** Its size with key and fields, in bytes. */
  readonly size: number;
}

/** The head of a response at rest. */
export interface StoredHead {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. Repeated fields are joined; Set-Cookie, which cannot be, is never kept. */
  readonly fields: Readonly<Record<string, string>>;
  /** The place of its request in the order of all requests (S18). */
  readonly order: number;
  /** When the head was received, in ms. */
  readonly receivedAt: number;
  /** RFC 9111 §4.2.3, in ms. */
  readonly initialAgeMs: number;
  readonly freshness: Freshness;
  /** Its entity tag as the origin gave it; undefined if it has none. */
  readonly etag: string | undefined;
}

/** H1: RFC 9110 §7.6.1. These, and what Connection lists, are between two neighbours. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Fields that we make anew, or that belong to one client alone. */
const OURS: ReadonlySet<string> = new Set(["age", "content-length", "set-cookie", "set-cookie2"]);

/** When a response came. */
export interface Timing {
  readonly order: number;
  /** When its request was sent, in ms. */
  readonly requestedAt: number;
  /** When its head was there, in ms. */
  readonly receivedAt: number;
}

/** Takes the head of a response down. The response is not touched. */
export function storedHead(
  { response, fields }: Pick<Exchange, "response" | "fields">,
  timing: Timing,
  freshness: Freshness,
): StoredHead {
  const { status, statusText } = response;
  const { order, receivedAt } = timing;
  const listed = fields.get("connection")?.toLowerCase().split(",").map((it) => it.trim());
  // Without a prototype, a field named __proto__ is as any other.
  const kept: Record<string, string> = Object.create(null);
  for (const [name, value] of fields.all) {
    const isLeftOut = HOP_BY_HOP.has(name) || OURS.has(name) || name.startsWith("proxy-") ||
      listed?.includes(name);
    if (!isLeftOut) kept[name] = value;
  }
  // H2: RFC 9110 §6.6.1
  kept["date"] ??= new Date(receivedAt).toUTCString();
  return {
    status,
    statusText,
    fields: kept,
    order,
    receivedAt,
    initialAgeMs: initialAgeMs(fields, timing),
    freshness,
    etag: fields.get("etag") ?? undefined,
  };
}

/** RFC 9111 §4.2.3: corrected_initial_age, in ms. */
export function initialAgeMs(
  headers: Fields,
  { requestedAt, receivedAt }: Timing,
): number {
  const date = parseDate(headers.get("date") ?? "", receivedAt) ?? receivedAt;
  const ageMs = (parseSeconds(headers.get("age") ?? "") ?? 0) * 1_000;
  const delayMs = Math.max(0, receivedAt - requestedAt);
  return Math.max(0, receivedAt - date, ageMs + delayMs);
}

/** The size of a head in bytes, about: fields are Latin-1. */
export function headSize(head: StoredHead): number {
  let size = 0;
  for (const name in head.fields) size += name.length + head.fields[name]!.length + 4;
  return size;
}

/** H4: as {@link storedHead}, for a body that was decoded on its way here. */
export function decodedHead(head: StoredHead): StoredHead {
  const { "content-encoding": _, ...fields } = head.fields;
  // The tag names the coded bytes: for these it can only be a weak one (RFC 9110 §8.8.1).
  const isStrong = head.etag !== undefined && !head.etag.startsWith("W/");
  return { ...head, fields: isStrong ? { ...fields, etag: `W/${head.etag}` } : fields };
}

let decoder: TextDecoder | undefined;

/**
 * A body as it is kept under this head: as text where the runtime serves that faster than bytes.
 * Without a type, which an origin may also take back later, it is bytes: a text would be given one.
 */
export function compactBody(body: StoredBody, { fields }: StoredHead): StoredBody {
  const isText = typeof body === "string";
  if (fields["content-type"] === undefined) return isText ? new TextEncoder().encode(body) : body;
  if (isText || body.length > maxTextBytes()) return body;
  decoder ??= new TextDecoder();
  const text = decoder.decode(body);
  // deno-lint-ignore no-control-regex
  return text.length === body.length && /^[\x00-\x7f]*$/.test(text) ? text : body;
}

/** The age of a snapshot, in ms. A clock that stepped back gives no negative one. */
export function ageMs({ head }: StoredResponse, now: number): number {
  return head.initialAgeMs + Math.max(0, now - head.receivedAt);
}

/** How long it has been stale, in ms: negative while it is fresh (RFC 9111 §4.2). */
export function stalenessMs(stored: StoredResponse, now: number): number {
  const { receivedAt, freshness: { lifetimeMs } } = stored.head;
  // Where the origin names no freshness it is stale from the start, and counts from reception.
  if (lifetimeMs === undefined) return Math.max(0, now - receivedAt);
  return ageMs(stored, now) - lifetimeMs;
}

/** Brings a snapshot back to life: a response of its own for each use, with its own body and fields. */
export function servedResponse(
  stored: StoredResponse,
  request: RequestHead,
  now: number,
  cacheStatus: string | undefined,
): Response {
  const { body, head } = stored;
  const age = String(Math.floor(ageMs(stored, now) / 1_000));
  const before = head.fields["cache-status"];
  const status = cacheStatus === undefined
    ? undefined
    : before === undefined
    ? cacheStatus
    : `${before}, ${cacheStatus}`;
  if (head.status === 200 && isUnmodified(request.headers, head)) {
    return new Response(null, { status: 304, headers: notModified(head, age, status) });
  }
  // A record, not Headers: on Node it goes to the socket as it is.
  const headers: Record<string, string> = { ...head.fields, age };
  if (status !== undefined) headers["cache-status"] = status;
  const isEmpty = head.status === 204 || head.status === 205;
  if (!isEmpty) headers["content-length"] = String(body.length);
  return new Response(isEmpty || request.method === "HEAD" ? null : body, {
    status: head.status,
    statusText: head.statusText,
    headers,
  });
}

/** F5: RFC 9110 §13.1.2 and §13.1.3 */
function isUnmodified(headers: Fields, head: StoredHead): boolean {
  const tags = headers.get("if-none-match");
  if (tags !== null) return head.etag !== undefined && matchesEtag(tags, head.etag);
  const since = headers.get("if-modified-since");
  const modified = head.fields["last-modified"];
  if (since === null || modified === undefined) return false;
  const sinceMs = parseDate(since, head.receivedAt);
  const modifiedMs = parseDate(modified, head.receivedAt);
  return sinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= sinceMs;
}

/** F5: RFC 9110 §15.4.5 */
const IN_304 = ["cache-control", "content-location", "date", "etag", "expires", "vary"];

function notModified(head: StoredHead, age: string, cacheStatus: string | undefined): HeadersInit {
  const fields: Record<string, string> = { age };
  if (cacheStatus !== undefined) fields["cache-status"] = cacheStatus;
  for (const name of IN_304) {
    const value = head.fields[name];
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}
