/** The state of a circuit. */
export type CircuitState = "closed" | "open" | "half_open";

/**
 * Why a response was not kept. The list is fixed, so that reasons can be counted.
 * - The request: `"method"` other than GET, `"request-body"`, `"request-no-store"`,
 *   `"request-malformed"`, `"range"` (of the response, too), `"upgrade"`, a `"raw-url"` that is not what
 *   the URL parser makes of it, a `"foreign-host"` in its `Host`;
 * - who asks: `"authorization"`, `"cookie"`, or `"identity"`, another field that says so;
 * - the response: `"status"`, `"no-store"`, `"private"`, `"no-cache"`, `"malformed"` fields,
 *   `"set-cookie"`, `"vary"`, a `"content-type"` that never ends, a `"nonce"` that is set further out,
 *   `"opaque"`, `"redirected"`, `"headers-too-large"`, `"key-too-large"`;
 * - its body: `"body-used"`, `"uncopyable"`, `"too-large"`, `"too-slow"`, `"stalled"`, `"truncated"`,
 *   `"broken"`, `"cancelled"` by its reader;
 * - memory: `"under-way"`, as another answer is being copied; `"no-room"`; `"superseded"` by a later
 *   answer or removal; `"veto"` by the option `keep`.
 */
export type NotKeptReason =
  | "method"
  | "request-body"
  | "request-no-store"
  | "request-malformed"
  | "range"
  | "upgrade"
  | "raw-url"
  | "foreign-host"
  | "authorization"
  | "identity"
  | "cookie"
  | "status"
  | "no-store"
  | "private"
  | "no-cache"
  | "malformed"
  | "set-cookie"
  | "vary"
  | "content-type"
  | "nonce"
  | "opaque"
  | "redirected"
  | "body-used"
  | "uncopyable"
  | "headers-too-large"
  | "key-too-large"
  | "under-way"
  | "no-room"
  | "too-large"
  | "too-slow"
  | "stalled"
  | "truncated"
  | "broken"
  | "cancelled"
  | "veto"
  | "superseded";

/**
 * Why the last good response was served: the circuit is `"open"`, the call was a `"failure"`, it is
 * `"slow"`, or another one is `"probing"`.
 */
export type StaleReason = "open" | "failure" | "slow" | "probing";

/** The callback or the part that went wrong. */
export type ErrorSource =
  | "judge"
  | "key"
  | "lastGood.key"
  | "keep"
  | "partition"
  | "fallback"
  | "now"
  | "policy"
  | "state"
  | "store"
  | "request"
  | "waitUntil"
  | "breaker";

/** The members of every event. */
export interface EventBase {
  /** The name of the circuit. */
  readonly circuit: string;
  /** When it happened, in ms by the clock of the option `now`. */
  readonly at: number;
}

/**
 * Why a kept response was removed: by a newer answer (its status, or its Cache-Control), by an unsafe
 * method that succeeded, or by `forget`.
 */
export type RemovedReason = "status" | "no-store" | "private" | "no-cache" | "method" | "forgotten";

/** A circuit changed its state. */
export interface StateEvent extends EventBase {
  /** The kind of event. */
  readonly type: "state";
  /** The old state. */
  readonly from: CircuitState;
  /** The new state. */
  readonly to: CircuitState;
  /** The reason, in words. */
  readonly reason: string;
  /** Time until a call may pass, in ms: 0 unless the circuit opened, Infinity if it was isolated. */
  readonly retryAfterMs: number;
}

/**
 * What ended a call, and so who is to blame for it:
 * - `"upstream"`: its answer, its error, or its body that broke off;
 * - `"timeout"`: our `timeoutMs`, or a probe's `probeTimeoutMs`;
 * - `"deadline"`: the caller's own time limit, an abort with a reason named `TimeoutError`;
 * - `"abort"`: the caller left;
 * - `"upload"`: the body that the caller sends broke, or was still on its way;
 * - `"arguments"`: `fetch` refuses what it was called with;
 * - `"inner"`: the refusal of another circuit, which is no new evidence;
 * - `"ours"`: an error in the breaker itself.
 */
export type Cause =
  | "upstream"
  | "timeout"
  | "deadline"
  | "abort"
  | "upload"
  | "arguments"
  | "inner"
  | "ours";

/** How a call ended: with a response, with an error, or with neither if that is not known. */
export interface OutcomeDetail {
  /** The status of the response, if there was one. */
  readonly status?: number;
  /** The error, if the call was rejected. */
  readonly error?: unknown;
}

/** A call ended and counted as a success or as a failure. */
export interface OutcomeEvent extends EventBase, OutcomeDetail {
  /** The kind of event. */
  readonly type: "success" | "failure";
  /** What ended it. */
  readonly cause: Cause;
  /** From the start of the call to its result or to the head of its response, in ms. */
  readonly durationMs: number;
}

/** Why a call counts neither for nor against the upstream. */
export type IgnoredReason =
  | "verdict"
  | "method"
  | "aborted"
  | "probe-timeout"
  | "frozen"
  | "upload"
  | "arguments"
  | "inner"
  | "ours";

/** A call ended and did not count. */
export interface IgnoredEvent extends EventBase, OutcomeDetail {
  /** The kind of event. */
  readonly type: "ignored";
  /** What ended it. */
  readonly cause: Cause;
  /**
   * Why it does not count: by verdict, by its method (OPTIONS), by the caller's own abort, because a
   * probe took too long and lost its slot, because a call in the background was frozen with its host,
   * or because the upstream is not to blame for what ended it.
   */
  readonly why: IgnoredReason;
}

/** A call was refused or, in mode "observe", would have been; the latter is reported once per opening. */
export interface RefusedEvent extends EventBase {
  /** The kind of event. */
  readonly type: "refused" | "would_refuse";
  /** Time until a call may pass, in ms; Infinity while isolated. */
  readonly retryAfterMs: number;
  /**
   * `"open"`, also by isolation; `"probing"`: half open, with probes in all slots; `"busy"`: as many
   * calls as are allowed are under way.
   */
  readonly why: "open" | "probing" | "busy";
}

/** A call was let through to find out if the upstream is back. */
export interface ProbeEvent extends EventBase {
  /** The kind of event. */
  readonly type: "probe";
}

/** A response was kept as the last good one. */
export interface KeptEvent extends EventBase {
  /** The kind of event. */
  readonly type: "kept";
  /** The URL for which it is kept, without fragment. */
  readonly url: string;
  /** The size of its body, in bytes. */
  readonly bytes: number;
}

/** A good response was not kept. */
export interface NotKeptEvent extends EventBase {
  /** The kind of event. */
  readonly type: "not_kept";
  /** The URL that was asked for, without fragment. */
  readonly url: string;
  /** The reason. */
  readonly why: NotKeptReason;
}

/** What was kept for a request was removed, one response or several. */
export interface RemovedEvent extends EventBase {
  /** The kind of event. */
  readonly type: "removed";
  /** The URL for which it was kept, without fragment; "" if everything was forgotten. */
  readonly url: string;
  /** The reason. */
  readonly why: RemovedReason;
}

/** The last good response was served in place of the upstream's own. */
export interface StaleEvent extends EventBase {
  /** The kind of event. */
  readonly type: "stale";
  /** The URL for which it was served, without fragment. */
  readonly url: string;
  /** The reason. */
  readonly why: StaleReason;
  /** Its age, in ms (RFC 9111 §4.2.3). */
  readonly ageMs: number;
}

/**
 * A kept response was served without a call: it is younger than `freshMs`, or it is fresh and the
 * request says `only-if-cached`.
 */
export interface FreshEvent extends EventBase {
  /** The kind of event. */
  readonly type: "fresh";
  /** The URL for which it was served, without fragment. */
  readonly url: string;
  /** Its age, in ms (RFC 9111 §4.2.3). */
  readonly ageMs: number;
}

/** A breaker dropped a circuit, to make room for another one. */
export interface EvictedEvent extends EventBase {
  /** The kind of event. */
  readonly type: "evicted";
}

/** A callback threw or returned nonsense; the default took its place. */
export interface ErrorEvent extends EventBase {
  /** The kind of event. */
  readonly type: "error";
  /** Which callback, or which part. */
  readonly source: ErrorSource;
  /** The error it threw, or one that says what is wrong with its result. */
  readonly error: unknown;
}

/** Everything that a circuit or a breaker reports. The `type` says which event it is. */
export type BreakerEvent =
  | StateEvent
  | OutcomeEvent
  | IgnoredEvent
  | RefusedEvent
  | ProbeEvent
  | KeptEvent
  | NotKeptEvent
  | RemovedEvent
  | StaleEvent
  | FreshEvent
  | EvictedEvent
  | ErrorEvent;

/** Hands `event` to a listener. What that throws or rejects with is dropped, so it can break nothing. */
export function emit(
  listener: ((event: BreakerEvent) => unknown) | undefined,
  event: BreakerEvent,
): void {
  if (listener === undefined) return;
  try {
    const result = listener(event) as { then?: unknown } | null | undefined;
    // The rejection of an async listener would end the process.
    if (typeof result?.then === "function") Promise.resolve(result).catch(() => {});
  } catch {
    // A listener only listens.
  }
}

/** Hears of callbacks that throw or return nonsense, and of parts that fail: none reaches a caller. */
export interface ErrorListener {
  reportError(source: ErrorSource, error: unknown): void;
}

/** Hears of copies that were removed, too. */
export interface RemovalListener extends ErrorListener {
  reportRemoved(url: string, why: RemovedReason): void;
}

/** Where events go, and when they happen. */
interface EventSettings {
  readonly onEvent: ((event: BreakerEvent) => void) | undefined;
  readonly now: () => number;
}

/** Emits such an error as an event of this circuit. */
export function reportError(
  { onEvent, now }: EventSettings,
  circuit: string,
  source: ErrorSource,
  error: unknown,
): void {
  if (onEvent !== undefined) emit(onEvent, { type: "error", circuit, at: now(), source, error });
}

/** Emits a removal as an event of this circuit. */
export function reportRemoved(
  { onEvent, now }: EventSettings,
  circuit: string,
  url: string,
  why: RemovedReason,
): void {
  if (onEvent !== undefined) emit(onEvent, { type: "removed", circuit, at: now(), url, why });
}
