import { codingsOf, isDecodable, isDecoded } from "../http/coding.ts";
import { parseLength } from "../http/fields.ts";
import { type Variant, variantOf } from "./cache_key.ts";
import type { BodyRecorder, Candidate, CopyListener, KeepResult } from "./candidate.ts";
import { copiedResponse } from "./copied_response.ts";
import { freshness } from "./rules/freshness.ts";
import type { Exchange } from "./rules/exchange.ts";
import { isHeadTooLarge, isKeyTooLong, put, type Store } from "./store.ts";
import {
  compactBody,
  decodedHead,
  type StoredBody,
  type StoredHead,
  storedHead,
} from "./stored_response.ts";

/** A response whose body is being copied. */
interface Recording {
  readonly store: Store;
  readonly candidate: Candidate;
  readonly head: StoredHead;
  readonly variant: Variant;
  readonly codings: readonly string[];
  /** Its Content-Length; undefined if it has none. */
  readonly length: number | undefined;
  /** The length of the body as it is read; undefined if it may be decoded on its way here. */
  readonly expectedBytes: number | undefined;
  /** The body as it is kept; undefined until it is. */
  kept: StoredBody | undefined;
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
): BodyRecorder | KeepResult {
  const { request, key, response, timing } = candidate;
  const head = storedHead(seen, timing, freshness(seen, timing.receivedAt));
  if (isHeadTooLarge(head)) return { why: "headers-too-large" };
  const variant = variantOf(request, seen.vary ?? []);
  if (isKeyTooLong(key, variant)) return { why: "key-too-large" };
  const { body } = response;
  if (response.bodyUsed || body?.locked) return { why: "body-used" };
  const codings = codingsOf(seen.fields.get("content-encoding"));
  const length = parseLength(seen.fields.get("content-length") ?? "");
  const expectedBytes = isDecodable(codings) ? undefined : length;
  const recording: Recording = {
    store,
    candidate,
    head,
    variant,
    codings,
    length,
    expectedBytes,
    kept: undefined,
  };
  if (body === null) return keepBody(recording, new Uint8Array(0));
  if (expectedBytes !== undefined && expectedBytes > store.settings.maxBodyBytes) {
    return { why: "too-large" };
  }
  return (listener) => copyBody(recording, body, listener);
}

/** Copies the body on its way, and returns the response for the caller. */
function copyBody(
  recording: Recording,
  body: ReadableStream<Uint8Array>,
  listener: CopyListener,
): Promise<Response> {
  const { response } = recording.candidate;
  const { maxBodyBytes, maxBodyMs } = recording.store.settings;
  return copiedResponse(response, body, {
    maxBytes: maxBodyBytes,
    maxMs: maxBodyMs,
    expectedBytes: recording.expectedBytes,
    isFetched: isFetched(response),
    isAborted: () => listener.isAborted(),
    onEnd: (end, bytes) => {
      listener.onCopied(end, end === "whole" ? keepBody(recording, bytes) : { why: end });
      return recording.kept;
    },
  });
}

/** Keeps a whole body. */
function keepBody(recording: Recording, bytes: Uint8Array<ArrayBuffer>): KeepResult {
  const { store, candidate, head, variant, codings, length } = recording;
  const { response } = candidate;
  const byFetch = candidate.byFetch || isFetched(response) || response.url !== "";
  const wasDecoded = isDecoded({ codings, byFetch, length }, bytes);
  if (wasDecoded === undefined) return { why: "malformed" };
  // A handler may hand over coded bytes, which must have the length that its fields say:
  // RFC 9111 §3.3 (S12).
  const isCut = codings.length > 0 && !wasDecoded && length !== undefined &&
    length !== bytes.length;
  if (isCut) return { why: "truncated" };
  const body = recording.kept = compactBody(bytes, head);
  return put(store, candidate, { head: wasDecoded ? decodedHead(head) : head, body, variant });
}

/** Constructed responses have the type "default". In Bun all have it, and fetched ones a URL. */
function isFetched({ type }: Response): boolean {
  return type !== "default";
}
