import type { CallPermit } from "../circuit/permit.ts";
import { Call, type Caller } from "../circuit/call.ts";
import { type Verdict, verdictOf } from "../circuit/verdict.ts";
import { emit } from "../observe/events.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import { parseRetryAfter } from "../http/fields.ts";
import type { BodyRecorder, Candidate, KeepResult, LastGood } from "../last_good/last_good.ts";
import type { Timing } from "../last_good/stored_response.ts";
import { discard, type GuardSettings, isResponse, type RequestContext } from "./request_context.ts";

/** When a call began, and its place in the order of all. */
type CallStart = Omit<Timing, "receivedAt">;

/** What came of a call. */
export type Outcome =
  /** An answer to hand on; with `copied`, work goes on until that is over. */
  | { readonly type: "good"; readonly response: Response; readonly copied?: Promise<void> }
  | {
    readonly type: "failed";
    readonly cause: unknown;
    readonly response: Response | undefined;
    readonly why: "origin-error" | "timeout";
  }
  | { readonly type: "aborted"; readonly reason: unknown };

/** A call under way. */
export interface Running {
  readonly call: Call<Response>;
  /** What comes of it. Never rejects. */
  readonly ending: Promise<Outcome>;
}

/** Calls the upstream, counts what comes of it, and keeps what may be kept. */
export class UpstreamCaller {
  readonly #settings: GuardSettings;
  readonly #lastGood: LastGood | undefined;

  constructor(settings: GuardSettings, lastGood: LastGood | undefined) {
    this.#settings = settings;
    this.#lastGood = lastGood;
  }

  /**
   * Calls for a caller who waits.
   *
   * @param mayBeReleased Whether the caller may be answered from elsewhere before it ends.
   */
  call(context: RequestContext, permit: CallPermit, mayBeReleased: boolean): Running {
    const start = this.#begin(context);
    const call = this.#start(context, context.request, mayBeReleased);
    return { call, ending: this.#end(context, permit, call, start) };
  }

  /**
   * Calls behind an answer from memory: the call is nobody's, so nobody can abort it.
   *
   * @param keptEtag The entity tag of what is kept: if the upstream confirms it, that will do.
   */
  callBehind(
    context: RequestContext,
    permit: CallPermit,
    keptEtag: string | undefined,
  ): Promise<Outcome> {
    context.isReleased = true;
    const etag = context.byFetch && !isConditional(context.request) ? keptEtag : undefined;
    const start = this.#begin(context);
    const call = this.#start(context, undefined, false, etag);
    return this.#end(context, permit, call, start, etag);
  }

  /** Taken before the call: a handler may do much before it first waits. */
  #begin({ key }: RequestContext): CallStart {
    const requestedAt = key === undefined ? 0 : this.#settings.now();
    return { order: this.#lastGood?.nextOrder() ?? 0, requestedAt };
  }

  #start(
    context: RequestContext,
    caller: Caller | undefined,
    mayBeReleased: boolean,
    etag?: string,
  ): Call<Response> {
    const { deadlines } = this.#settings;
    return new Call((signal) => context.produce(signal, etag), {
      caller,
      deadlines,
      // A caller who is not to reach the call must be kept from it by a signal of its own.
      takesSignal: context.takesSignal ||
        ((mayBeReleased || context.isReleased) && context.request.signal !== undefined),
      mayRelease: mayBeReleased,
      onLateResult: discard,
    });
  }

  /** Waits for a call, counts it, and keeps what may be kept. Never rejects. */
  async #end(
    context: RequestContext,
    permit: CallPermit,
    call: Call<Response>,
    start: CallStart,
    etag?: string,
  ): Promise<Outcome> {
    const { request, key } = context;
    const { now } = this.#settings;
    let response: Response;
    try {
      response = await call.result;
    } catch (error) {
      const detail = { error };
      if (call.endedBy === "abort") {
        permit.end("ignored", { detail, why: "aborted" });
        return { type: "aborted", reason: error };
      }
      const verdict = call.endedBy === "timeout"
        ? "failure"
        : this.#judged(context, { status: "rejected", reason: error }, "failure");
      permit.end(verdict, { detail });
      // S19: nobody knows how far it got.
      if (isUnsafe(request)) this.#lastGood?.invalidate(request, undefined, context);
      const why = call.endedBy === "timeout" ? "timeout" : "origin-error";
      return { type: "failed", cause: error, response: undefined, why };
    }
    if (!isResponse(response)) {
      permit.end("success");
      return { type: "good", response };
    }
    const { status } = response;
    const verdict = this.#judged(
      context,
      { status: "fulfilled", value: response },
      usual(response),
    );
    if (isUnsafe(request) && status >= 200 && status < 400) {
      this.#lastGood?.invalidate(request, response, context);
    }
    if (verdict !== "success") {
      permit.end(verdict, { detail: { status }, ...this.#retryAfter(response) });
      if (verdict === "ignored") return { type: "good", response };
      return { type: "failed", cause: response, response, why: "origin-error" };
    }
    if (key === undefined) {
      permit.end("success", { detail: { status } });
      return { type: "good", response };
    }
    const timing = { ...start, receivedAt: now() };
    const { byFetch } = context;
    const isObserved = this.#settings.onEvent !== undefined;
    const answer = { request, key, response, timing, byFetch, isObserved, errors: context };
    if (status === 304 && etag !== undefined) {
      this.#lastGood?.confirm(answer);
      permit.end("success", { detail: { status } });
      return { type: "good", response };
    }
    const record = this.#lastGood?.keep(answer);
    if (typeof record === "function") {
      return await this.#copied(context, permit, answer, record);
    }
    permit.end("success", isObserved ? { detail: { status } } : undefined);
    if (record !== undefined) this.#tellKept(context, record);
    return { type: "good", response };
  }

  /** Hands on an answer that is copied on its way: it counts when the copy ends. */
  async #copied(
    context: RequestContext,
    permit: CallPermit,
    { response: { status }, timing: timing }: Candidate,
    record: BodyRecorder,
  ): Promise<Outcome> {
    const { request } = context;
    let onOver = () => {};
    const copied = new Promise<void>((resolve) => onOver = resolve);
    permit.headReceived(timing.receivedAt);
    const response = await record({
      isAborted: () => !context.isReleased && request.signal?.aborted === true,
      onCopied: (how, kept) => {
        const isCut = how === "broken" || how === "truncated";
        permit.end(isCut ? "failure" : "success", { detail: { status } });
        this.#tellKept(context, kept);
        onOver();
      },
    });
    return { type: "good", response, copied };
  }

  #judged(
    context: RequestContext,
    outcome: PromiseSettledResult<Response>,
    defaultVerdict: Verdict,
  ): Verdict {
    return verdictOf(
      this.#settings.judge,
      outcome,
      defaultVerdict,
      (error) => context.reportError("judge", error),
    );
  }

  /** Promise 26: what the upstream asks for, when its answer opens the circuit. */
  #retryAfter({ status, headers }: Response): { retryAfterMs?: number; opens?: string } {
    const { onRetryAfter, maxDelayMs, now } = this.#settings;
    const asked = parseRetryAfter(headers.get("retry-after"), now());
    if (asked === undefined) return {};
    const retryAfterMs = Math.min(asked, maxDelayMs);
    return onRetryAfter === "open" && (status === 429 || status === 503)
      ? { retryAfterMs, opens: `the upstream answered ${status} with Retry-After` }
      : { retryAfterMs };
  }

  #tellKept({ request, circuit: { name: circuit } }: RequestContext, kept: KeepResult): void {
    const { onEvent, now } = this.#settings;
    if (onEvent === undefined) return;
    const about = { circuit, at: now(), url: request.url };
    emit(
      onEvent,
      "why" in kept
        ? { type: "not_kept", ...about, why: kept.why }
        : { type: "kept", ...about, bytes: kept.bytes },
    );
  }
}

/** F1: the default verdict on a response. */
function usual(response: Response): Verdict {
  const { status } = response;
  if (status >= 500 && status !== 501) return "failure";
  if (status === 0 && response.type === "error") return "failure";
  return status === 408 || status === 425 || status === 429 ? "ignored" : "success";
}

/** S19: RFC 9110 §9.2.1, and QUERY, which is safe as well. */
function isUnsafe({ method }: RequestHead): boolean {
  return !SAFE.has(method);
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);

/** A 304 to a request of this kind confirms what its caller has, not what is kept. */
function isConditional({ headers }: RequestHead): boolean {
  return headers.has("if-none-match") || headers.has("if-modified-since");
}
