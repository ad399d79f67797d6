import type { CircuitState, Verdict } from "@lastgood/breaker";

/** The options that the model needs. */
export interface ModelOptions {
  readonly kind: "consecutive" | "total" | "lastCalls";
  /** Failures that open it; for "lastCalls", the number of last calls, half of which must fail. */
  readonly limit: number;
  readonly delayMs: (reopenings: number) => number;
  readonly probes: number;
  readonly probeTimeoutMs: number;
  readonly mode: "enforce" | "observe" | "off";
}

/** A call that was admitted. */
export interface ModelCall {
  readonly period: object | undefined;
  since: number;
}

/** A period in which the ends of its calls count: any change of state ends it. */
interface Period {
  readonly verdicts: Verdict[];
  readonly probing: Set<ModelCall>;
  /** How the probes ended. */
  readonly probed: Verdict[];
}

/**
 * A circuit exactly as the promises describe it, slow and plain: it remembers everything and works
 * out each answer from scratch.
 */
export class Model {
  readonly moves: string[] = [];
  #state: CircuitState = "closed";
  #openedAt = 0;
  #delayMs = 0;
  #reopenings = 0;
  #isolations = 0;
  #period: Period = begun();
  readonly #options: ModelOptions;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  state(now: number): CircuitState {
    if (this.#options.mode === "off") return "closed";
    if (this.#isolations > 0) return "open";
    if (this.#state === "open" && this.#wait(now) === 0) return "half_open";
    return this.#state;
  }

  retryAfterMs(now: number): number {
    if (this.#options.mode !== "enforce") return 0;
    if (this.#isolations > 0) return Infinity;
    if (this.#state === "open") return this.#wait(now);
    if (this.#state === "closed" || this.#hasSlot()) return 0;
    const { probeTimeoutMs } = this.#options;
    const left = [...this.#period.probing].map(({ since }) =>
      Math.max(0, probeTimeoutMs - Math.max(0, now - since))
    );
    return Math.min(probeTimeoutMs, ...left);
  }

  acquire(now: number): ModelCall | undefined {
    const { mode } = this.#options;
    if (mode === "off") return { period: undefined, since: now };
    for (const call of [...this.#period.probing]) {
      if (this.#isLost(call, now)) this.#period.probing.delete(call);
    }
    const uncounted = mode === "observe" ? { period: undefined, since: now } : undefined;
    if (this.#isolations > 0) return uncounted;
    if (this.#state === "closed") return { period: this.#period, since: now };
    if (this.#state === "open") {
      if (this.#wait(now) > 0) return uncounted;
      this.#move("half_open");
    } else if (!this.#hasSlot()) return uncounted;
    const call = { period: this.#period, since: now };
    this.#period.probing.add(call);
    return call;
  }

  settle(call: ModelCall, verdict: Verdict, now: number, retryAfterMs = 0): void {
    if (call.period !== this.#period) return;
    if (this.#state === "closed") {
      this.#period.verdicts.push(verdict);
      if (verdict === "failure" && this.#mustOpen()) this.#open(now, 0, retryAfterMs);
      return;
    }
    if (!this.#period.probing.has(call)) return;
    const lost = this.#isLost(call, now);
    this.#period.probing.delete(call);
    if (lost) return;
    const { probed } = this.#period;
    probed.push(verdict);
    if (verdict === "failure") this.#open(now, this.#reopenings + 1, retryAfterMs);
    else if (verdict === "ignored") {
      if (retryAfterMs > 0) this.#openFor(now, retryAfterMs);
      else if (probed.length >= 3 && probed.slice(-3).every((one) => one === "ignored")) {
        this.#openFor(now, this.#delayMs);
      }
    } else if (this.#successes() === this.#options.probes) this.#move("closed");
  }

  trip(now: number): void {
    const again = this.#state === "half_open" ? 1 : 0;
    this.#open(now, this.#state === "closed" ? 0 : this.#reopenings + again, 0);
  }

  reset(): void {
    this.#move("closed");
  }

  isolate(): void {
    if (++this.#isolations > 1) return;
    if (this.#state !== "open") this.#report(this.#state, "open");
    this.#period = { ...this.#period, probing: new Set() };
  }

  release(): void {
    if (--this.#isolations > 0) return;
    if (this.#state !== "open") this.#report("open", this.#state);
    this.#period = { ...this.#period };
  }

  /** Restarts: running calls and isolations are lost. */
  restart(): void {
    this.#isolations = 0;
    this.#period = { ...this.#period, probing: new Set() };
  }

  #mustOpen(): boolean {
    const { kind, limit } = this.#options;
    const counted = this.#period.verdicts.filter((verdict) => verdict !== "ignored");
    if (kind === "total") return counted.filter((one) => one === "failure").length >= limit;
    const last = counted.slice(-limit);
    const failures = last.filter((one) => one === "failure").length;
    return last.length === limit && failures >= (kind === "consecutive" ? limit : limit / 2);
  }

  #hasSlot(): boolean {
    return this.#successes() + this.#period.probing.size < this.#options.probes;
  }

  #successes(): number {
    return this.#period.probed.filter((one) => one === "success").length;
  }

  #wait(now: number): number {
    this.#openedAt = Math.min(this.#openedAt, now);
    return Math.max(0, this.#openedAt + this.#delayMs - now);
  }

  #isLost(call: ModelCall, now: number): boolean {
    call.since = Math.min(call.since, now);
    return now - call.since >= this.#options.probeTimeoutMs;
  }

  #open(now: number, reopenings: number, atLeastMs: number): void {
    this.#reopenings = reopenings;
    this.#openFor(now, Math.max(atLeastMs, this.#options.delayMs(reopenings)));
  }

  #openFor(now: number, delayMs: number): void {
    this.#openedAt = now;
    this.#delayMs = delayMs;
    this.#move("open");
  }

  #move(to: CircuitState): void {
    const isMove = this.#state !== to || to === "open";
    if (this.#isolations === 0 && isMove) this.#report(this.#state, to);
    this.#state = to;
    this.#period = begun();
  }

  #report(from: CircuitState, to: CircuitState): void {
    if (this.#options.mode !== "off") this.moves.push(`${from} > ${to}`);
  }
}

function begun(): Period {
  return { verdicts: [], probing: new Set(), probed: [] };
}
