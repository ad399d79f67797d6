import { type CodedBody, codingsOf, isDecodable, isDecoded } from "../http/coding.ts";
import { type Fields, parseLength } from "../http/fields.ts";
import type { NotKeptReason } from "../observe/events.ts";
import { decodesFetched, isWorkerd } from "../runtime.ts";
import { type Variant, variantOf } from "./cache_key.ts";
import type {
  BodyRecorder,
  Candidate,
  CopyListener,
  KeepResult,
  LaterResult,
} from "./candidate.ts";
import type { Hold } from "./copies.ts";
import { copiedResponse } from "./copied_response.ts";
import { type Fetched, isFromFetch } from "./fetched.ts";
import { type Keeper, keeper } from "./hearing.ts";
import { freshness } from "./rules/freshness.ts";
import type { Exchange } from "./rules/exchange.ts";
import { isHeadTooLarge, isKeyTooLong, overheadOf, type Store } from "./store.ts";
import { decodedHead, type StoredHead, storedHead } from "./stored_response.ts";
import { isVetoed, withoutBody } from "./veto.ts";

/** A response whose body is being copied. */
interface Recording {
  readonly store: Store;
  readonly candidate: Candidate;
  /** The same without a body, for the option `keep`; undefined if there is no such option. */
  readonly asked: Candidate | undefined;
  readonly keep: Keeper;
  readonly head: StoredHead;
  readonly fetched: Fetched;
  readonly variant: Variant;
  readonly overhead: number;
  readonly coded: CodedBody;
  /** The length of the body as it is read; undefined if it may be decoded on its way here. */
  readonly expectedBytes: number | undefined;
}

/**
 * Prepares the copy of a response.
 *
 * @returns A recorder; or a result if there is no body to copy, or it cannot be kept.
 */
export function record(
  store: Store,
  candidate: Candidate,
  seen: Exchange,
): BodyRecorder | KeepResult | LaterResult {
  const { request, key, response, timing: { receivedAt } } = candidate;
  if (store.copies.isUnderWay(key, receivedAt)) return { why: "under-way" };
  // Deno parses the URL each time it is asked for. A mock may have neither.
  const { url = "", type = "default" } = response;
  const fetched = { url, type };
  const head = storedHead(candidate, seen.fields, freshness(seen, receivedAt), fetched);
  const variant = variantOf(request, seen.vary ?? []);
  const why = copyRefusal(candidate, head, variant);
  if (why !== undefined) return { why };
  const { body } = response;
  const overhead = overheadOf(key, head, variant);
  const coded = codedBody(response, seen.fields);
  const expectedBytes = isDecodable(coded.codings) ? undefined : coded.length;
  const hold = body === null
    ? undefined
    : beginCopy(store, candidate, variant, overhead, expectedBytes);
  if (typeof hold === "string") return { why: hold };
  const recording: Recording = {
    store,
    candidate,
    // The caller may change the fields of what they are handed.
    asked: store.settings.keep && { ...candidate, response: withoutBody(response) },
    keep: keeper(store, candidate),
    head,
    fetched,
    variant,
    overhead,
    coded,
    expectedBytes,
  };
  return body === null || hold === undefined
    ? keepBody(recording, new Uint8Array(0)).result
    : (listener) => copyBody(recording, body, hold, listener);
}

/** Returns why a response cannot be copied, judging by what its copy would be. */
function copyRefusal(
  { key, response }: Candidate,
  head: StoredHead,
  variant: Variant,
): NotKeptReason | undefined {
  if (isHeadTooLarge(head)) return "headers-too-large";
  if (isKeyTooLong(key, variant)) return "key-too-large";
  if (response.bodyUsed || response.body?.locked) return "body-used";
  return isCopyable(response) ? undefined : "uncopyable";
}

/** Claims the key for this copy, and room; returns why if that is not possible. */
function beginCopy(
  store: Store,
  { request, key, timing: { order, receivedAt } }: Candidate,
  variant: Variant,
  overhead: number,
  expectedBytes = 0,
): Hold | NotKeptReason {
  if (expectedBytes > maxBytesOf(store)) return "too-large";
  const mayEvict = () => store.memory.isWanted(key, request.headers, { variant, order });
  return store.copies.begin(key, receivedAt, expectedBytes, { overhead, mayEvict }) ?? "no-room";
}

/** A body that is larger than all room there is can never be kept. */
function maxBytesOf({ settings: { maxBodyBytes, maxBytes } }: Store): number {
  return Math.min(maxBodyBytes, maxBytes);
}

function codedBody(response: Response, fields: Fields): CodedBody {
  const field = fields.get("content-encoding");
  const codings = codingsOf(field);
  return {
    codings,
    length: parseLength(fields.get("content-length") ?? ""),
    isFetched: codings.length > 0 && isFromFetch(response),
    decodes: field === null ? undefined : decodesFetched(field),
  };
}

/**
 * Reports whether another response can be made with this body: node-fetch has streams of its own, and
 * these statuses have no content (RFC 9110 §15.3.5 and §15.3.6).
 */
function isCopyable({ status, body }: Response): boolean {
  return body === null ||
    (typeof body?.getReader === "function" && status !== 204 && status !== 205);
}

/** Copies the body on its way, and returns the response for the caller. */
function copyBody(
  recording: Recording,
  body: ReadableStream<Uint8Array>,
  hold: Hold,
  listener: CopyListener,
): Promise<Response> {
  const { store, candidate: { response }, head, fetched, coded, expectedBytes } = recording;
  const wasFetched = isFetched(fetched);
  const passing = {
    response,
    body,
    fetched,
    hasType: head.fields["content-type"] !== undefined,
    isDecoded: coded.isFetched && coded.decodes === true,
  };
  return copiedResponse(passing, {
    maxBytes: maxBytesOf(store),
    maxMs: store.settings.maxBodyMs,
    stallMs: listener.stallMs,
    expectedBytes,
    isFetched: wasFetched,
    signal: listener.signal,
    isAborted: () => listener.isAborted(),
    host: listener.host,
    hold,
    onEnd: (end, bytes, hold) => {
      const { isKept = false, result } = end === "whole"
        ? keepBody(recording, bytes, hold)
        : { result: { why: end } };
      listener.onCopied(end, result);
      return isKept;
    },
  });
}

/** Keeps a whole body, if it may be kept. */
function keepBody(
  recording: Recording,
  bytes: Uint8Array<ArrayBuffer>,
  hold?: Hold,
): { readonly isKept?: boolean; readonly result: KeepResult | LaterResult } {
  const { store, keep, asked, head, variant, overhead, coded: { codings, length }, coded } =
    recording;
  const wasDecoded = isDecoded(coded, bytes);
  if (wasDecoded === undefined) return { result: { why: "malformed" } };
  // A handler may hand over coded bytes, which must have the length that its fields say:
  // RFC 9111 §3.3 (S12).
  const isCut = !wasDecoded && length !== undefined && length !== bytes.length &&
    codings.length > 0;
  if (isCut) return { result: { why: "truncated" } };
  if (asked !== undefined && isVetoed(store.settings, asked, bytes)) {
    return { result: { why: "veto" } };
  }
  const kept = wasDecoded
    ? { head: decodedHead(head), body: bytes, variant, hold }
    : { head, body: bytes, variant, hold, overhead };
  const result = keep(kept);
  // What is not kept, or not yet, is its reader's alone.
  const isReaders = "why" in result || (hold !== undefined && "onKept" in result);
  return { isKept: !isReaders, result };
}

/** Constructed responses have the type "default". On Bun and Workers all have it, and fetched ones a URL. */
function isFetched({ type, url }: Fetched): boolean {
  return type !== "default" || (url !== "" && isWorkerd());
}
