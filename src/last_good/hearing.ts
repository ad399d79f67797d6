import { FieldMap } from "../http/fields.ts";
import { variantOf } from "./cache_key.ts";
import type { Candidate, KeepResult, LaterResult } from "./candidate.ts";
import { olderCopy, refuse } from "./older_copy.ts";
import { type Exchange, exchange } from "./rules/exchange.ts";
import { type Freshness, freshness } from "./rules/freshness.ts";
import { type KeepRefusal, keepRefusal } from "./rules/storable.ts";
import { isKeyTooLong, type Parts, put, type Store } from "./store.ts";
import type { StoredHead } from "./stored_response.ts";

/** Puts a copy into memory, once everybody has been heard who may forbid it. */
export type Keeper = (parts: Parts) => KeepResult | LaterResult;

/** Makes the keeper of a response, which is not handed on yet: nobody further out has seen it. */
export function keeper(store: Store, candidate: Candidate): Keeper {
  const outside = candidate.chain.outside();
  if (outside === undefined) return (parts) => put(store, candidate, parts);
  const hearing = new Hearing(store, candidate);
  outside.hear((response) => hearing.hear(response));
  return (parts) => hearing.keep(parts);
}

/** The last word about a response and its copy, whichever comes first (H6). */
class Hearing implements LaterResult {
  readonly #store: Store;
  readonly #candidate: Candidate;
  #copy: Parts | undefined;
  #said: Said | undefined;
  #kept: KeepResult | undefined;
  #listener: ((kept: KeepResult) => void) | undefined;

  constructor(store: Store, candidate: Candidate) {
    this.#store = store;
    this.#candidate = candidate;
  }

  keep(copy: Parts): KeepResult | LaterResult {
    this.#copy = copy;
    if (this.#said !== undefined) return this.#decide(copy, this.#said);
    return this;
  }

  onKept(listener: (kept: KeepResult) => void): void {
    this.#listener = listener;
    if (this.#kept !== undefined) listener(this.#kept);
  }

  hear(response: Response): void {
    try {
      const said = saidBy(response);
      if (said.words === this.#said?.words) return;
      this.#said = said;
      if (this.#copy === undefined) return;
      if (this.#kept !== undefined) dropOwn(this.#store, this.#candidate);
      const kept = this.#decide(this.#copy, said);
      this.#listener?.(kept);
    } catch (error) {
      // Nobody waits for this: it must not break the answer (promise 9).
      this.#candidate.errors.reportError("breaker", error);
    }
  }

  #decide(copy: Parts, said: Said): KeepResult {
    return this.#kept = keepHeard(this.#store, this.#candidate, copy, said);
  }
}

/** Drops the copy after all: somebody has had more to say about it. */
function dropOwn({ memory }: Store, { key, request, timing }: Candidate): void {
  const found = memory.find(key, request.headers);
  if (found?.head.order === timing.order) memory.drop(key, found);
}

/** What a response says, as those further out have left it, about who may get it. */
interface Said {
  readonly status: number;
  readonly fields: FieldMap;
  /** All that counts, to see whether it has changed. */
  readonly words: string;
}

/** Policies that may name a nonce, which is in the body as well (S20). */
const POLICIES = ["content-security-policy", "content-security-policy-report-only"];

/** These count wherever they were set; all others are set anew for each client. */
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

function saidBy({ status, headers }: Response): Said {
  const fields = new FieldMap(headers);
  return { status, fields, words: JSON.stringify(DECISIVE.map((name) => fields.get(name))) };
}

function keepHeard(store: Store, candidate: Candidate, copy: Parts, said: Said): KeepResult {
  const { key, request, timing } = candidate;
  const changed = DECISIVE.filter((name) => {
    const value = said.fields.get(name);
    return value !== null && value !== copy.head.fields[name];
  });
  if (changed.length === 0) return put(store, candidate, copy);
  const seen = exchangeOutside(store, candidate, copy, said);
  const refusal = nonceRefusal(changed, said) ?? keepRefusal(seen);
  if (refusal !== undefined) {
    // Another status is another answer, which says nothing about the page.
    const isAbout = said.status === candidate.response.status;
    const { why } = refusal;
    return refuse(
      store,
      candidate,
      isAbout ? refusal : { why, old: "stays" },
      olderCopy(store, candidate),
    );
  }
  const variant = variantOf(request, seen.vary ?? []);
  if (isKeyTooLong(key, variant)) return { why: "key-too-large" };
  const head = {
    ...copy.head,
    freshness: stricter(copy.head.freshness, freshness(seen, timing.receivedAt)),
  };
  return put(store, candidate, { ...copy, head, variant });
}

/** The exchange as those outside see it, with the fields of the copy where they say nothing. */
function exchangeOutside(
  { settings }: Store,
  { request, key }: Candidate,
  { head }: Parts,
  { fields }: Said,
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

/** All that it varies on, but for a coding of the body that those outside do anew for each client. */
function varyOf({ fields: kept }: StoredHead, fields: FieldMap): string {
  const names = (fields.get("vary") ?? "").split(",").map((name) => name.trim());
  const isCoded = kept["content-encoding"] !== undefined;
  const outer = names.filter((name) => isCoded || name.toLowerCase() !== "accept-encoding");
  return [kept["vary"] ?? "", ...outer].filter((name) => name !== "").join(",");
}

/** The body carries the nonce of its own policy, and each answer gets another one (S20). */
function nonceRefusal(changed: readonly string[], { fields }: Said): KeepRefusal | undefined {
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
  };
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.min(one, other);
}
