import type { Admission } from "./circuit/admission.ts";
import { Call } from "./circuit/call.ts";
import type { Deadlines } from "./circuit/deadlines.ts";
import { admit, type Circuit } from "./circuit/circuit.ts";
import { type Judge, judged, type Verdict } from "./circuit/verdict.ts";
import { CircuitOpenError, problem } from "./errors.ts";
import { type BreakerEvent, type ErrorSource, type StaleReason, tell } from "./events.ts";
import { outlivesAnswer } from "./host.ts";
import type { Ask } from "./last_good/ask.ts";
import { parseRetryAfter } from "./last_good/fields.ts";
import type { Place } from "./last_good/key.ts";
import type { Kept, LastGood, OnError } from "./last_good/last_good.ts";
import {
  cacheStatus,
  isAnswerable,
  isServable,
  isYoung,
  type Served,
  wishes,
} from "./last_good/serve.ts";
import { ageMs, type Reception, revive, type Snapshot } from "./last_good/snapshot.ts";
import { misuse } from "./validation.ts";
import type { Work } from "./work.ts";

/** What the way through a breaker depends on: its options, checked and complete. */
export interface JointSettings {
  readonly deadlines: Deadlines | undefined;
  readonly mode: "enforce" | "observe" | "off";
  readonly judge: Judge<Response> | undefined;
  readonly onEvent: ((event: BreakerEvent) => void) | undefined;
  readonly now: () => number;
  readonly onRetryAfter: "stretch" | "open";
  readonly maxDelayMs: number;
  readonly fallback:
    | ((request: Request, cause: unknown) => Response | Promise<Response>)
    | undefined;
}

/** One request on its way through a breaker. */
export interface Turn {
  readonly ask: Ask;
  readonly circuit: Circuit<Response>;
  /** Calls the upstream; with an entity tag, it may ask whether that is still good. */
  readonly produce: (
    signal: AbortSignal | undefined,
    etag?: string,
  ) => Response | Promise<Response>;
  /** Whether `produce` needs a signal even while the call is its caller's. */
  readonly takesSignal: boolean;
  /** Whether its responses come straight from `fetch`. */
  readonly byFetch: boolean;
  /** Whether `produce` may run behind the answer. */
  readonly behind: boolean;
  /** Keeps work alive behind the answer; looked up only when there is some. */
  readonly waitUntil: () => ((work: Promise<unknown>) => void) | undefined;
  /** Answers a refused request for which there is nothing to serve. */
  readonly refuse: (error: CircuitOpenError) => Response;
  /** Where its answer is kept; undefined if nothing is kept or served. */
  place: Place | undefined;
  /** Whether its caller has been answered from elsewhere: the call is no longer theirs. */
  isReleased: boolean;
}

/** When a call began, and its place in the order of all. */
type Begun = Omit<Reception, "receivedAt">;

/** What came of a call. */
type Outcome =
  /** An answer to hand on; with `copied`, work goes on until that is over. */
  | { readonly type: "good"; readonly response: Response; readonly copied?: Promise<void> }
  | {
    readonly type: "failed";
    readonly cause: unknown;
    readonly response: Response | undefined;
    readonly why: "origin-error" | "timeout";
  }
  | { readonly type: "aborted"; readonly reason: unknown };

/** The way of a request between a circuit and what is kept. */
export class Joint {
  readonly #settings: JointSettings;
  readonly #lastGood: LastGood | undefined;
  readonly #work: Work;

  constructor(settings: JointSettings, lastGood: LastGood | undefined, work: Work) {
    this.#settings = settings;
    this.#lastGood = lastGood;
    this.#work = work;
  }

  /** Answers a request: by the upstream, from memory, by the fallback, or not at all. */
  async answer(turn: Turn): Promise<Response> {
    const { ask, circuit } = turn;
    if (this.#lastGood !== undefined) {
      const place = this.#lastGood.place(ask, this.#onError(circuit));
      turn.place = place instanceof Promise ? await place : place;
      const early = this.#withoutCall(turn, this.#lastGood);
      if (early !== undefined) return early;
    }
    // Who is refused needs no signal, and servers make theirs only when it is asked for.
    if (circuit.retryAfterMs === 0) throwIfAborted(ask);
    const admission = admit(circuit);
    if (admission === undefined) return await this.#refused(turn);
    if (admission.isProbe && this.#settings.mode === "enforce" && this.#mayRunBehind(turn)) {
      const kept = this.#kept(turn);
      if (kept !== undefined) {
        this.#callBehind(turn, admission, kept);
        return this.#serve(turn, kept, "probing", { hit: "probing" });
      }
    }
    return await this.#call(turn, admission);
  }

  /** Answers that need no call: F4's only-if-cached, and what is young enough. */
  #withoutCall(turn: Turn, { settings }: LastGood): Response | undefined {
    const { ask } = turn;
    if (isAnswerable(ask) && wishes(ask).has("only-if-cached")) {
      const kept = this.#kept(turn);
      if (kept !== undefined) return this.#serve(turn, kept, "only-if-cached", { hit: "asked" });
      return problem(504, "Gateway Timeout", "Nothing is kept for this request");
    }
    if (settings.freshMs === 0) return undefined;
    const kept = this.#kept(turn);
    const now = this.#settings.now();
    if (kept === undefined || !isYoung(kept, ask, now, settings)) return undefined;
    return this.#serve(turn, kept, "fresh", { hit: "fresh" });
  }

  async #refused(turn: Turn): Promise<Response> {
    const { circuit } = turn;
    const kept = this.#kept(turn);
    if (kept !== undefined) {
      return circuit.state === "half_open"
        ? this.#serve(turn, kept, "probing", { hit: "probing" })
        : this.#serve(turn, kept, "open", { hit: "circuit-open" });
    }
    const error = new CircuitOpenError(circuit.name, circuit.retryAfterMs);
    return await this.#fallback(turn, error) ?? turn.refuse(error);
  }

  async #call(turn: Turn, admission: Admission): Promise<Response> {
    const patienceMs = this.#patienceMs(turn);
    const begun = this.#begin(turn);
    const call = this.#start(turn, turn.ask.signal, patienceMs !== Infinity);
    const ending = this.#end(turn, admission, call, begun);
    if (patienceMs !== Infinity && !await endsWithin(ending, patienceMs)) {
      const kept = this.#kept(turn);
      if (kept !== undefined) {
        call.release();
        turn.isReleased = true;
        this.#runBehind(turn, finished(ending));
        return this.#serve(turn, kept, "slow", { stale: "slow" });
      }
    }
    const outcome = await ending;
    switch (outcome.type) {
      case "good":
        if (outcome.copied !== undefined) this.#runBehind(turn, outcome.copied);
        return outcome.response;
      case "aborted":
        throw outcome.reason;
      case "failed":
        return await this.#failed(turn, outcome);
    }
  }

  async #failed(turn: Turn, outcome: Outcome & { type: "failed" }): Promise<Response> {
    const { cause, response, why } = outcome;
    const kept = this.#lastGood?.settings.serveOn === "failure" ? this.#kept(turn) : undefined;
    if (kept !== undefined) {
      discard(response);
      const status = response && { status: response.status };
      return this.#serve(turn, kept, "failure", { stale: why, ...status });
    }
    const instead = await this.#fallback(turn, cause);
    if (instead !== undefined) {
      if (response !== undefined && instead.body !== response.body) discard(response);
      return instead;
    }
    if (response === undefined) throw cause;
    return response;
  }

  async #fallback({ ask, circuit }: Turn, cause: unknown): Promise<Response | undefined> {
    const { fallback } = this.#settings;
    if (fallback === undefined) return undefined;
    try {
      const response: unknown = await fallback(ask.request(), cause);
      if (isResponse(response)) return response;
      throw misuse("answer", "fallback", "a function that gives a response", response);
    } catch (error) {
      this.#tellError(circuit, "fallback", error);
      return undefined;
    }
  }

  // ---- Calls ----

  /** Taken before the call: a handler may do much before it first waits. */
  #begin({ place }: Turn): Begun {
    const requestedAt = place === undefined ? 0 : this.#settings.now();
    return { order: this.#lastGood?.nextOrder() ?? 0, requestedAt };
  }

  #start(
    turn: Turn,
    caller: AbortSignal | undefined,
    mayBeReleased: boolean,
    etag?: string,
  ): Call<Response> {
    const { deadlines } = this.#settings;
    return new Call((signal) => turn.produce(signal, etag), {
      caller,
      deadlines,
      // A caller who is not to reach the call must be kept from it by a signal of its own.
      takesSignal: turn.takesSignal ||
        (turn.ask.signal !== undefined && (mayBeReleased || turn.isReleased)),
      mayBeReleased,
      late: discard,
    });
  }

  /** The probe runs behind an answer from memory: it is nobody's, so nobody can abort it. */
  #callBehind(turn: Turn, admission: Admission, kept: Snapshot): void {
    turn.isReleased = true;
    const etag = turn.byFetch && !isConditional(turn.ask) ? kept.head.etag : undefined;
    const begun = this.#begin(turn);
    const call = this.#start(turn, undefined, false, etag);
    this.#runBehind(turn, finished(this.#end(turn, admission, call, begun, etag)));
  }

  /** Waits for a call, counts it, and keeps what may be kept. Never rejects. */
  async #end(
    turn: Turn,
    admission: Admission,
    call: Call<Response>,
    begun: Begun,
    etag?: string,
  ): Promise<Outcome> {
    const { ask, circuit, place } = turn;
    const { judge, now } = this.#settings;
    const onError = this.#onError(circuit);
    const onJudgeError = (error: unknown) => this.#tellError(circuit, "judge", error);
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
        : judged(judge, { status: "rejected", reason: error }, "failure", onJudgeError);
      admission.end(verdict, { detail });
      // S19: nobody knows how far it got.
      if (isUnsafe(ask)) this.#lastGood?.invalidate(ask, undefined, onError);
      const why = call.endedBy === "timeout" ? "timeout" : "origin-error";
      return { type: "failed", cause: error, response: undefined, why };
    }
    if (!isResponse(response)) {
      admission.end("success");
      return { type: "good", response };
    }
    const { status } = response;
    const verdict = judged(
      judge,
      { status: "fulfilled", value: response },
      usual(response),
      onJudgeError,
    );
    if (isUnsafe(ask) && status >= 200 && status < 400) {
      this.#lastGood?.invalidate(ask, response, onError);
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
    if (status !== 304 || etag === undefined) {
      return await this.#pass(turn, place, admission, response, reception);
    }
    const { byFetch } = turn;
    this.#lastGood?.confirm({ ask, place, response, reception, byFetch, onError });
    admission.end("success", { detail: { status } });
    return { type: "good", response };
  }

  /** Hands a good answer on. Where it is copied on its way, it counts when the copy ends. */
  async #pass(
    turn: Turn,
    place: Place,
    admission: Admission,
    response: Response,
    reception: Reception,
  ): Promise<Outcome> {
    const { ask, circuit, byFetch } = turn;
    const end = { detail: { status: response.status } };
    let onOver = () => {};
    const copied = new Promise<void>((resolve) => onOver = resolve);
    const passage = this.#lastGood?.pass({
      ask,
      place,
      response,
      reception,
      byFetch,
      isAborted: () => !turn.isReleased && ask.signal?.aborted === true,
      onError: this.#onError(circuit),
      onCopied: (how, kept) => {
        const isCut = how === "broken" || how === "truncated";
        admission.end(isCut ? "failure" : "success", end);
        this.#tellKept(turn, kept);
        onOver();
      },
    });
    if (passage?.isCopied) {
      admission.goodHead(reception.receivedAt);
      return { type: "good", response: await passage.response, copied };
    }
    admission.end("success", end);
    if (passage?.kept !== undefined) this.#tellKept(turn, passage.kept);
    return { type: "good", response };
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

  // ---- Memory ----

  /** What may be served to this request now, in place of the upstream's own answer. */
  #kept({ ask, place }: Turn): Snapshot | undefined {
    const lastGood = this.#lastGood;
    if (lastGood === undefined || place === undefined || !isAnswerable(ask)) return undefined;
    const kept = lastGood.find(place, ask);
    if (kept === undefined) return undefined;
    return isServable(kept, ask, this.#settings.now(), lastGood.settings) ? kept : undefined;
  }

  #serve(turn: Turn, kept: Snapshot, why: StaleReason | "fresh", served: Served): Response {
    const { onEvent, now } = this.#settings;
    const { ask, circuit } = turn;
    const at = now();
    if (onEvent !== undefined) {
      const about = { circuit: circuit.name, at, url: ask.url, ageMs: ageMs(kept, at) };
      tell(onEvent, why === "fresh" ? { type: why, ...about } : { type: "stale", ...about, why });
    }
    return revive(
      kept,
      ask,
      at,
      cacheStatus(this.#lastGood?.settings.cacheStatus, kept, at, served),
    );
  }

  // ---- Behind the answer ----

  /** Promise 25, where something is kept and the call may go on behind it. */
  #patienceMs(turn: Turn): number {
    const { patienceMs } = this.#lastGood?.settings ?? { patienceMs: Infinity };
    if (patienceMs === Infinity || !this.#mayRunBehind(turn)) return Infinity;
    return this.#kept(turn) === undefined ? Infinity : patienceMs;
  }

  #mayRunBehind(turn: Turn): boolean {
    return turn.behind && (turn.waitUntil() !== undefined || outlivesAnswer());
  }

  #runBehind(turn: Turn, work: Promise<void>): void {
    this.#work.add(work);
    try {
      turn.waitUntil()?.(work);
    } catch (error) {
      this.#tellError(turn.circuit, "waitUntil", error);
    }
  }

  // ---- Events ----

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

  #onError(circuit: Circuit<Response>): OnError {
    return (source, error) => this.#tellError(circuit, source, error);
  }

  #tellError({ name: circuit }: Circuit<Response>, source: ErrorSource, error: unknown): void {
    const { onEvent, now } = this.#settings;
    if (onEvent !== undefined) tell(onEvent, { type: "error", circuit, at: now(), source, error });
  }
}

/** F1: the default verdict on a response. */
function usual({ status, type }: Response): Verdict {
  if ((status >= 500 && status !== 501) || type === "error") return "failure";
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

function throwIfAborted({ signal }: Ask): void {
  if (signal?.aborted) throw signal.reason;
}

/** By its shape: servers bring their own Response classes. */
function isResponse(value: unknown): value is Response {
  const { status, headers } = Object(value) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

/** F7: an answer that nobody reads holds its connection until its body is cancelled. */
function discard(response: unknown): void {
  if (!isResponse(response) || !response.body || response.body.locked) return;
  response.body.cancel().catch(() => {});
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
