import { admit } from "../circuit/circuit.ts";
import { Deadlines } from "../circuit/deadlines.ts";
import type { CallPermit } from "../circuit/permit.ts";
import { Refusal } from "../circuit/refusal.ts";
import { CircuitOpenError, problem } from "../errors.ts";
import { discard, isResponse } from "../http/body.ts";
import type { CacheKey } from "../last_good/cache_key.ts";
import type { LastGood } from "../last_good/last_good.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import type { StoredResponse } from "../last_good/stored_response.ts";
import {
  fitsCaller,
  isFresh,
  isNewEnough,
  isOnlyIfCached,
  isWithinFreshMs,
} from "../last_good/rules/early_answer.ts";
import { isAnswerable } from "../last_good/rules/servable.ts";
import { invalidOption } from "../validation.ts";
import type { BackgroundWork } from "./background.ts";
import { KeptAnswers } from "./kept_answers.ts";
import type { GuardSettings } from "./options.ts";
import type { RequestContext } from "./request_context.ts";
import { endsWithin, withinLimit } from "./time_limit.ts";
import { type HandOn, type Outcome, UpstreamCaller } from "./upstream_call.ts";

/**
 * Answers one request after the other: from the upstream, from memory, by the fallback, or with an
 * error. It joins the two halves, the circuit that decides when to call and the last good answers.
 */
export class Guard {
  readonly #settings: GuardSettings;
  readonly #lastGood: LastGood | undefined;
  readonly #background: BackgroundWork;
  readonly #upstream: UpstreamCaller;
  readonly #kept: KeptAnswers;
  /** How long callers wait for what is slow; undefined if they wait to the end. */
  readonly #patience: Deadlines | undefined;
  /** When a slow call in the background began to replace a copy, by the clock, in ms. */
  readonly #replacedSince = new WeakMap<StoredResponse, number>();
  #slowCalls = 0;

  constructor(
    settings: GuardSettings,
    lastGood: LastGood | undefined,
    background: BackgroundWork,
  ) {
    this.#settings = settings;
    this.#lastGood = lastGood;
    this.#background = background;
    this.#upstream = new UpstreamCaller(settings, lastGood, background);
    this.#kept = new KeptAnswers(settings, lastGood);
    const { patienceMs } = lastGood?.settings ?? { patienceMs: Infinity };
    this.#patience = patienceMs === Infinity ? undefined : new Deadlines(patienceMs);
  }

  /** Answers a request, at once if no call and no `partition` has to be waited for. */
  answer(context: RequestContext): Response | Promise<Response> {
    const key = this.#lastGood?.key(context.request, context.place, context);
    return key instanceof Promise
      ? key.then((key) => this.#answer(context, key))
      : this.#answer(context, key);
  }

  #answer(context: RequestContext, key: CacheKey | undefined): Response | Promise<Response> {
    context.key = key;
    const { circuit, request } = context;
    // An abort goes before all else, whatever the state (promise 8).
    if (context.isOver || (!request.justArrived && request.signal?.aborted)) {
      return context.leave(request.signal?.reason);
    }
    const at = this.#looksFirst(request) ? this.#settings.now() : undefined;
    const early = at === undefined ? undefined : this.#withoutCalling(context, at);
    if (early !== undefined) return early;
    const admitted = admit(circuit, at);
    if (admitted instanceof Refusal) return this.#refused(context, admitted);
    return admitted.isProbe ? this.#probe(context, admitted) : this.#call(context, admitted);
  }

  /** Reports whether a request may be answered without a call although the circuit lets it pass. */
  #looksFirst(request: RequestHead): boolean {
    const lastGood = this.#lastGood;
    return lastGood !== undefined &&
      (lastGood.settings.freshMs > 0 || this.#slowCalls > 0 || isOnlyIfCached(request));
  }

  /**
   * Answers what needs no call: the app's own `only-if-cached` (F4), what is younger than `freshMs`,
   * and what a slow call in the background is about to replace.
   */
  #withoutCalling(context: RequestContext, at: number): Response | undefined {
    const { request } = context;
    const isOnly = isOnlyIfCached(request) && isAnswerable(request);
    const kept = this.#kept.find(context, at);
    const early = kept && this.#early(context, kept, isOnly, at);
    if (kept !== undefined && early !== undefined) {
      return early === "fresh"
        ? this.#kept.serve(context, kept, early, { hit: early }, at)
        : this.#kept.serve(context, kept, early, { stale: early }, at);
    }
    return isOnly
      ? problem(504, "Gateway Timeout", "Nothing fresh is kept for this request")
      : undefined;
  }

  /** Says why a copy is served without a call; undefined if it is not. */
  #early(
    context: RequestContext,
    kept: StoredResponse,
    isOnly: boolean,
    now: number,
  ): "fresh" | "slow" | undefined {
    const { request, key } = context;
    const { settings } = this.#lastGood!;
    const isAsked = isOnly && isFresh(kept, now);
    const isYoung = isAsked || isWithinFreshMs(kept, now, settings);
    if (!isYoung && (isOnly || !this.#isBeingReplaced(context, kept, now))) return undefined;
    if (!isNewEnough(kept, request, now)) return undefined;
    if (!isAsked && !fitsCaller(kept, request, key)) return undefined;
    return isYoung ? "fresh" : "slow";
  }

  #refused(context: RequestContext, refusal: Refusal): Response | Promise<Response> {
    const { at, why } = refusal;
    const kept = this.#kept.find(context, at);
    if (kept !== undefined) {
      return why === "probing"
        ? this.#kept.serve(context, kept, "probing", { hit: "probing" }, at)
        : this.#kept.serve(context, kept, "open", { hit: "circuit-open" }, at);
    }
    const error = new CircuitOpenError(context.circuit.name, refusal.retryAfterMs);
    if (this.#settings.fallback === undefined) return context.refuse(error);
    return this.#fallback(context, error).then((response) => response ?? context.refuse(error));
  }

  /**
   * A probe runs in the background of what is served, so that its caller need not wait (promise
   * 24).
   */
  #probe(context: RequestContext, permit: CallPermit): Response | Promise<Response> {
    if (this.#settings.mode === "enforce" && context.background !== false) {
      const at = permit.startedAt;
      const kept = this.#kept.find(context, at);
      if (kept !== undefined && this.#background.canRun(context)) {
        const outcome = this.#upstream.callInBackground(context, permit, kept.head.etag);
        this.#background.run(context, ended(outcome));
        return this.#kept.serve(context, kept, "probing", { hit: "probing" }, at);
      }
    }
    return this.#call(context, permit);
  }

  #call(context: RequestContext, permit: CallPermit): Promise<Response> {
    const patience = this.#isPatient(context) ? this.#patience : undefined;
    return patience === undefined
      ? this.#upstream.call(context, permit, this.#handOn)
      : this.#callPatiently(context, permit, patience);
  }

  async #callPatiently(
    context: RequestContext,
    permit: CallPermit,
    patience: Deadlines,
  ): Promise<Response> {
    const { call, outcome } = this.#upstream.callReleasably(context, permit);
    const kept = await endsWithin(outcome, patience) ? undefined : this.#stopgap(context, patience);
    if (kept === undefined) return this.#handOn(context, await outcome);
    context.isReleased = true;
    call.release();
    this.#background.run(context, this.#replacing(kept, outcome));
    return this.#kept.serve(context, kept, "slow", { stale: "slow" }, this.#settings.now());
  }

  /** Answers a caller who has waited for the end of the call. */
  readonly #handOn: HandOn = (context, outcome) => {
    switch (outcome.type) {
      case "good":
        if (outcome.copied !== undefined) this.#background.run(context, outcome.copied);
        return outcome.response;
      case "aborted":
        return context.leave(outcome.reason, outcome.given);
      case "failed":
        return this.#failed(context, outcome);
    }
  };

  /** Reports whether its caller is answered by what is kept if the call takes long (promise 25). */
  #isPatient(context: RequestContext): boolean {
    const patience = this.#patience;
    return patience !== undefined && context.background !== false &&
      this.#stopgap(context, patience) !== undefined && this.#background.canRun(context);
  }

  /** Returns what a caller gets whose call takes long; undefined if there is nothing for them. */
  #stopgap(context: RequestContext, patience: Deadlines): StoredResponse | undefined {
    const { request, key } = context;
    const now = this.#settings.now();
    const kept = this.#kept.find(context, now);
    if (kept === undefined || !fitsCaller(kept, request, key)) return undefined;
    // With `patienceMs: 0` nobody has waited yet, so the upstream may well be fine.
    const isWell = patience.ms === 0;
    return isWell && !isNewEnough(kept, request, now) ? undefined : kept;
  }

  /** Waits for a slow call that goes on in the background: until then, all callers get this copy. */
  async #replacing(kept: StoredResponse, outcome: Promise<Outcome>): Promise<void> {
    this.#replacedSince.set(kept, this.#settings.now());
    this.#slowCalls++;
    try {
      await ended(outcome);
    } finally {
      this.#slowCalls--;
      this.#replacedSince.delete(kept);
    }
  }

  /**
   * Reports whether a slow call in the background is about to replace this copy. It loses that right
   * like a probe its lease, as a call that dies with its host never ends.
   */
  #isBeingReplaced({ circuit }: RequestContext, kept: StoredResponse, now: number): boolean {
    const since = this.#replacedSince.get(kept);
    if (since === undefined || circuit.state !== "closed") return false;
    const forMs = now - since;
    return forMs >= 0 && forMs < this.#settings.probeTimeoutMs;
  }

  /** Answers a failed call: last good, then fallback, then what the upstream gave (promise 23). */
  async #failed(
    context: RequestContext,
    { cause, response, why, endedBy }: Outcome & { type: "failed" },
  ): Promise<Response> {
    const servesOnFailure = this.#lastGood?.settings.serveOn === "failure";
    const at = servesOnFailure ? this.#settings.now() : 0;
    const kept = servesOnFailure ? this.#kept.find(context, at) : undefined;
    if (kept !== undefined) {
      discard(response);
      const status = response && { status: response.status };
      return this.#kept.serve(context, kept, "failure", { stale: why, ...status }, at);
    }
    const instead = await this.#fallback(context, cause);
    if (instead !== undefined) {
      if (response !== undefined && instead.body !== response.body) discard(response);
      return instead;
    }
    return response ?? context.fail(cause, endedBy);
  }

  async #fallback(context: RequestContext, cause: unknown): Promise<Response | undefined> {
    const { fallback } = this.#settings;
    if (fallback === undefined) return undefined;
    try {
      const given = fallback(context.request.toRequest(), cause);
      // A promise may be of any class.
      const response: unknown = isResponse(given)
        ? given
        : await withinLimit(Promise.resolve(given), this.#settings.deadlines, discard);
      if (isResponse(response)) return response;
      throw invalidOption("answer", "fallback", "a function that gives a response", response);
    } catch (error) {
      context.reportError("fallback", error);
      return undefined;
    }
  }
}

/** Resolves when a call in the background and the copy of its response have ended. */
async function ended(running: Promise<Outcome>): Promise<void> {
  const outcome = await running;
  if (outcome.type === "aborted") return;
  if (outcome.type === "good") await outcome.copied;
  discard(outcome.response);
}
