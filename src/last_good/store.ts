import { type CacheKey, keyLength, MAX_KEY_LENGTH, type Variant } from "./cache_key.ts";
import type { Candidate, KeepResult } from "./candidate.ts";
import type { Copies, Hold } from "./copies.ts";
import { withoutDropped } from "./kept_fields.ts";
import type { Memory } from "./memory.ts";
import type { LastGoodSettings } from "./options.ts";
import { requestKind } from "./request_kind.ts";
import { headSize, type StoredBody, type StoredHead } from "./stored_response.ts";

/** The settings and the memory that every step of keeping works with. */
export interface Store {
  readonly settings: LastGoodSettings;
  readonly memory: Memory;
  readonly copies: Copies;
}

/** The most bytes of fields that are kept (S15). */
const MAX_HEAD_BYTES = 16_384;

/** Reports whether a head is too large to be kept (S15). */
export function isHeadTooLarge(head: StoredHead): boolean {
  return headSize(head) > MAX_HEAD_BYTES;
}

/** Reports whether a key is too long for a response to be kept under it (S15). */
export function isKeyTooLong(key: CacheKey, variant: Variant): boolean {
  return keyLength(key, variant) > MAX_KEY_LENGTH;
}

/** The parts of a response that is about to be kept. */
export interface Parts {
  readonly head: StoredHead;
  readonly body: StoredBody;
  readonly variant: Variant;
  /** The answer that it was copied from, if its reader has not got all of it. */
  readonly hold?: Hold | undefined;
  /** {@link overheadOf} these, if that is known already. */
  readonly overhead?: number | undefined;
}

/**
 * What an entry takes besides its bytes and texts: objects, maps and lists. Measured with 100,000
 * entries of a partition, on V8; shared ones take 130 less, and JavaScriptCore a quarter less. Of these, 160 are for the fields of its
 * latest answer (N3).
 */
const ENTRY_BYTES = 1_080;

/** What a field takes besides its text, kept and in the latest answer. */
const FIELD_BYTES = 80;

/** What keeping a response takes besides its body, in bytes. */
export function overheadOf(key: CacheKey, head: StoredHead, variant: Variant): number {
  const fields = Object.keys(head.fields).length + variant.length;
  return ENTRY_BYTES + fields * FIELD_BYTES + headSize(head) +
    2 * (keyLength(key, variant) + key.place.length + key.owner.length);
}

/** Puts a response into memory in place of the older copy. */
export function put(
  { settings, memory }: Store,
  { key, request, timing }: Candidate,
  { head: given, body, variant, hold, overhead }: Parts,
): KeepResult {
  const head = withoutDropped(given, settings.dropFields);
  const known = head === given ? overhead : undefined;
  const size = (known ?? overheadOf(key, head, variant)) + body.length;
  const copiedAt = timing.receivedAt;
  const kind = requestKind(request.headers);
  const stored = { body, variant, copiedAt, head, size, kind, hold, latest: undefined };
  const why = memory.put(key, request.headers, stored);
  return why === undefined ? { bytes: body.length } : { why };
}
