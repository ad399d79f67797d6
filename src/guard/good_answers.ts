import type { CallPermit } from "../circuit/permit.ts";
import type { LaterResult } from "../last_good/candidate.ts";
import { doubtReason } from "../last_good/keying.ts";
import type { BodyRecorder, Candidate, KeepResult, LastGood } from "../last_good/last_good.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import { emit } from "../observe/events.ts";
import type { GuardSettings } from "./options.ts";
import type { RequestContext } from "./request_context.ts";
import type { CallStart, Outcome } from "./upstream_call.ts";

/** What becomes of good answers: they are handed on, and kept if they may be. */
export class GoodAnswers {
  readonly #settings: GuardSettings;
  readonly #lastGood: LastGood | undefined;

  constructor(settings: GuardSettings, lastGood: LastGood | undefined) {
    this.#settings = settings;
    this.#lastGood = lastGood;
  }

  /**
   * Hands on a good answer, and keeps it if it may be kept. The call counts at once, or when the copy
   * of its body ends.
   */
  keep(
    context: RequestContext,
    permit: CallPermit,
    response: Response,
    status: number,
    start: CallStart,
  ): Outcome | Promise<Outcome> {
    const lastGood = this.#lastGood;
    const { request, key, byFetch } = context;
    const { onEvent, now } = this.#settings;
    const isObserved = onEvent !== undefined;
    const end = isObserved ? { detail: { status } } : undefined;
    if (lastGood === undefined || key === undefined) {
      permit.end("success", end);
      const why = lastGood && doubtReason(request, lastGood.settings);
      if (why !== undefined) this.#emitKept(context, { why });
      return { type: "good", response };
    }
    start.receivedAt = now();
    const candidate = {
      request,
      key,
      response,
      status,
      timing: start,
      byFetch,
      isObserved,
      errors: context,
      chain: context,
    };
    // A 304 to the caller's own condition may confirm what is kept as well as one to ours (S21).
    const { etag } = start;
    const isConfirmation = status === 304 &&
      (etag !== undefined || isConditional(request));
    const kept = isConfirmation ? lastGood.confirm(candidate, etag) : lastGood.keep(candidate);
    if (typeof kept === "function") return this.#recorded(context, permit, candidate, kept);
    permit.end("success", end);
    if (kept !== undefined) this.#emitKept(context, kept);
    return { type: "good", response };
  }

  /** Hands on an answer whose body is copied on its way: the call counts when the copy ends. */
  async #recorded(
    context: RequestContext,
    permit: CallPermit,
    { status, timing }: Candidate,
    record: BodyRecorder,
  ): Promise<Outcome> {
    const { request } = context;
    let onOver = () => {};
    const copied = new Promise<void>((resolve) => onOver = resolve);
    permit.headReceived(timing.receivedAt);
    const response = await record({
      stallMs: this.#settings.deadlines?.ms ?? Infinity,
      // A server ends the body of a client who leaves by itself.
      signal: context.byFetch && !context.isReleased ? request.signal : undefined,
      isAborted: () => !context.isReleased && request.signal?.aborted === true,
      host: context,
      onCopied: (how, kept) => {
        const isStalled = how === "stalled";
        const isFailure = isStalled || how === "broken" || how === "truncated";
        const cause = isStalled ? "timeout" : undefined;
        permit.end(isFailure ? "failure" : "success", { detail: { status }, cause });
        this.#emitKept(context, kept);
        onOver();
      },
    });
    return { type: "good", response, copied };
  }

  #emitKept(context: RequestContext, kept: KeepResult | LaterResult): void {
    const { request, circuit: { name: circuit } } = context;
    const { onEvent, now } = this.#settings;
    if (onEvent === undefined) return;
    if ("onKept" in kept) return kept.onKept((kept) => this.#emitKept(context, kept));
    const about = { circuit, at: now(), url: request.url };
    emit(
      onEvent,
      "why" in kept
        ? { type: "not_kept", ...about, why: kept.why }
        : { type: "kept", ...about, bytes: kept.bytes },
    );
  }
}

/** Reports whether the caller has asked whether what they have is still good. */
export function isConditional({ headers }: RequestHead): boolean {
  return headers.has("if-none-match") || headers.has("if-modified-since");
}
