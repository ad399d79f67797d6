import type { Admission } from "./circuit/admission.ts";
import { admit } from "./circuit/circuit.ts";
import { CircuitOpenError, problem } from "./errors.ts";
import { type StaleReason, tell } from "./events.ts";
import { outlivesAnswer } from "./host.ts";
import type { Ask } from "./last_good/ask.ts";
import type { Place } from "./last_good/key.ts";
import type { LastGood } from "./last_good/last_good.ts";
import {
  cacheStatus,
  isAnswerable,
  isServable,
  isYoung,
  type Served,
  wishes,
} from "./last_good/serve.ts";
import { ageMs, revive, type Snapshot } from "./last_good/snapshot.ts";
import { discard, isResponse, type JointSettings, type Turn } from "./turn.ts";
import { type Outcome, Upstream } from "./upstream.ts";
import { misuse } from "./validation.ts";
import type { Work } from "./work.ts";

/** The way of a request between a circuit and what is kept. */
export class Joint {
  readonly #settings: JointSettings;
  readonly #lastGood: LastGood | undefined;
  readonly #upstream: Upstream;
  readonly #work: Work;

  constructor(settings: JointSettings, lastGood: LastGood | undefined, work: Work) {
    this.#settings = settings;
    this.#lastGood = lastGood;
    this.#upstream = new Upstream(settings, lastGood);
    this.#work = work;
  }

  /** Answers a request: by the upstream, from memory, by the fallback, or not at all. */
  answer(turn: Turn): Response | Promise<Response> {
    const place = this.#lastGood?.place(turn.ask, turn);
    return place instanceof Promise
      ? place.then((place) => this.#answer(turn, place))
      : this.#answer(turn, place);
  }

  #answer(turn: Turn, place: Place | undefined): Response | Promise<Response> {
    const { ask, circuit } = turn;
    turn.place = place;
    const early = this.#lastGood && this.#withoutCall(turn, this.#lastGood);
    if (early !== undefined) return early;
    // Who is refused needs no signal, and servers make theirs only when it is asked for.
    if (circuit.retryAfterMs === 0) throwIfAborted(ask);
    const admission = admit(circuit);
    if (admission === undefined) return this.#refused(turn);
    if (admission.isProbe && this.#settings.mode === "enforce" && this.#mayRunBehind(turn)) {
      const kept = this.#kept(turn);
      if (kept !== undefined) {
        const ending = this.#upstream.callBehind(turn, admission, kept.head.etag);
        this.#runBehind(turn, finished(ending));
        return this.#serve(turn, kept, "probing", { hit: "probing" });
      }
    }
    return this.#call(turn, admission);
  }

  /** Answers that need no call: F4's only-if-cached, and what is young enough. */
  #withoutCall(turn: Turn, { settings }: LastGood): Response | undefined {
    const { ask } = turn;
    if (wishes(ask).has("only-if-cached") && isAnswerable(ask)) {
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

  #refused(turn: Turn): Response | Promise<Response> {
    const { circuit } = turn;
    const kept = this.#kept(turn);
    if (kept !== undefined) {
      return circuit.state === "half_open"
        ? this.#serve(turn, kept, "probing", { hit: "probing" })
        : this.#serve(turn, kept, "open", { hit: "circuit-open" });
    }
    const error = new CircuitOpenError(circuit.name, circuit.retryAfterMs);
    if (this.#settings.fallback === undefined) return turn.refuse(error);
    return this.#fallback(turn, error).then((response) => response ?? turn.refuse(error));
  }

  async #call(turn: Turn, admission: Admission): Promise<Response> {
    const patienceMs = this.#patienceMs(turn);
    const { call, ending } = this.#upstream.call(turn, admission, patienceMs !== Infinity);
    if (patienceMs !== Infinity && !await endsWithin(ending, patienceMs)) {
      const kept = this.#kept(turn);
      if (kept !== undefined) {
        turn.isReleased = true;
        call.release();
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

  async #fallback(turn: Turn, cause: unknown): Promise<Response | undefined> {
    const { fallback } = this.#settings;
    if (fallback === undefined) return undefined;
    try {
      const response: unknown = await fallback(turn.ask.request(), cause);
      if (isResponse(response)) return response;
      throw misuse("answer", "fallback", "a function that gives a response", response);
    } catch (error) {
      turn.tellError("fallback", error);
      return undefined;
    }
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
      turn.tellError("waitUntil", error);
    }
  }
}

function throwIfAborted(ask: Ask): void {
  if (!ask.hasJustCome && ask.signal?.aborted) throw ask.signal.reason;
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
