/** Where a circuit stands. */
export type CircuitState = "closed" | "open" | "half_open";

/** Why a response was not kept: a fixed list, so that it can be counted. */
export type NotKeptReason =
  | "method"
  | "request-body"
  | "request-no-store"
  | "request-malformed"
  | "range"
  | "authorization"
  | "cookie"
  | "status"
  | "no-store"
  | "private"
  | "no-cache"
  | "malformed"
  | "set-cookie"
  | "vary"
  | "content-type"
  | "opaque"
  | "redirected"
  | "body-used"
  | "headers-too-large"
  | "key-too-large"
  | "too-large"
  | "too-slow"
  | "truncated"
  | "broken"
  | "cancelled"
  | "veto"
  | "superseded";

/** Why the last good response was served. */
export type StaleReason = "open" | "failure" | "slow" | "probing" | "only-if-cached";

/** Whose callback, or which part, went wrong. */
export type ErrorSource =
  | "judge"
  | "key"
  | "lastGood.key"
  | "keep"
  | "partition"
  | "fallback"
  | "policy"
  | "state"
  | "store"
  | "waitUntil";

/** What every event tells. */
export interface EventBase {
  /** The name of the circuit it is about. */
  readonly circuit: string;
  /** When, in ms as the `now` option counts. */
  readonly at: number;
}

/** The circuit changed its state. */
export interface StateEvent extends EventBase {
  /** What happened. */
  readonly type: "state";
  /** The state before. */
  readonly from: CircuitState;
  /** The state from now on. */
  readonly to: CircuitState;
  /** Why, in words. */
  readonly reason: string;
  /** Time until a call may pass, in ms: 0 unless it opened, Infinity if it was isolated. */
  readonly retryAfterMs: number;
}

/** How a call ended: by a response, an error, or neither is known. */
export interface OutcomeDetail {
  /** The status of the response, where there was one. */
  readonly status?: number;
  /** What it was rejected with, where it was. */
  readonly error?: unknown;
}

/** A call counted as success, or as failure. */
export interface OutcomeEvent extends EventBase, OutcomeDetail {
  /** What happened. */
  readonly type: "success" | "failure";
  /** From the call's start to its result, or to its response's head, in ms. */
  readonly durationMs: number;
}

/** A call ended and counted as neither. */
export interface IgnoredEvent extends EventBase, OutcomeDetail {
  /** What happened. */
  readonly type: "ignored";
  /** By verdict, by the caller's own abort, or because a probe took too long and lost its slot. */
  readonly why: "verdict" | "aborted" | "probe-timeout";
}

/** A call was refused; in mode "observe", would have been: that is said once per opening. */
export interface RefusedEvent extends EventBase {
  /** What happened. */
  readonly type: "refused" | "would_refuse";
  /** Time until a call may pass, in ms; Infinity while isolated. */
  readonly retryAfterMs: number;
}

/** A call was let through to find out whether the upstream is back. */
export interface ProbeEvent extends EventBase {
  /** What happened. */
  readonly type: "probe";
}

/** A response was kept as the last good one. */
export interface KeptEvent extends EventBase {
  /** What happened. */
  readonly type: "kept";
  /** The URL it is kept for, without fragment. */
  readonly url: string;
  /** The size of its body, in bytes. */
  readonly bytes: number;
}

/** A good response was not kept. */
export interface NotKeptEvent extends EventBase {
  /** What happened. */
  readonly type: "not_kept";
  /** The URL it was fetched from, without fragment. */
  readonly url: string;
  /** Why not. */
  readonly why: NotKeptReason;
}

/** The last good response was served in place of a call's own. */
export interface StaleEvent extends EventBase {
  /** What happened. */
  readonly type: "stale";
  /** The URL it was served for, without fragment. */
  readonly url: string;
  /** Why it was. */
  readonly why: StaleReason;
  /** Its age, in ms (RFC 9111 §4.2.3). */
  readonly ageMs: number;
}

/** A kept response was served without calling because it is younger than `freshMs`. */
export interface FreshEvent extends EventBase {
  /** What happened. */
  readonly type: "fresh";
  /** The URL it was served for, without fragment. */
  readonly url: string;
  /** Its age, in ms (RFC 9111 §4.2.3). */
  readonly ageMs: number;
}

/** A callback threw or gave nonsense; the default took its place. */
export interface ErrorEvent extends EventBase {
  /** What happened. */
  readonly type: "error";
  /** Whose. */
  readonly source: ErrorSource;
  /** What it threw, or what is wrong with what it gave. */
  readonly error: unknown;
}

/** All that can be heard of a circuit or a breaker. */
export type BreakerEvent =
  | StateEvent
  | OutcomeEvent
  | IgnoredEvent
  | RefusedEvent
  | ProbeEvent
  | KeptEvent
  | NotKeptEvent
  | StaleEvent
  | FreshEvent
  | ErrorEvent;

/** Tells `event` to a listener that can break nothing: what it throws or rejects with is dropped. */
export function emit(
  listener: ((event: BreakerEvent) => unknown) | undefined,
  event: BreakerEvent,
): void {
  if (listener === undefined) return;
  try {
    const told = listener(event) as { then?: unknown } | null | undefined;
    // An async listener may reject, which would end the process.
    if (typeof told?.then === "function") Promise.resolve(told).catch(() => {});
  } catch {
    // A listener is a guest.
  }
}

/**
 * Makes a listener that writes one readable line for each state change, each last good response
 * served, each would-be refusal and each error in a callback.
 *
 * @param console Where to write: the console, or anything with its `log`.
 * @returns A listener for the option `onEvent`.
 *
 * @example Watching a breaker
 * ```ts
 * import { Circuit, logTo } from "@lastgood/breaker";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const circuit = new Circuit({ onEvent: logTo({ log: (line) => lines.push(line) }) });
 *
 * circuit.trip("the upstream is being moved");
 *
 * assertEquals(lines, [
 *   "[circuit] Changed state from closed to open: the upstream is being moved; retry after 60 secs",
 * ]);
 * ```
 */
export function logTo(console: { log(line: string): unknown }): (event: BreakerEvent) => void {
  return (event) => {
    const line = lineFor(event);
    if (line !== undefined) console.log(oneLine(`[${event.circuit}] ${line}`));
  };
}

function lineFor(event: BreakerEvent): string | undefined {
  switch (event.type) {
    case "state": {
      const until = event.retryAfterMs === 0 || event.retryAfterMs === Infinity
        ? ""
        : `; retry after ${Math.ceil(event.retryAfterMs / 1_000)} secs`;
      return `Changed state from ${event.from} to ${event.to}: ${event.reason}${until}`;
    }
    case "stale":
      return `Served the last good response, ${
        Math.floor(event.ageMs / 1_000)
      } secs old (${event.why}): ${event.url}`;
    case "would_refuse":
      return "Would refuse calls now (mode observe)";
    case "error":
      return `Error in ${event.source}: ${inWords(event.error)}`;
    case "success":
    case "failure":
    case "ignored":
    case "refused":
    case "probe":
    case "kept":
    case "not_kept":
    case "fresh":
      return undefined;
  }
}

/** What was thrown may be anything, even what cannot be made a string. */
function inWords(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "something that has no words";
  }
}

/** Names, URLs and errors come from outside: none of them may forge a second line. */
function oneLine(line: string): string {
  // deno-lint-ignore no-control-regex
  return line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ");
}
