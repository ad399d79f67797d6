import { FieldMap, membersOf } from "../http/fields.ts";
import { variantOf } from "./cache_key.ts";
import type { Candidate, KeepResult, LaterResult } from "./candidate.ts";
import { olderCopy, refuse } from "./older_copy.ts";
import { type Exchange, exchange } from "./rules/exchange.ts";
import { type Freshness, freshness } from "./rules/freshness.ts";
import { type KeepRefusal, keepRefusal } from "./rules/storable.ts";
import { isKeyTooLong, type Parts, put, type Store } from "./store.ts";
import type { StoredHead } from "./stored_response.ts";

/** Puts a copy into memory once all handlers that may forbid it have run. */
export type Keeper = (parts: Parts) => KeepResult | LaterResult;

/**
 * Makes the keeper of a response that has not been handed on yet: handlers further out are still to
 * see it.
 */
export function keeper(store: Store, candidate: Candidate): Keeper {
  const outside = candidate.chain.outside();
  if (outside === undefined) return (parts) => put(store, candidate, parts);
  const hearing = new Hearing(store, candidate);
  outside.hear((response) => hearing.hear(response));
  return (parts) => hearing.keep(parts);
}

/**
 * Waits for both the copy of a response and the final response of its chain, in whichever order they
 * come, and decides then (H6). If a handler changes its response after that, it decides again.
 */
class Hearing implements LaterResult {
  readonly #store: Store;
  readonly #candidate: Candidate;
  #copy: Parts | undefined;
  #final: FinalFields | undefined;
  #kept: KeepResult | undefined;
  #listener: ((kept: KeepResult) => void) | undefined;

  constructor(store: Store, candidate: Candidate) {
    this.#store = store;
    this.#candidate = candidate;
  }

  keep(copy: Parts): KeepResult | LaterResult {
    this.#copy = copy;
    if (this.#final !== undefined) return this.#decide(copy, this.#final);
    return this;
  }

  onKept(listener: (kept: KeepResult) => void): void {
    this.#listener = listener;
    if (this.#kept !== undefined) listener(this.#kept);
  }

  hear(response: Response): void {
    try {
      const final = finalFields(response);
      if (final.decisive === this.#final?.decisive) return;
      this.#final = final;
      if (this.#copy === undefined) return;
      if (this.#kept !== undefined) dropOwn(this.#store, this.#candidate);
      const kept = this.#decide(this.#copy, final);
      this.#listener?.(kept);
    } catch (error) {
      // This runs within the app's own chain, which it must not break (promise 9).
      this.#candidate.errors.reportError("breaker", error);
    }
  }

  #decide(copy: Parts, final: FinalFields): KeepResult {
    return this.#kept = keepFinal(this.#store, this.#candidate, copy, final);
  }
}

/** Drops the copy that was just kept: a handler has changed its response since. */
function dropOwn({ memory }: Store, { key, request, timing }: Candidate): void {
  const found = memory.find(key, request.headers);
  if (found?.head.order === timing.order) memory.drop(key, found);
}

/** The response as handlers further out have left it. */
interface FinalFields {
  readonly status: number;
  readonly fields: FieldMap;
  /** The values of the {@link DECISIVE} ones, to see whether they have changed. */
  readonly decisive: string;
}

/** Policies that may name a nonce, which is in the body as well (S20). */
const POLICIES = ["content-security-policy", "content-security-policy-report-only"];

/**
 * These say who may get a response, wherever they were set. All others may be set for one client
 * alone.
 */
const DECISIVE = [
  "access-control-allow-origin",
  "cache-control",
  "cdn-cache-control",
  "pragma",
  "set-cookie",
  "surrogate-control",
  "vary",
  ...POLICIES,
];

function finalFields({ status, headers }: Response): FinalFields {
  const fields = new FieldMap(headers);
  return { status, fields, decisive: JSON.stringify(DECISIVE.map((name) => fields.get(name))) };
}

/** Keeps a copy unless a handler further out forbids it, under the stricter terms of both. */
function keepFinal(
  store: Store,
  candidate: Candidate,
  copy: Parts,
  final: FinalFields,
): KeepResult {
  const { key, request, timing } = candidate;
  const changed = DECISIVE.filter((name) => {
    const value = final.fields.get(name);
    return value !== null && value !== copy.head.fields[name];
  });
  if (changed.length === 0) return put(store, candidate, copy);
  const seen = exchangeOutside(store, candidate, copy, final);
  const refusal = nonceRefusal(changed, final) ?? keepRefusal(seen);
  if (refusal !== undefined) {
    // With another status it is another answer, which must not remove the older copy.
    const isAnother = final.status !== candidate.response.status;
    const judged: KeepRefusal = isAnother ? { why: refusal.why, old: "stays" } : refusal;
    return refuse(store, candidate, judged, olderCopy(store, candidate));
  }
  const variant = variantOf(request, seen.vary ?? []);
  if (isKeyTooLong(key, variant)) return { why: "key-too-large" };
  const head = {
    ...copy.head,
    freshness: stricter(copy.head.freshness, freshness(seen, timing.receivedAt)),
  };
  return put(store, candidate, { ...copy, head, variant });
}

/** The exchange as handlers further out see it, with the copy's own field where they have set none. */
function exchangeOutside(
  { settings }: Store,
  { request, key }: Candidate,
  { head }: Parts,
  { fields }: FinalFields,
): Exchange {
  const all = new FieldMap(undefined);
  for (const name in head.fields) all.all.set(name, head.fields[name]!);
  for (const name of DECISIVE) {
    const value = fields.get(name);
    if (value !== null) all.all.set(name, value);
  }
  all.all.set("vary", varyOf(head, fields));
  const { status, statusText } = head;
  const response = { status, statusText } as Response;
  return exchange(request, response, key.owner !== "", settings, all);
}

/** All that it varies on, except for a coding that middleware further out applies for each client. */
function varyOf({ fields: kept }: StoredHead, fields: FieldMap): string {
  const isCoded = kept["content-encoding"] !== undefined;
  const outer = membersOf(fields.get("vary")).filter((name) =>
    isCoded || name.toLowerCase() !== "accept-encoding"
  );
  return [kept["vary"] ?? "", ...outer].filter((name) => name !== "").join(",");
}

/** The body carries the nonce of its own policy, and each answer gets another one (S20). */
function nonceRefusal(
  changed: readonly string[],
  { fields }: FinalFields,
): KeepRefusal | undefined {
  const hasNonce = POLICIES.some((name) =>
    changed.includes(name) && /'nonce-/i.test(fields.get(name) ?? "")
  );
  return hasNonce ? { why: "nonce", old: "stays" } : undefined;
}

function stricter(one: Freshness, other: Freshness): Freshness {
  return {
    lifetimeMs: least(one.lifetimeMs, other.lifetimeMs),
    onlyWhileFresh: one.onlyWhileFresh || other.onlyWhileFresh,
    staleIfErrorMs: least(one.staleIfErrorMs, other.staleIfErrorMs),
    isPublic: one.isPublic && other.isPublic,
    isReplayed: one.isReplayed,
  };
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.min(one, other);
}
