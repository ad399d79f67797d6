import { type CircuitState, emit, type ErrorSource } from "../observe/events.ts";
import { CallPermit, type End } from "./permit.ts";
import { delayFrom } from "./delay.ts";
import type { CircuitSettings } from "./settings.ts";
import { type CircuitSnapshot, readSnapshot } from "./snapshot.ts";
import type { Verdict } from "./verdict.ts";
import { record, restoreWindows, saveWindows, startWindows, type Windows } from "./trip/windows.ts";

/** The time from one opening until the circuit closes, or opens anew. */
interface Opening {
  state: "open" | "half_open";
  openedAt: number;
  readonly delayMs: number;
  readonly reopenings: number;
  succeeded: number;
  /** The probes that hold a slot. */
  readonly leases: Set<CallPermit>;
}

/** The epoch of calls that never count. */
const NO_EPOCH = -1;

/**
 * The states of one circuit and the moves between them: who may pass, and what an end means.
 *
 * There is no timer: it moves when it is asked, by comparing times. Whatever changes the state
 * begins a new epoch, and a call that was admitted in an older one no longer counts. Every move is
 * complete before it is told, so a listener may make the next one.
 */
export class Machine {
  readonly name: string;
  readonly settings: CircuitSettings<never>;
  #epoch = 0;
  /** While not closed. */
  #opening: Opening | undefined;
  /** While closed, from the first call that they want to know of. */
  #windows: Windows | undefined;
  /** How many hold it isolated. */
  #holds = 0;
  /** Whether it has said that it would refuse. */
  #warned = false;

  constructor(name: string, settings: CircuitSettings<never>, saved: unknown) {
    this.name = name;
    this.settings = settings;
    if (saved !== undefined) this.#restore(saved);
  }

  /** As of now, see {@link Circuit.state}. */
  get state(): CircuitState {
    const { mode, now } = this.settings;
    if (mode === "off") return "closed";
    if (this.#holds > 0) return "open";
    if (this.#state !== "open") return this.#state;
    return this.#waitMs(now()) === 0 ? "half_open" : "open";
  }

  /** Time until a call may pass, in ms: 0 unless it is refused now. */
  get retryAfterMs(): number {
    if (this.settings.mode !== "enforce" || this.#isClosed) return 0;
    return this.#waitMs(this.settings.now());
  }

  /**
   * Whether nothing is wanted of a call but its verdict: no event, no time, no lease. Such calls are
   * the most, and need no object of their own.
   */
  get isPlain(): boolean {
    return this.#isClosed && this.settings.isPlain;
  }

  /** Calls that are let through now count only while it stays the same. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Counts a call that was let through in this epoch while it {@link isPlain}. */
  count(verdict: "success" | "failure", epoch: number): void {
    if (epoch !== this.#epoch) return;
    const { wantsEnd, now } = this.settings;
    const at = wantsEnd ? now() : 0;
    const reason = this.#record(verdict, at, 0);
    if (reason !== undefined) this.open(wantsEnd ? at : now(), reason);
  }

  /** What it is beneath an isolation, as it was last moved. */
  get #state(): CircuitState {
    return this.#opening?.state ?? "closed";
  }

  /** Closed and not isolated: everybody may pass. */
  get #isClosed(): boolean {
    return this.#opening === undefined && this.#holds === 0;
  }

  // ---- Who may pass ----

  /** Lets a call through; if it refuses, the time until one may pass, in ms. */
  admit(): CallPermit | number {
    const { mode, wantsStart, now } = this.settings;
    if (mode === "off") return new CallPermit(undefined, 0, 0);
    if (this.#isClosed) return new CallPermit(this, this.#epoch, wantsStart ? now() : 0);
    const at = now();
    this.#endLeases(at);
    if (this.#isClosed) return new CallPermit(this, this.#epoch, at);
    const waitMs = this.#waitMs(at);
    return waitMs === 0 ? this.#probe(at) : this.#refuse(at, waitMs);
  }

  /** Time until a call may pass, in ms. A clock that stepped back starts the wait anew. */
  #waitMs(at: number): number {
    const opening = this.#opening;
    if (this.#holds > 0) return Infinity;
    if (opening === undefined) return 0;
    if (opening.state === "open") {
      opening.openedAt = Math.min(opening.openedAt, at);
      return Math.max(0, opening.openedAt + opening.delayMs - at);
    }
    const { probes, probeTimeoutMs } = this.settings;
    if (opening.succeeded + opening.leases.size < probes) return 0;
    let waitMs = probeTimeoutMs;
    for (const lease of opening.leases) {
      waitMs = Math.min(waitMs, Math.max(0, lease.startedAt + probeTimeoutMs - at));
    }
    return waitMs;
  }

  /** Lends a slot of a half open circuit; the first one makes it half open. */
  #probe(at: number): CallPermit {
    const opening = this.#opening;
    const begins = opening?.state === "open";
    if (begins) {
      opening.state = "half_open";
      this.#epoch++;
    }
    const permit = new CallPermit(this, this.#epoch, at, true);
    opening?.leases.add(permit);
    if (begins) this.#emitMove("open", "half_open", "the delay is over", 0);
    emit(this.settings.onEvent, { type: "probe", circuit: this.name, at });
    return permit;
  }

  #refuse(at: number, retryAfterMs: number): CallPermit | number {
    const { mode, onEvent } = this.settings;
    if (mode === "enforce") {
      if (onEvent === undefined) return retryAfterMs;
      emit(onEvent, { type: "refused", circuit: this.name, at, retryAfterMs });
      return retryAfterMs;
    }
    if (!this.#warned) {
      this.#warned = true;
      emit(onEvent, { type: "would_refuse", circuit: this.name, at, retryAfterMs });
    }
    return new CallPermit(this, NO_EPOCH, at);
  }

  /** Takes back the slots of probes that took too long. */
  #endLeases(at: number): void {
    const opening = this.#opening;
    if (opening === undefined || opening.leases.size === 0) return;
    for (const lease of [...opening.leases]) {
      if (this.#opening !== opening) return;
      if (this.leaseIsOver(lease, at)) lease.end("ignored", { why: "probe-timeout" });
    }
  }

  /** Whether a probe has lost its slot. A clock that stepped back starts the lease anew. */
  leaseIsOver(lease: CallPermit, at: number): boolean {
    lease.startedAt = Math.min(lease.startedAt, at);
    return at - lease.startedAt >= this.settings.probeTimeoutMs;
  }

  // ---- What an end means ----

  /** Tells how a call ended and counts it, if it was admitted in this epoch. */
  end(permit: CallPermit, verdict: Verdict, { detail, retryAfterMs, why, opens }: End): void {
    const { wantsStart, wantsEnd, now, onEvent } = this.settings;
    const at = wantsEnd || permit.isProbe ? now() : 0;
    if (permit.isProbe && this.leaseIsOver(permit, at)) {
      // What comes after the lease is dropped; a good head that came within it stands.
      verdict = permit.hasHead ? "success" : "ignored";
      why = "probe-timeout";
      opens = undefined;
    }
    const durationMs = wantsStart ? permit.durationMs(at) : 0;
    if (onEvent !== undefined) {
      const about = { circuit: this.name, at, ...detail };
      if (verdict === "ignored") {
        emit(onEvent, { type: "ignored", ...about, why: why ?? "verdict" });
      } else emit(onEvent, { type: verdict, ...about, durationMs });
    }
    if (permit.epoch !== this.#epoch) return;
    switch (this.#state) {
      case "closed": {
        const reason = verdict === "ignored" ? undefined : this.#record(verdict, at, durationMs);
        // Whoever heard of a policy's error may have moved it.
        if (permit.epoch !== this.#epoch) return;
        if (reason !== undefined || opens !== undefined) {
          this.open(wantsEnd ? at : now(), opens ?? reason ?? "", retryAfterMs);
        }
        break;
      }
      case "half_open":
        this.#endProbe(permit, verdict, at, retryAfterMs, opens);
        break;
      case "open":
    }
  }

  #endProbe(
    permit: CallPermit,
    verdict: Verdict,
    at: number,
    retryAfterMs: number | undefined,
    opens: string | undefined,
  ): void {
    const opening = this.#opening;
    if (opening === undefined || !opening.leases.delete(permit)) return;
    if (opens !== undefined) this.open(at, opens, retryAfterMs);
    else if (verdict === "failure") this.open(at, "a probe failed", retryAfterMs);
    else if (verdict === "success") {
      opening.succeeded++;
      if (opening.succeeded >= this.settings.probes) this.close("probes succeeded");
    }
  }

  /** Why to open, if a window says so. */
  #record(verdict: "success" | "failure", at: number, durationMs: number): string | undefined {
    let windows = this.#windows;
    if (windows === undefined) {
      if (verdict === "success" && !this.settings.countsSuccesses) return undefined;
      const epoch = this.#epoch;
      windows = startWindows(this.settings.policies, this);
      // Whoever heard of a policy's error may have moved it.
      if (epoch !== this.#epoch) return undefined;
      this.#windows = windows;
    }
    return record(windows, verdict, at, durationMs, this);
  }

  // ---- Moves ----

  /** Opens, from any state, for a full delay. */
  open(at: number, reason: string, retryAfterMs = 0): void {
    const { delayMs: delay, random } = this.settings;
    const from = this.#state;
    const before = this.#opening;
    const reopenings = before === undefined
      ? 0
      : before.reopenings + (from === "half_open" ? 1 : 0);
    const errors: unknown[] = [];
    const ownMs = typeof delay === "number"
      ? delay
      : delayFrom(delay, reopenings, random, (error) => errors.push(error));
    const delayMs = Math.max(ownMs, retryAfterMs);
    this.#epoch++;
    this.#opening = {
      state: "open",
      openedAt: at,
      delayMs,
      reopenings,
      succeeded: 0,
      leases: new Set(),
    };
    this.#windows = undefined;
    this.#warned = false;
    this.#emitMove(from, "open", reason, delayMs);
    for (const error of errors) this.reportError("policy", error);
  }

  /** Closes, from any state, with nothing remembered. */
  close(reason: string): void {
    const from = this.#state;
    this.#epoch++;
    this.#opening = undefined;
    this.#windows = undefined;
    this.#emitMove(from, "closed", reason, 0);
  }

  /** Holds it open, whatever goes on beneath. */
  isolate(): () => void {
    this.#holds++;
    if (this.#holds === 1) {
      this.#opening?.leases.clear();
      this.#warned = false;
      this.#epoch++;
      this.#emitState(this.#state, "open", "isolated", Infinity);
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      if (this.#holds > 0) return;
      this.#epoch++;
      this.#emitState("open", this.#state, "released", 0);
    };
  }

  /** A move beneath an isolation is not to be seen. */
  #emitMove(from: CircuitState, to: CircuitState, reason: string, retryAfterMs: number): void {
    if (this.#holds === 0) this.#emitState(from, to, reason, retryAfterMs);
  }

  #emitState(from: CircuitState, to: CircuitState, reason: string, retryAfterMs: number): void {
    const { mode, now, onEvent } = this.settings;
    if (from === to || mode === "off" || onEvent === undefined) return;
    emit(onEvent, { type: "state", circuit: this.name, at: now(), from, to, reason, retryAfterMs });
  }

  /** A callback went wrong. */
  reportError(source: ErrorSource, error: unknown): void {
    const { now, onEvent } = this.settings;
    if (onEvent !== undefined) {
      emit(onEvent, { type: "error", circuit: this.name, at: now(), source, error });
    }
  }

  // ---- At rest ----

  /** All that it remembers but isolation. */
  toJSON(): CircuitSnapshot {
    if (this.#opening !== undefined) {
      const { openedAt, delayMs, reopenings, succeeded } = this.#opening;
      const opening = { openedAt, delayMs, reopenings, succeeded };
      return { version: 1, state: this.#state, opening };
    }
    const windows = saveWindows(this.settings.policies, this.#windows, this);
    return { version: 1, state: this.#state, windows };
  }

  #restore(saved: unknown): void {
    try {
      const { state, opening, windows = [] } = readSnapshot(saved);
      const { policies, probes } = this.settings;
      if (opening === undefined || state === "closed") {
        this.#windows = restoreWindows(policies, windows, this);
      } else {
        // With fewer probes than before, those that have succeeded must leave a slot.
        const succeeded = Math.min(opening.succeeded, probes - 1);
        this.#opening = { ...opening, state, succeeded, leases: new Set() };
      }
    } catch (error) {
      this.reportError("state", error);
    }
  }
}
