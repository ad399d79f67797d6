/**
 * The states of one circuit, and every move between them. They fill more than 300 lines, but they
 * can be checked against the invariants only where they stand together.
 *
 * Terms
 *   opening  the time from a move to open until the circuit closes, or opens again
 *   probe    a call that a half open circuit lets through; it holds a slot under a lease
 *   lease    a probe's right to its slot; it ends after `probeTimeoutMs` (see opening.ts)
 *   epoch    the time between two changes of who may pass, as a number
 *
 *                #endClosed() -> open(): a window gives a reason
 *   +--------+ ------------------------------------------------> +------+
 *   | closed |                                                   | open |
 *   +--------+                                                   +------+
 *       ^                                  admit() -> #probe():   |    ^
 *       |                                  the delay is over      |    | #endProbe() -> open(), #openFor():
 *       |                                                         |    | a probe failed, or too many were ignored
 *       |  #endProbe() -> close():                                v    |
 *       |  enough probes succeeded                             +-----------+
 *       +----------------------------------------------------- | half_open |
 *                                                              +-----------+
 *   From any state, by hand: open() for Circuit.trip, close() for Circuit.reset.
 *   Over any state: isolate(), until every holder has released it.
 *
 * Invariants
 *   I1  A call counts only in the epoch in which it was admitted. A move begins a new epoch, and so
 *       do isolation and release.
 *   I2  Probes that run and probes that have succeeded are together never more than `probes`.
 *   I3  `#opening` is there exactly while the circuit is not closed, `#windows` only while it is.
 *   I4  A move to open or closed goes through #enter(), and open becomes half open only in
 *       #probe(): nothing else changes the state.
 *   I5  A move is complete before it is emitted, so a listener may make the next one. After calling
 *       a listener or a trip policy, the machine compares epochs or openings before it goes on.
 *   I6  Isolation hides the state, but does not stop it: reset and trip act beneath, unheard.
 *   I7  There is no timer. The machine moves when it is asked, by comparing times.
 */

import {
  type CircuitState,
  emit,
  type ErrorListener,
  type ErrorSource,
  type RefusedEvent,
  reportError,
} from "../observe/events.ts";
import { delayFrom } from "./delay.ts";
import {
  isForgotten,
  leaseIsOver,
  type Opening,
  reopeningsAfter,
  reopensForMs,
  startOpening,
  waitMs,
} from "./opening.ts";
import { CallPermit, type End, PLAIN_END } from "./permit.ts";
import { Refusal, type RefusalReason } from "./refusal.ts";
import type { CircuitSettings } from "./settings.ts";
import { type CircuitSnapshot, restore, save } from "./snapshot.ts";
import { record, startWindows, type Windows } from "./trip/windows.ts";
import type { Verdict } from "./verdict.ts";

/** The epoch of calls that never count. */
const NO_EPOCH = -1;

/** The state machine of one circuit: decides which calls may pass, and what their ends mean. */
export class Machine implements ErrorListener {
  readonly name: string;
  readonly settings: CircuitSettings<never>;
  /** For its registry: the number of its last use among all uses of circuits there. */
  usedAt = 0;
  #epoch = 0;
  #opening: Opening | undefined;
  /** Started by the first call that the policies need to know of. */
  #windows: Windows | undefined;
  /** How many holders keep it isolated. */
  #holds = 0;
  /** True once `would_refuse` has been emitted in this opening or isolation. */
  #hasWarned = false;

  constructor(name: string, settings: CircuitSettings<never>, saved: unknown) {
    this.name = name;
    this.settings = settings;
    if (saved === undefined) return;
    const { opening, windows } = restore(saved, settings, this);
    this.#opening = opening;
    this.#windows = windows;
  }

  /** The state as of now, see {@link Circuit.state}. */
  get state(): CircuitState {
    const { mode, now } = this.settings;
    if (mode === "off") return "closed";
    if (this.#holds > 0) return "open";
    if (this.#movedTo !== "open") return this.#movedTo;
    return this.#waitMs(now()) === 0 ? "half_open" : "open";
  }

  /** Time until a call may pass, in ms; 0 unless one would be refused now. */
  get retryAfterMs(): number {
    if (this.settings.mode !== "enforce" || this.#letsAllPass) return 0;
    return this.#waitMs(this.settings.now());
  }

  /** The number of the current epoch (I1). */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * True while the verdict is all that the machine needs of a call: no event, no time, no lease.
   * That is the case for most calls, and {@link count} then takes them without a permit.
   */
  get needsOnlyVerdicts(): boolean {
    return this.#letsAllPass && this.settings.needsOnlyVerdicts;
  }

  /** True while somebody holds it open by hand. */
  get isIsolated(): boolean {
    return this.#holds > 0;
  }

  /** Reports whether an upstream would lose its protection if the circuit were dropped. */
  protects(at: number): boolean {
    return this.settings.mode !== "off" && this.#opening !== undefined &&
      !isForgotten(this.#opening, at);
  }

  /** The state that the last move led to, beneath any isolation. */
  get #movedTo(): CircuitState {
    return this.#opening?.state ?? "closed";
  }

  get #letsAllPass(): boolean {
    return this.#opening === undefined && this.#holds === 0;
  }

  // ---- Who may pass ----

  /**
   * Lets a call through, or refuses it.
   *
   * @param readAt The time, in ms, if the caller has read the clock already.
   */
  admit(readAt?: number): CallPermit | Refusal {
    const { mode, needsStartTime, now } = this.settings;
    if (mode === "off") return new CallPermit(undefined, NO_EPOCH, 0);
    if (this.#letsAllPass) {
      return new CallPermit(this, this.#epoch, needsStartTime ? readAt ?? now() : 0);
    }
    const at = readAt ?? now();
    if (this.#opening !== undefined) this.#opening.askedAt = at;
    this.#endLeases(at);
    // A listener that heard of a lost lease may have reset it (I5).
    if (this.#letsAllPass) return new CallPermit(this, this.#epoch, at);
    const retryAfterMs = this.#waitMs(at);
    return retryAfterMs === 0 ? this.#probe(at) : this.#refuse(at, retryAfterMs);
  }

  #waitMs(at: number): number {
    if (this.#holds > 0) return Infinity;
    return this.#opening === undefined ? 0 : waitMs(this.#opening, at, this.settings);
  }

  /** Lends a slot. The first probe of an opening makes the circuit half open. */
  #probe(at: number): CallPermit {
    const opening = this.#opening;
    const isFirst = opening?.state === "open";
    if (isFirst) {
      opening.state = "half_open";
      this.#epoch++;
    }
    const permit = new CallPermit(this, this.#epoch, at, true);
    opening?.leases.add(permit);
    if (isFirst) this.#emitMove("open", "half_open", "the delay is over", 0);
    emit(this.settings.onEvent, { type: "probe", circuit: this.name, at });
    return permit;
  }

  #refuse(at: number, retryAfterMs: number): CallPermit | Refusal {
    const { mode, onEvent } = this.settings;
    if (mode === "enforce") {
      const refusal = new Refusal(this.#reasonToRefuse(), retryAfterMs, at);
      if (onEvent !== undefined) this.#emitRefused("refused", refusal);
      return refusal;
    }
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.#emitRefused("would_refuse", new Refusal(this.#reasonToRefuse(), retryAfterMs, at));
    }
    return new CallPermit(this, NO_EPOCH, at);
  }

  #reasonToRefuse(): RefusalReason {
    if (this.#holds > 0) return "isolated";
    return this.#movedTo === "half_open" ? "probing" : "open";
  }

  /** Ends the probes that have held their slots for too long. */
  #endLeases(at: number): void {
    const opening = this.#opening;
    if (opening === undefined || opening.leases.size === 0) return;
    for (const lease of [...opening.leases]) {
      // A listener that heard of the one before may have moved the machine (I5).
      if (this.#opening !== opening) return;
      if (leaseIsOver(lease, at, this.settings)) lease.end("ignored", { why: "probe-timeout" });
    }
  }

  // ---- What an end means ----

  /** Counts a call that {@link needsOnlyVerdicts} let through without a permit in this epoch. */
  count(verdict: "success" | "failure", epoch: number): void {
    if (epoch !== this.#epoch) return;
    const { needsEndTime, now } = this.settings;
    this.#endClosed(epoch, verdict, needsEndTime ? now() : 0, 0, PLAIN_END);
  }

  /**
   * Ends a call: emits how it ended and, if its epoch is still the current one (I1), counts it.
   *
   * - closed: a success or a failure goes into the windows. If one of them gives a reason, or the
   *   end itself does (`opens`), the circuit opens.
   * - half_open: the probe gives its slot back. A failure, or `opens`, opens the circuit again for a
   *   full delay, and so may an ignored probe; a success counts, and the last one needed closes it.
   * - open: not reached, as no call is admitted in the epoch of an open circuit.
   *
   * A probe whose lease is over is ignored, whatever came of it, unless a good head came in time:
   * then it is a success.
   */
  end(permit: CallPermit, verdict: Verdict, end: End): void {
    const { needsStartTime, needsEndTime, now, onEvent } = this.settings;
    const at = needsEndTime || permit.isProbe ? now() : 0;
    if (permit.isProbe && leaseIsOver(permit, at, this.settings)) {
      verdict = permit.hasHead ? "success" : "ignored";
      end = { ...end, cause: "timeout", why: "probe-timeout", opens: undefined };
    }
    const durationMs = needsStartTime ? permit.durationMs(at) : 0;
    if (onEvent !== undefined) this.#emitEnd(verdict, at, durationMs, end);
    if (permit.epoch !== this.#epoch) return;
    switch (this.#movedTo) {
      case "closed":
        return this.#endClosed(permit.epoch, verdict, at, durationMs, end);
      case "half_open":
        return this.#endProbe(permit, verdict, at, end);
      case "open":
    }
  }

  #endClosed(epoch: number, verdict: Verdict, at: number, durationMs: number, end: End): void {
    const reason = verdict === "ignored" ? undefined : this.#record(verdict, at, durationMs);
    const why = end.opens ?? reason;
    if (why === undefined || epoch !== this.#epoch) return;
    const { needsEndTime, now } = this.settings;
    this.open(needsEndTime ? at : now(), why, end.retryAfterMs);
  }

  #endProbe(permit: CallPermit, verdict: Verdict, at: number, end: End): void {
    const opening = this.#opening;
    if (opening === undefined || !opening.leases.delete(permit)) return;
    if (end.opens !== undefined || verdict === "failure") {
      this.open(at, end.opens ?? "a probe failed", end.retryAfterMs);
    } else if (verdict === "success") {
      opening.ignored = 0;
      opening.succeeded++;
      if (opening.succeeded >= this.settings.probes) this.close("probes succeeded");
    } else {
      const delayMs = reopensForMs(opening, end);
      if (delayMs > 0) this.#openFor(delayMs, at, "probes were ignored", opening.reopenings);
    }
  }

  /** Records a call in the windows; returns why to open, if one of them gives a reason. */
  #record(verdict: "success" | "failure", at: number, durationMs: number): string | undefined {
    let windows = this.#windows;
    if (windows === undefined) {
      if (verdict === "success" && !this.settings.countsSuccesses) return undefined;
      const epoch = this.#epoch;
      windows = startWindows(this.settings.policies, this);
      if (epoch !== this.#epoch) return undefined;
      this.#windows = windows;
    }
    return record(windows, verdict, at, durationMs, this);
  }

  // ---- Moves ----

  /** Opens, from any state, for a full delay or for `retryAfterMs` if that is longer. */
  open(at: number, reason: string, retryAfterMs = 0): void {
    const { delayMs, random } = this.settings;
    const reopenings = reopeningsAfter(this.#opening);
    // Reported after the move (I5).
    const errors: unknown[] = [];
    const ownMs = delayFrom(delayMs, reopenings, random, (error) => errors.push(error));
    this.#openFor(Math.max(ownMs, retryAfterMs), at, reason, reopenings);
    for (const error of errors) this.reportError("policy", error);
  }

  #openFor(delayMs: number, at: number, reason: string, reopenings: number): void {
    const from = this.#movedTo;
    this.#enter(startOpening(at, delayMs, reopenings));
    this.#hasWarned = false;
    this.#emitMove(from, "open", reason, delayMs);
  }

  /** Closes, from any state, with nothing remembered. */
  close(reason: string): void {
    const from = this.#movedTo;
    this.#enter(undefined);
    if (from !== "closed") this.#emitMove(from, "closed", reason, 0);
  }

  /** Begins an epoch: open with this opening, or closed without one. */
  #enter(opening: Opening | undefined): void {
    this.#epoch++;
    this.#opening = opening;
    this.#windows = undefined;
  }

  /** Isolates the circuit until this holder and all others have released it. Probes lose their slots. */
  isolate(): () => void {
    this.#holds++;
    if (this.#holds === 1) {
      this.#opening?.leases.clear();
      this.#hasWarned = false;
      this.#epoch++;
      if (this.#movedTo !== "open") this.#emitState(this.#movedTo, "open", "isolated", Infinity);
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds--;
      if (this.#holds > 0) return;
      this.#epoch++;
      if (this.#movedTo !== "open") this.#emitState("open", this.#movedTo, "released", 0);
    };
  }

  /** Returns what to save. Isolation is not saved. */
  toJSON(): CircuitSnapshot {
    return save({ opening: this.#opening, windows: this.#windows }, this.settings, this);
  }

  // ---- Events ----

  /** Emits a move, and also that an open circuit was opened once more: its delay starts again. */
  #emitMove(from: CircuitState, to: CircuitState, reason: string, retryAfterMs: number): void {
    // Isolation hides moves (I6).
    if (this.#holds === 0) this.#emitState(from, to, reason, retryAfterMs);
  }

  #emitState(from: CircuitState, to: CircuitState, reason: string, retryAfterMs: number): void {
    const { mode, now, onEvent } = this.settings;
    if (mode === "off" || onEvent === undefined) return;
    emit(onEvent, { type: "state", circuit: this.name, at: now(), from, to, reason, retryAfterMs });
  }

  #emitRefused(type: RefusedEvent["type"], { why, retryAfterMs, at }: Refusal): void {
    const shown = why === "isolated" ? "open" : why;
    emit(this.settings.onEvent, { type, circuit: this.name, at, retryAfterMs, why: shown });
  }

  #emitEnd(verdict: Verdict, at: number, durationMs: number, end: End): void {
    const { detail, cause = "upstream", why } = end;
    const about = { circuit: this.name, at, cause, ...detail };
    emit(
      this.settings.onEvent,
      verdict === "ignored"
        ? { type: "ignored", ...about, why: why ?? "verdict" }
        : { type: verdict, ...about, durationMs },
    );
  }

  /** Emits an error in a callback. */
  reportError(source: ErrorSource, error: unknown): void {
    reportError(this.settings, this.name, source, error);
  }
}
