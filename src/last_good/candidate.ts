import type { NotKeptReason, RemovalListener } from "../observe/events.ts";
import type { CopyEnd, CopyHost } from "./body_copy.ts";
import type { CacheKey } from "./cache_key.ts";
import type { RequestHead } from "./request_head.ts";
import type { Timing } from "./stored_response.ts";

/** The handlers further out in a chain. They may change an answer after the breaker has given it. */
export interface Outside {
  /**
   * Calls the listener with the answer as they have left it, when they are done; again if one
   * changes it later.
   */
  hear(listener: (response: Response) => void): void;
}

/** A good response that may be kept. */
export interface Candidate {
  readonly request: RequestHead;
  readonly key: CacheKey;
  readonly response: Response;
  /** The status of the response. */
  readonly status: number;
  readonly timing: Timing;
  /** True if it comes straight from `fetch`, which decodes bodies. */
  readonly byFetch: boolean;
  /** True if events are listened to, so that a reason for not keeping it is of use. */
  readonly isObserved: boolean;
  /** Hears of copies that it removes, too. */
  readonly errors: RemovalListener;
  readonly chain: {
    /** Returns the handlers further out; undefined if there are none. */
    outside(): Outside | undefined;
  };
}

/** Reports that a response was kept, with the size of its body, or why it was not. */
export type KeepResult = { readonly bytes: number } | { readonly why: NotKeptReason };

/** A result that is known only once the handlers further out have run. */
export interface LaterResult {
  /** Calls the listener when it is known, perhaps at once. */
  onKept(listener: (kept: KeepResult) => void): void;
}

/** Follows the copy of a body. */
export interface CopyListener {
  /** How long a body may stand still, in ms; Infinity for no limit. */
  readonly stallMs: number;
  /** The signal that ends the body for its reader, as `fetch` would; undefined if there is none. */
  readonly signal: AbortSignal | undefined;
  /** Reports whether the caller who reads the response has aborted. */
  isAborted(): boolean;
  readonly host: CopyHost;
  /** Hears how the copy ended, before the caller reads the end of the body. */
  onCopied(end: CopyEnd, kept: KeepResult | LaterResult): void;
}

/** Copies a good response on its way. Returns the one for the caller as soon as its head may go. */
export type BodyRecorder = (listener: CopyListener) => Promise<Response>;
