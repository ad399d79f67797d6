import type { Deadlines } from "./circuit/deadlines.ts";
import type { Circuit } from "./circuit/circuit.ts";
import type { Judge } from "./circuit/verdict.ts";
import type { CircuitOpenError } from "./errors.ts";
import { type BreakerEvent, type ErrorSource, tell } from "./events.ts";
import type { Ask } from "./last_good/ask.ts";
import type { Place } from "./last_good/key.ts";

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

/** Tells of a callback that went wrong. */
export function tellError(
  { onEvent, now }: JointSettings,
  { name: circuit }: Circuit<Response>,
  source: ErrorSource,
  error: unknown,
): void {
  if (onEvent !== undefined) tell(onEvent, { type: "error", circuit, at: now(), source, error });
}

/** By its shape: servers bring their own Response classes. */
export function isResponse(value: unknown): value is Response {
  const { status, headers } = Object(value) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

/** F7: an answer that nobody reads holds its connection until its body is cancelled. */
export function discard(response: unknown): void {
  if (!isResponse(response) || !response.body || response.body.locked) return;
  response.body.cancel().catch(() => {});
}
