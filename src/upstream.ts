import type { Admission } from "./circuit/admission.ts";
import { Call, type Caller } from "./circuit/call.ts";
import { judged, type Verdict } from "./circuit/verdict.ts";
import { tell } from "./events.ts";
import type { Ask } from "./last_good/ask.ts";
import { parseRetryAfter } from "./last_good/fields.ts";
import type { GoodAnswer, Kept, LastGood, Passage } from "./last_good/last_good.ts";
import type { Reception } from "./last_good/snapshot.ts";
import { discard, isResponse, type JointSettings, type Turn } from "./turn.ts";

/** When a call began, and its place in the order of all. */
type Begun = Omit<Reception, "receivedAt">;

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
export class Upstream {
  readonly #settings: JointSettings;
  readonly #lastGood: LastGood | undefined;

  constructor(settings: JointSettings, lastGood: LastGood | undefined) {
    this.#settings = settings;
    this.#lastGood = lastGood;
  }

  /**
   * Calls for a caller who waits.
   *
   * @param mayBeReleased Whether the caller may be answered from elsewhere before it ends.
   */
  call(turn: Turn, admission: Admission, mayBeReleased: boolean): Running {
    const begun = this.#begin(turn);
    const call = this.#start(turn, turn.ask, mayBeReleased);
    return { call, ending: this.#end(turn, admission, call, begun) };
  }

  /**
   * Calls behind an answer from memory: the call is nobody's, so nobody can abort it.
   *
   * @param keptEtag The entity tag of what is kept: if the upstream confirms it, that will do.
   */
  callBehind(turn: Turn, admission: Admission, keptEtag: string | undefined): Promise<Outcome> {
    turn.isReleased = true;
    const etag = turn.byFetch && !isConditional(turn.ask) ? keptEtag : undefined;
    const begun = this.#begin(turn);
    const call = this.#start(turn, undefined, false, etag);
    return this.#end(turn, admission, call, begun, etag);
  }

  /** Taken before the call: a handler may do much before it first waits. */
  #begin({ place }: Turn): Begun {
    const requestedAt = place === undefined ? 0 : this.#settings.now();
    return { order: this.#lastGood?.nextOrder() ?? 0, requestedAt };
  }

  #start(
    turn: Turn,
    caller: Caller | undefined,
    mayBeReleased: boolean,
    etag?: string,
  ): Call<Response> {
    const { deadlines } = this.#settings;
    return new Call((signal) => turn.produce(signal, etag), {
      caller,
      deadlines,
      // A caller who is not to reach the call must be kept from it by a signal of its own.
      takesSignal: turn.takesSignal ||
        ((mayBeReleased || turn.isReleased) && turn.ask.signal !== undefined),
      mayBeReleased,
      late: discard,
    });
  }

  /** Waits for a call, counts it, and keeps what may be kept. Never rejects. */
  async #end(
    turn: Turn,
    admission: Admission,
    call: Call<Response>,
    begun: Begun,
    etag?: string,
  ): Promise<Outcome> {
    const { ask, place } = turn;
    const { now } = this.#settings;
    let response: Response;
    try {
      response = await call.result;
    } catch (error) {
      const detail = { error };
      if (call.endedBy === "abort") {
        admission.end("ignored", { detail, why: "aborted" });
        return { type: "aborted", reason: error };
      }
      const verdict = call.endedBy === "timeout"
        ? "failure"
        : this.#judged(turn, { status: "rejected", reason: error }, "failure");
      admission.end(verdict, { detail });
      // S19: nobody knows how far it got.
      if (isUnsafe(ask)) this.#lastGood?.invalidate(ask, undefined, turn);
      const why = call.endedBy === "timeout" ? "timeout" : "origin-error";
      return { type: "failed", cause: error, response: undefined, why };
    }
    if (!isResponse(response)) {
      admission.end("success");
      return { type: "good", response };
    }
    const { status } = response;
    const verdict = this.#judged(turn, { status: "fulfilled", value: response }, usual(response));
    if (isUnsafe(ask) && status >= 200 && status < 400) {
      this.#lastGood?.invalidate(ask, response, turn);
    }
    if (verdict !== "success") {
      admission.end(verdict, { detail: { status }, ...this.#retryAfter(response) });
      if (verdict === "ignored") return { type: "good", response };
      return { type: "failed", cause: response, response, why: "origin-error" };
    }
    if (place === undefined) {
      admission.end("success", { detail: { status } });
      return { type: "good", response };
    }
    const reception = { ...begun, receivedAt: now() };
    const { byFetch } = turn;
    const isHeard = this.#settings.onEvent !== undefined;
    const answer = { ask, place, response, reception, byFetch, isHeard, errors: turn };
    if (status === 304 && etag !== undefined) {
      this.#lastGood?.confirm(answer);
      admission.end("success", { detail: { status } });
      return { type: "good", response };
    }
    const passage = this.#lastGood?.pass(answer);
    if (typeof passage === "function") {
      return await this.#copied(turn, admission, answer, passage);
    }
    admission.end("success", isHeard ? { detail: { status } } : undefined);
    if (passage !== undefined) this.#tellKept(turn, passage);
    return { type: "good", response };
  }

  /** Hands on an answer that is copied on its way: it counts when the copy ends. */
  async #copied(
    turn: Turn,
    admission: Admission,
    { response: { status }, reception }: GoodAnswer,
    passage: Passage,
  ): Promise<Outcome> {
    const { ask } = turn;
    let onOver = () => {};
    const copied = new Promise<void>((resolve) => onOver = resolve);
    admission.goodHead(reception.receivedAt);
    const response = await passage({
      isAborted: () => !turn.isReleased && ask.signal?.aborted === true,
      onCopied: (how, kept) => {
        const isCut = how === "broken" || how === "truncated";
        admission.end(isCut ? "failure" : "success", { detail: { status } });
        this.#tellKept(turn, kept);
        onOver();
      },
    });
    return { type: "good", response, copied };
  }

  #judged(turn: Turn, outcome: PromiseSettledResult<Response>, usual: Verdict): Verdict {
    return judged(this.#settings.judge, outcome, usual, (error) => turn.tellError("judge", error));
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

  #tellKept({ ask, circuit: { name: circuit } }: Turn, kept: Kept): void {
    const { onEvent, now } = this.#settings;
    if (onEvent === undefined) return;
    const about = { circuit, at: now(), url: ask.url };
    tell(
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
function isUnsafe({ method }: Ask): boolean {
  return !SAFE.has(method);
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);

/** A 304 to a request of this kind confirms what its caller has, not what is kept. */
function isConditional({ headers }: Ask): boolean {
  return headers.has("if-none-match") || headers.has("if-modified-since");
}
