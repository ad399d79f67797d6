import type { CallPermit } from "../circuit/permit.ts";
import { admit } from "../circuit/circuit.ts";
import { CircuitOpenError, problem } from "../errors.ts";
import { emit, type StaleReason } from "../observe/events.ts";
import { outlivesAnswer } from "../runtime.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import type { CacheKey } from "../last_good/cache_key.ts";
import type { LastGood } from "../last_good/last_good.ts";
import {
  cacheStatus,
  isAnswerable,
  isServable,
  isWithinFreshMs,
  requestDirectives,
  type Served,
} from "../last_good/rules/servable.ts";
import { ageMs, servedResponse, type StoredResponse } from "../last_good/stored_response.ts";
import { discard, type GuardSettings, isResponse, type RequestContext } from "./request_context.ts";
import { type Outcome, UpstreamCaller } from "./upstream_call.ts";
import { invalidOption } from "../validation.ts";
import type { BackgroundWork } from "./background.ts";

/** The way of a request between a circuit and what is kept. */
export class Guard {
  readonly #settings: GuardSettings;
  readonly #lastGood: LastGood | undefined;
  readonly #upstream: UpstreamCaller;
  readonly #work: BackgroundWork;

  constructor(settings: GuardSettings, lastGood: LastGood | undefined, work: BackgroundWork) {
    this.#settings = settings;
    this.#lastGood = lastGood;
    this.#upstream = new UpstreamCaller(settings, lastGood);
    this.#work = work;
  }

  /** Answers a request: by the upstream, from memory, by the fallback, or not at all. */
  answer(context: RequestContext): Response | Promise<Response> {
    const key = this.#lastGood?.key(context.request, context);
    return key instanceof Promise
      ? key.then((key) => this.#answer(context, key))
      : this.#answer(context, key);
  }

  #answer(context: RequestContext, key: CacheKey | undefined): Response | Promise<Response> {
    const { request, circuit } = context;
    context.key = key;
    const early = this.#lastGood && this.#withoutCall(context, this.#lastGood);
    if (early !== undefined) return early;
    // Who is refused needs no signal, and servers make theirs only when it is asked for.
    if (circuit.retryAfterMs === 0) throwIfAborted(request);
    const permit = admit(circuit);
    if (permit === undefined) return this.#refused(context);
    if (permit.isProbe && this.#settings.mode === "enforce" && this.#mayRunBehind(context)) {
      const kept = this.#kept(context);
      if (kept !== undefined) {
        const ending = this.#upstream.callBehind(context, permit, kept.head.etag);
        this.#runBehind(context, finished(ending));
        return this.#serve(context, kept, "probing", { hit: "probing" });
      }
    }
    return this.#call(context, permit);
  }

  /** Answers that need no call: F4's only-if-cached, and what is young enough. */
  #withoutCall(context: RequestContext, { settings }: LastGood): Response | undefined {
    const { request } = context;
    if (requestDirectives(request).has("only-if-cached") && isAnswerable(request)) {
      const kept = this.#kept(context);
      if (kept !== undefined) return this.#serve(context, kept, "only-if-cached", { hit: "asked" });
      return problem(504, "Gateway Timeout", "Nothing is kept for this request");
    }
    if (settings.freshMs === 0) return undefined;
    const kept = this.#kept(context);
    const now = this.#settings.now();
    if (kept === undefined || !isWithinFreshMs(kept, request, now, settings)) return undefined;
    return this.#serve(context, kept, "fresh", { hit: "fresh" });
  }

  #refused(context: RequestContext): Response | Promise<Response> {
    const { circuit } = context;
    const kept = this.#kept(context);
    if (kept !== undefined) {
      return circuit.state === "half_open"
        ? this.#serve(context, kept, "probing", { hit: "probing" })
        : this.#serve(context, kept, "open", { hit: "circuit-open" });
    }
    const error = new CircuitOpenError(circuit.name, circuit.retryAfterMs);
    if (this.#settings.fallback === undefined) return context.refuse(error);
    return this.#fallback(context, error).then((response) => response ?? context.refuse(error));
  }

  async #call(context: RequestContext, permit: CallPermit): Promise<Response> {
    const patienceMs = this.#patienceMs(context);
    const { call, ending } = this.#upstream.call(context, permit, patienceMs !== Infinity);
    if (patienceMs !== Infinity && !await endsWithin(ending, patienceMs)) {
      const kept = this.#kept(context);
      if (kept !== undefined) {
        context.isReleased = true;
        call.release();
        this.#runBehind(context, finished(ending));
        return this.#serve(context, kept, "slow", { stale: "slow" });
      }
    }
    const outcome = await ending;
    switch (outcome.type) {
      case "good":
        if (outcome.copied !== undefined) this.#runBehind(context, outcome.copied);
        return outcome.response;
      case "aborted":
        throw outcome.reason;
      case "failed":
        return await this.#failed(context, outcome);
    }
  }

  async #failed(context: RequestContext, outcome: Outcome & { type: "failed" }): Promise<Response> {
    const { cause, response, why } = outcome;
    const kept = this.#lastGood?.settings.serveOn === "failure" ? this.#kept(context) : undefined;
    if (kept !== undefined) {
      discard(response);
      const status = response && { status: response.status };
      return this.#serve(context, kept, "failure", { stale: why, ...status });
    }
    const instead = await this.#fallback(context, cause);
    if (instead !== undefined) {
      if (response !== undefined && instead.body !== response.body) discard(response);
      return instead;
    }
    if (response === undefined) throw cause;
    return response;
  }

  async #fallback(context: RequestContext, cause: unknown): Promise<Response | undefined> {
    const { fallback } = this.#settings;
    if (fallback === undefined) return undefined;
    try {
      const response: unknown = await fallback(context.request.toRequest(), cause);
      if (isResponse(response)) return response;
      throw invalidOption("answer", "fallback", "a function that gives a response", response);
    } catch (error) {
      context.reportError("fallback", error);
      return undefined;
    }
  }

  // ---- Memory ----

  /** What may be served to this request now, in place of the upstream's own answer. */
  #kept({ request, key }: RequestContext): StoredResponse | undefined {
    const lastGood = this.#lastGood;
    if (lastGood === undefined || key === undefined || !isAnswerable(request)) return undefined;
    const kept = lastGood.find(key, request);
    if (kept === undefined) return undefined;
    return isServable(kept, request, this.#settings.now(), lastGood.settings) ? kept : undefined;
  }

  #serve(
    context: RequestContext,
    kept: StoredResponse,
    why: StaleReason | "fresh",
    served: Served,
  ): Response {
    const { onEvent, now } = this.#settings;
    const { request, circuit } = context;
    const at = now();
    if (onEvent !== undefined) {
      const about = { circuit: circuit.name, at, url: request.url, ageMs: ageMs(kept, at) };
      emit(onEvent, why === "fresh" ? { type: why, ...about } : { type: "stale", ...about, why });
    }
    return servedResponse(
      kept,
      request,
      at,
      cacheStatus(this.#lastGood?.settings.cacheStatus, kept, at, served),
    );
  }

  // ---- Behind the answer ----

  /** Promise 25, where something is kept and the call may go on behind it. */
  #patienceMs(context: RequestContext): number {
    const { patienceMs } = this.#lastGood?.settings ?? { patienceMs: Infinity };
    if (patienceMs === Infinity || !this.#mayRunBehind(context)) return Infinity;
    return this.#kept(context) === undefined ? Infinity : patienceMs;
  }

  #mayRunBehind(context: RequestContext): boolean {
    return context.mayRunInBackground && (context.waitUntil() !== undefined || outlivesAnswer());
  }

  #runBehind(context: RequestContext, work: Promise<void>): void {
    this.#work.add(work);
    try {
      context.waitUntil()?.(work);
    } catch (error) {
      context.reportError("waitUntil", error);
    }
  }
}

function throwIfAborted(request: RequestHead): void {
  if (!request.justArrived && request.signal?.aborted) throw request.signal.reason;
}

/** Ends when a call behind an answer and the copy of its response are over. */
async function finished(ending: Promise<Outcome>): Promise<void> {
  const outcome = await ending;
  if (outcome.type === "aborted") return;
  if (outcome.type === "good") await outcome.copied;
  discard(outcome.response);
}

/** Whether `ending` comes within so many ms. */
async function endsWithin(ending: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([ending.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
