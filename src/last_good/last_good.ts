import type { NotKeptReason } from "../observe/events.ts";
import { invalidOption } from "../validation.ts";
import { fetchHead, type RequestHead } from "./request_head.ts";
import { codingsOf, isDecodable, isDecoded } from "../http/coding.ts";
import { BodyCopy, type CopyEnd } from "./body_copy.ts";
import { isStrong, matchesEtag, parseLength } from "../http/fields.ts";
import {
  type CacheKey,
  cacheKey,
  hashPartition,
  keyLength,
  MAX_KEY_LENGTH,
  variantOf,
} from "./cache_key.ts";
import { Memory } from "./memory.ts";
import type { LastGoodSettings } from "./options.ts";
import {
  compactBody,
  decodedHead,
  headSize,
  initialAgeMs,
  type StoredBody,
  type StoredHead,
  storedHead,
  type StoredResponse,
  type Timing,
} from "./stored_response.ts";
import { type Exchange, exchange, foreignReason, freshness, obstacle } from "./rules/storable.ts";

/** The most bytes of fields that are kept (S15). */
const MAX_HEAD_BYTES = 16_384;

/** Hears of a callback that went wrong. */
export interface ErrorListener {
  reportError(source: "lastGood.key" | "partition" | "keep", error: unknown): void;
}

/** Whether a response was kept. */
export type KeepResult = { readonly bytes: number } | { readonly why: NotKeptReason };

/** A good answer that may be kept. */
export interface Candidate {
  readonly request: RequestHead;
  readonly key: CacheKey;
  readonly response: Response;
  readonly timing: Timing;
  /** Whether it comes straight from `fetch`, which decodes bodies. */
  readonly byFetch: boolean;
  /** Whether somebody hears why it is not kept. */
  readonly isObserved: boolean;
  readonly errors: ErrorListener;
}

/** Follows a copy. */
export interface CopyListener {
  /** Whether the caller of the copied answer has aborted. */
  isAborted(): boolean;
  /** Hears how the copy ended, before the caller reads the end of it. */
  onCopied(end: CopyEnd, kept: KeepResult): void;
}

/** Copies a good answer on its way: gives the one for the caller, as soon as its head may go. */
export type BodyRecorder = (listener: CopyListener) => Promise<Response>;

/** The last good responses: what is kept, for whom, and what is found again. */
export class LastGood {
  readonly settings: LastGoodSettings;
  readonly #memory: Memory;
  #order = 0;

  constructor(settings: LastGoodSettings) {
    this.settings = settings;
    this.#memory = new Memory(settings);
  }

  /** A number for each request, in the order in which they start (S18). */
  nextOrder(): number {
    return ++this.#order;
  }

  /** Where the answer to a request has its place; undefined if nothing is to be kept or served. */
  key(
    request: RequestHead,
    errors: ErrorListener,
  ): CacheKey | undefined | Promise<CacheKey | undefined> {
    const primary = this.#primary(request, errors);
    if (primary === undefined) return undefined;
    const { partition } = this.settings;
    return partition === undefined
      ? cacheKey(primary, request.headers, undefined)
      : this.#partitioned(primary, request, partition, errors);
  }

  #primary(request: RequestHead, errors: ErrorListener): string | undefined {
    const { key } = this.settings;
    if (key === undefined) return request.url;
    try {
      const primary: unknown = key(request.toRequest());
      if (primary === undefined || typeof primary === "string") return primary;
      errors.reportError(
        "lastGood.key",
        invalidOption("keep a response", "lastGood.key", A_STRING, primary),
      );
    } catch (error) {
      errors.reportError("lastGood.key", error);
    }
    return undefined;
  }

  async #partitioned(
    primary: string,
    request: RequestHead,
    partition: NonNullable<LastGoodSettings["partition"]>,
    errors: ErrorListener,
  ): Promise<CacheKey | undefined> {
    try {
      const whose: unknown = await partition(request.toRequest());
      if (whose === undefined) return cacheKey(primary, request.headers, undefined);
      if (typeof whose === "string") {
        return cacheKey(primary, request.headers, await hashPartition(whose));
      }
      // Not the value: it may be a secret.
      throw invalidOption("keep a response", "lastGood.partition", A_STRING, typeof whose);
    } catch (error) {
      errors.reportError("partition", error);
      return undefined;
    }
  }

  /** What is kept for a request, whatever its age. */
  find(key: CacheKey, request: RequestHead): StoredResponse | undefined {
    return this.#memory.find(key, request.headers);
  }

  /**
   * What becomes of a good answer.
   *
   * @returns How to copy it on its way; or, if it passes as it came, whether it is kept; undefined
   * if what is kept is good enough.
   */
  keep(answer: Candidate): BodyRecorder | KeepResult | undefined {
    const { request, key, response, timing } = answer;
    const found = this.#memory.find(key, request.headers);
    // S18: what was asked for later stays as it is.
    const current = found !== undefined && found.head.order <= timing.order ? found : undefined;
    const isSame = current?.head.etag !== undefined &&
      current.head.etag === response.headers.get("etag");
    const isJustCopied = current !== undefined && this.#isJustCopied(current, timing);
    // Where nothing tells that it is the same, to call the kept one newer might be a lie.
    const staysAsItIs = isJustCopied && !isSame;
    if (staysAsItIs && !answer.isObserved && changesNothing(current, response)) return undefined;
    const seen = exchange(request, response, key.partitioned, this.settings);
    const refusal = obstacle(seen);
    if (refusal !== undefined) {
      const why = refusal.dropsOld ? foreignReason(response) : undefined;
      if (why !== undefined) return { why };
      if (refusal.dropsOld) this.#memory.remove(key, request.headers, timing.order);
      return { why: refusal.why };
    }
    if (this.#isVetoed(answer)) return { why: "veto" };
    if (staysAsItIs) return undefined;
    const why = foreignReason(response);
    if (why !== undefined) return { why };
    if (isSame && this.#freshens(current, isJustCopied, answer, seen)) return undefined;
    const head = storedHead(seen, timing, freshness(seen, timing.receivedAt));
    if (headSize(head) > MAX_HEAD_BYTES) return { why: "headers-too-large" };
    return this.#copy(answer, seen, head);
  }

  #isVetoed({ request, response, errors }: Candidate): boolean {
    const { keep } = this.settings;
    if (keep === undefined) return false;
    const { status, statusText, headers } = response;
    try {
      // Without the body: it belongs to the caller.
      const kept: unknown = keep(
        request.toRequest(),
        new Response(null, { status, statusText, headers }),
      );
      if (typeof kept === "boolean") return !kept;
      errors.reportError(
        "keep",
        invalidOption("keep a response", "lastGood.keep", "true or false", kept),
      );
    } catch (error) {
      errors.reportError("keep", error);
    }
    return false;
  }

  #isJustCopied({ copiedAt }: StoredResponse, { receivedAt }: Timing): boolean {
    const sinceMs = receivedAt - copiedAt;
    return sinceMs >= 0 && sinceMs < this.settings.refreshMs;
  }

  /**
   * Makes times and fields of what is kept new, where this is the very same by its validator
   * (RFC 9111 §4.3.4): a strong one or, of what was copied a moment ago, any.
   */
  #freshens(
    current: StoredResponse,
    isJustCopied: boolean,
    answer: Candidate,
    seen: Exchange,
  ): boolean {
    const { request, key, response, timing } = answer;
    if (isJustCopied) {
      const { order, receivedAt } = timing;
      current.head = {
        ...current.head,
        order,
        receivedAt,
        initialAgeMs: initialAgeMs(seen.fields, timing),
        freshness: freshness(seen, receivedAt),
      };
      return true;
    }
    const { etag = "", status } = current.head;
    if (!isStrong(etag) || response.status !== status) return false;
    const coding = seen.fields.get("content-encoding");
    const keptCoding = current.head.fields["content-encoding"];
    if (keptCoding !== undefined && keptCoding !== coding) return false;
    const whole = storedHead(seen, timing, freshness(seen, timing.receivedAt));
    const wasDecoded = coding !== null && keptCoding === undefined;
    const head = wasDecoded ? decodedHead(whole) : whole;
    const variant = variantOf(request, seen.vary ?? []);
    if (headSize(head) > MAX_HEAD_BYTES || keyLength(key, variant) > MAX_KEY_LENGTH) return false;
    this.#put(answer, { head, body: compactBody(current.body, head), variant });
    return true;
  }

  #copy(answer: Candidate, seen: Exchange, head: StoredHead): BodyRecorder | KeepResult {
    const { request, key, response } = answer;
    const { maxBodyBytes, maxBodyMs } = this.settings;
    const variant = variantOf(request, seen.vary ?? []);
    if (keyLength(key, variant) > MAX_KEY_LENGTH) return { why: "key-too-large" };
    const codings = codingsOf(seen.fields.get("content-encoding"));
    // Constructed responses are "default". Bun calls all so, and says whence they came.
    const isFetched = response.type !== "default";
    const byFetch = answer.byFetch || isFetched || response.url !== "";
    const length = parseLength(seen.fields.get("content-length") ?? "");
    let kept: StoredBody | undefined;
    const keep = (bytes: Uint8Array<ArrayBuffer>): KeepResult => {
      const wasDecoded = isDecoded({ codings, byFetch, length }, bytes);
      if (wasDecoded === undefined) return { why: "malformed" };
      // S12: a handler may hand over coded bytes, whose length is known.
      const isCut = codings.length > 0 && !wasDecoded && length !== undefined &&
        length !== bytes.length;
      if (isCut) return { why: "truncated" };
      kept = compactBody(bytes, head);
      return this.#put(answer, {
        head: wasDecoded ? decodedHead(head) : head,
        body: kept,
        variant,
      });
    };
    const { body } = response;
    if (response.bodyUsed || body?.locked) return { why: "body-used" };
    if (body === null) return keep(new Uint8Array(0));
    const expectedBytes = isDecodable(codings) ? undefined : length;
    if (expectedBytes !== undefined && expectedBytes > maxBodyBytes) return { why: "too-large" };
    return async ({ isAborted, onCopied }) => {
      const copy = new BodyCopy(body, {
        maxBytes: maxBodyBytes,
        maxMs: maxBodyMs,
        expectedBytes,
        isFetched,
        isAborted,
        onEnd: (end, bytes) => onCopied(end, end === "whole" ? keep(bytes) : { why: end }),
      });
      const passed = await copy.bodySoon();
      return withBody(response, passed instanceof Uint8Array ? kept ?? passed : passed);
    };
  }

  #put(
    { key, request, timing }: Pick<Candidate, "key" | "request" | "timing">,
    whole: Pick<StoredResponse, "head" | "body" | "variant">,
  ): KeepResult {
    const { head, body, variant } = whole;
    const size = body.length + headSize(head) + keyLength(key, variant);
    const stored = { ...whole, copiedAt: timing.receivedAt, size };
    const why = this.#memory.put(key, request.headers, stored);
    return why === undefined ? { bytes: body.length } : { why };
  }

  /** The origin has confirmed what is kept by a 304: it is as good as new (RFC 9111 §4.3.4). */
  confirm(answer: Candidate): void {
    const { request, key, response, timing } = answer;
    const current = this.#memory.find(key, request.headers);
    const confirming = { ...this.settings, statuses: ONLY_304 };
    const seen = exchange(request, response, key.partitioned, confirming);
    const refusal = obstacle(seen);
    if (refusal?.dropsOld) this.#memory.remove(key, request.headers, timing.order);
    if (refusal !== undefined || current === undefined) return;
    const { body, head: { status, statusText, fields, etag } } = current;
    // Another one was kept while the origin was asked: this is not about it.
    const confirmed = seen.fields.get("etag");
    if (confirmed !== null && (etag === undefined || !matchesEtag(confirmed, etag))) return;
    const head = storedHead(seen, timing, current.head.freshness);
    // What describes the body describes the one that is kept.
    const { "content-encoding": _coding, "content-type": _type, etag: _etag, ...renewed } =
      head.fields;
    const merged = { ...fields, ...renewed };
    // What the 304 does not repeat still holds, must-revalidate for one.
    const whole = exchange(
      request,
      new Response(null, { headers: merged }),
      key.partitioned,
      this.settings,
    );
    this.#put(answer, {
      head: {
        ...head,
        status,
        statusText,
        etag,
        fields: merged,
        freshness: freshness(whole, timing.receivedAt),
      },
      body,
      variant: variantOf(request, whole.vary ?? []),
    });
  }

  /**
   * S19: an unsafe request has changed what its URL means, and what its answer points to
   * (RFC 9111 §4.4).
   *
   * @param response Its answer; undefined if it may have done its work without one.
   */
  invalidate(request: RequestHead, response: Response | undefined, errors: ErrorListener): void {
    const order = this.nextOrder();
    const changed = [request];
    for (const name of ["location", "content-location"]) {
      const url = resolved(response?.headers.get(name), request.url);
      if (url?.origin === request.origin) changed.push(fetchHead(url, undefined));
    }
    for (const one of changed) {
      const primary = this.#primary(one, errors);
      if (primary !== undefined) this.#memory.removeAll(primary, order);
    }
  }

  /** Forgets every variant kept for the URL of a request, or everything. */
  forget(request: RequestHead | undefined, errors: ErrorListener): void {
    const order = this.nextOrder();
    const primary = request && this.#primary(request, errors);
    if (request === undefined) this.#memory.clear(order);
    else if (primary !== undefined) this.#memory.removeAll(primary, order);
  }
}

function resolved(reference: string | null | undefined, base: string): URL | undefined {
  if (typeof reference !== "string") return undefined;
  try {
    return new URL(reference, base);
  } catch {
    return undefined;
  }
}

const ONLY_304: ReadonlySet<number> = new Set([304]);

const A_STRING = "a string or undefined";

/**
 * Whether a later response leaves what is kept where it is, by the fields that could remove it: most
 * do, and to look at all fields takes a tenth of what it takes to get them.
 */
function changesNothing({ head }: StoredResponse, { status, headers }: Response): boolean {
  return status === head.status &&
    headers.get("cache-control") === (head.fields["cache-control"] ?? null);
}

/** The same response with its body on the way through a copy. */
function withBody(response: Response, body: BodyInit): Response {
  const passed = new Response(body, response);
  // A constructed response has no URL, and callers resolve links against it.
  const { url } = response;
  return url === "" ? passed : Object.defineProperty(passed, "url", { value: url });
}
