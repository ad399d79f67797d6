import { Call, type Caller } from "../circuit/call.ts";
import { endRejected } from "../circuit/cause.ts";
import type { CallPermit } from "../circuit/permit.ts";
import { isRefusal } from "../errors.ts";
import { discard } from "../http/body.ts";
import type { LastGood } from "../last_good/last_good.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import type { Timing } from "../last_good/stored_response.ts";
import type { Cause } from "../observe/events.ts";
import type { BackgroundWork } from "./background.ts";
import { blameForResponse, endOf, judgeFor } from "./blame.ts";
import { GoodAnswers, isConditional } from "./good_answers.ts";
import type { GuardSettings } from "./options.ts";
import type { RequestContext } from "./request_context.ts";

/** When a call began and was answered, and what it asks. */
export interface CallStart extends Timing {
  receivedAt: number;
  /** The entity tag that the upstream is asked to confirm, if it is. */
  readonly etag: string | undefined;
}

/** The outcome of a call. */
export type Outcome =
  /** An answer to hand on; with `copied`, its body is being copied until that resolves. */
  | { readonly type: "good"; readonly response: Response; readonly copied?: Promise<void> }
  | {
    readonly type: "failed";
    readonly cause: unknown;
    readonly response: Response | undefined;
    readonly why: "origin-error" | "timeout";
    /** What ended it. */
    readonly endedBy: Cause;
  }
  /** The caller left; the handler may have given an answer all the same. */
  | { readonly type: "aborted"; readonly reason: unknown; readonly given?: unknown };

/** A call that its caller may leave to end in the background. */
export interface RunningCall {
  readonly call: Call<Response>;
  /** Resolves when the call has ended; never rejects. */
  readonly outcome: Promise<Outcome>;
}

/** Makes an answer of what came of a call. */
export type HandOn = (
  context: RequestContext,
  outcome: Outcome,
) => Response | Promise<Response>;

const asItIs = (_context: RequestContext, outcome: Outcome) => outcome;

/** A timer that is later than this, in ms, and than a quarter of its time was frozen. */
const MIN_LATE_MS = 100;

/** Calls the upstream, and counts what comes of it. */
export class UpstreamCaller {
  readonly #settings: GuardSettings;
  readonly #lastGood: LastGood | undefined;
  readonly #background: BackgroundWork;
  readonly #answers: GoodAnswers;

  constructor(
    settings: GuardSettings,
    lastGood: LastGood | undefined,
    background: BackgroundWork,
  ) {
    this.#settings = settings;
    this.#lastGood = lastGood;
    this.#background = background;
    this.#answers = new GoodAnswers(settings, lastGood);
  }

  /** Calls for a caller who waits to the end. */
  call(context: RequestContext, permit: CallPermit, handOn: HandOn): Promise<Response> {
    const start = this.#callStart(context, undefined);
    const call = this.#start(context, start, context.request, false);
    return this.#ended(context, permit, call, start, handOn);
  }

  /** Calls for a caller who may be answered from memory before the call ends. */
  callReleasably(context: RequestContext, permit: CallPermit): RunningCall {
    const start = this.#callStart(context, undefined);
    const call = this.#start(context, start, context.request, true);
    return { call, outcome: this.#ended(context, permit, call, start, asItIs) };
  }

  /**
   * Calls in the background of an answer from memory. The call has no caller who could abort it.
   *
   * @param keptEtag The entity tag of what is kept: the upstream may confirm it instead of sending
   * it once more.
   */
  callInBackground(
    context: RequestContext,
    permit: CallPermit,
    keptEtag: string | undefined,
  ): Promise<Outcome> {
    context.isReleased = true;
    const etag = context.byFetch && !isConditional(context.request) ? keptEtag : undefined;
    const start = this.#callStart(context, etag);
    const call = this.#start(context, start, undefined, false);
    return this.#ended(context, permit, call, start, asItIs);
  }

  /** Read before the call is made: a handler may do much before it first waits. */
  #callStart({ key }: RequestContext, etag: string | undefined): CallStart {
    const requestedAt = key === undefined ? 0 : this.#settings.now();
    return { order: this.#lastGood?.nextOrder() ?? 0, requestedAt, receivedAt: 0, etag };
  }

  #start(
    context: RequestContext,
    { etag }: CallStart,
    caller: Caller | undefined,
    mayRelease: boolean,
  ): Call<Response> {
    const { deadlines } = this.#settings;
    return new Call((signal) => context.produce(signal, etag), {
      caller,
      deadlines,
      // A call that may lose its caller has a signal of its own: see `BackgroundWork.canRun()`.
      takesSignal: context.takesSignal,
      mayRelease,
      onLateResult: discard,
    });
  }

  // ---- What comes of it ----

  /**
   * Waits for a call, counts it, keeps what may be kept, and hands on what came of it: all in one
   * async function, as each takes 0.1 µs, and more where its code is cold.
   */
  async #ended<T>(
    context: RequestContext,
    permit: CallPermit,
    call: Call<Response>,
    start: CallStart,
    handOn: (context: RequestContext, outcome: Outcome) => T | Promise<T>,
  ): Promise<T> {
    let response: Response;
    try {
      response = await call.result;
    } catch (error) {
      // Awaited, or the caller would be missing in the stack of an error (promise 28).
      return await handOn(context, this.#rejected(context, permit, call, error, start));
    }
    context.isOver = true;
    let outcome: Outcome;
    try {
      const answered = this.#answered(context, permit, response, start);
      outcome = answered instanceof Promise ? await answered : answered;
    } catch (error) {
      // Our own error: it counts for nothing, and keeps no answer from the caller (promise 31).
      context.reportError("breaker", error);
      permit.end("ignored", { detail: { error }, cause: "ours", why: "ours" });
      outcome = { type: "good", response };
    }
    return handOn(context, outcome);
  }

  #rejected(
    context: RequestContext,
    permit: CallPermit,
    call: Call<Response>,
    error: unknown,
    start: CallStart,
  ): Outcome {
    const { endedBy, given } = call;
    context.isOver = true;
    call.stop();
    if (endedBy !== undefined) context.stop(error);
    if (this.#wasFrozen(context, start)) return this.#frozen(permit, error);
    const cause = context.causeOf(endedBy, error);
    endRejected(permit, cause, error, judgeFor(context), (error) => {
      context.reportError("judge", error);
    });
    if (cause === "abort") return { type: "aborted", reason: error, given };
    // What the caller gets does not depend on who is to blame for the time.
    const by = endedBy ?? cause;
    const why = by === "timeout" || by === "deadline" ? "timeout" : "origin-error";
    return { type: "failed", cause: error, response: undefined, why, endedBy: by };
  }

  /** Reports whether a call in the background ended so late that its host must have been frozen. */
  #wasFrozen({ isReleased }: RequestContext, { requestedAt }: CallStart): boolean {
    const { deadlines, now } = this.#settings;
    if (!isReleased || deadlines === undefined) return false;
    const lateMs = now() - requestedAt - deadlines.ms;
    return lateMs > Math.max(MIN_LATE_MS, deadlines.ms / 4);
  }

  /** The upstream had no chance, so it is not to blame (promise 33). */
  #frozen(permit: CallPermit, error: unknown): Outcome {
    this.#background.freeze(this.#settings.now());
    permit.end("ignored", { detail: { error }, cause: "timeout", why: "frozen" });
    return { type: "aborted", reason: error };
  }

  #answered(
    context: RequestContext,
    permit: CallPermit,
    response: Response,
    start: CallStart,
  ): Outcome | Promise<Outcome> {
    // Read once: each reading takes Node 0.03 µs.
    const status: unknown = Object(response).status;
    if (typeof status !== "number") {
      permit.end("success");
      return { type: "good", response };
    }
    if (isRefusal(response)) return this.#refusedInside(permit, response);
    const { request } = context;
    const verdict = blameForResponse(context, response, status);
    // Only answers without an error: an outage must not remove what it makes necessary (S19).
    if (isUnsafe(request) && status >= 200 && status < 400) {
      this.#lastGood?.invalidate(request, response, context);
    }
    if (verdict === "success") return this.#answers.keep(context, permit, response, status, start);
    permit.end(verdict, endOf(context, response));
    return verdict === "ignored"
      ? { type: "good", response }
      : { type: "failed", cause: response, response, why: "origin-error", endedBy: "upstream" };
  }

  /** A circuit within the handler refused: that is an old verdict, no new evidence (promise 31). */
  #refusedInside(permit: CallPermit, response: Response): Outcome {
    permit.end("ignored", { detail: { status: response.status }, cause: "inner", why: "inner" });
    return { type: "failed", cause: response, response, why: "origin-error", endedBy: "inner" };
  }
}

/** All methods but the safe ones of RFC 9110 §9.2.1, and QUERY, which is safe as well (S19). */
function isUnsafe({ method }: RequestHead): boolean {
  return !SAFE.has(method);
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);
