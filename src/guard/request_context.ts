import { Call } from "../circuit/call.ts";
import { causeOfError } from "../circuit/cause.ts";
import type { Circuit } from "../circuit/circuit.ts";
import type { CircuitOpenError } from "../errors.ts";
import type { CacheKey } from "../last_good/cache_key.ts";
import type { Outside } from "../last_good/candidate.ts";
import type { KeyListener } from "../last_good/keying.ts";
import type { RequestHead } from "../last_good/request_head.ts";
import {
  type Cause,
  type ErrorSource,
  type RemovalListener,
  type RemovedReason,
  reportError,
  reportRemoved,
} from "../observe/events.ts";
import type { GuardSettings } from "./options.ts";

/** What ended a call from outside; undefined if it was neither our timeout nor its caller. */
export type EndedBy = "timeout" | "deadline" | "abort" | undefined;

/**
 * One request on its way through a breaker: what is asked, which circuit decides, how the upstream
 * is called. A class because closures made per request were much of what the garbage collector got.
 */
export abstract class RequestContext implements KeyListener, RemovalListener {
  readonly settings: GuardSettings;
  readonly request: RequestHead;
  readonly circuit: Circuit<Response>;
  /** True if `produce` needs a signal even while the call belongs to its caller. */
  abstract readonly takesSignal: boolean;
  /** True if the responses come straight from `fetch`, which decodes bodies. */
  abstract readonly byFetch: boolean;
  /**
   * False if `produce` must not run while the request is answered from memory, true if it may
   * wherever it runs; undefined if it may where the host lives on.
   */
  abstract readonly background: boolean | undefined;
  /** The place that its answer is kept in: each way of asking has its own (K5). */
  abstract readonly place: string;
  /** The key of the answer in memory; undefined if nothing is to be kept or served. */
  key: CacheKey | undefined;
  /** True once the caller has been answered from memory: the call no longer belongs to them. */
  isReleased = false;
  /** True once the call has ended, or its caller has left before it was made. */
  isOver = false;

  constructor(settings: GuardSettings, request: RequestHead, circuit: Circuit<Response>) {
    this.settings = settings;
    this.request = request;
    this.circuit = circuit;
  }

  /** Calls the upstream. With an entity tag, it may ask only whether that is still good. */
  abstract produce(signal: AbortSignal | undefined, etag?: string): Response | Promise<Response>;
  /** Answers a refused request for which there is nothing to serve. */
  abstract refuse(error: CircuitOpenError): Response;
  /**
   * Answers a request whose call failed without a response, and for which there is nothing to
   * serve.
   */
  abstract fail(error: unknown, endedBy: Cause): Response;
  /** Answers a caller who has aborted, perhaps with what `produce` has given all the same. */
  abstract leave(reason: unknown, given?: unknown): Response | Promise<Response>;
  /** Finds what keeps work alive after the answer; asked only when there is such work. */
  abstract waitUntil(): ((work: Promise<unknown>) => void) | undefined;

  /** Makes `produce` independent of its caller. Returns false if that is not possible (promise 33). */
  detach(): boolean {
    return true;
  }

  /** Finds the handlers further out, which may change its answer after it was given (H6). */
  outside(): Outside | undefined {
    return undefined;
  }

  /** Hears that the call was ended from outside while `produce` is still at work. */
  stop(_reason: unknown): void {}

  /** Returns what ended a call that was rejected with `error` (promise 31). */
  causeOf(endedBy: EndedBy, error: unknown): Cause {
    return endedBy ?? causeOfError(error);
  }

  /** The wait is limited like a call: it ends with `timeoutMs`, or when the caller leaves (K4). */
  async waitFor<T>(work: Promise<T>): Promise<T | undefined> {
    const { request: caller, settings: { deadlines } } = this;
    if (caller.justArrived || !caller.signal?.aborted) {
      const call = new Call(() => work, { caller, deadlines, takesSignal: false });
      try {
        return await call.result;
      } catch (error) {
        if (call.endedBy === undefined || call.endedBy === "timeout") throw error;
      }
    } else {
      // Nobody waits for its error either.
      work.catch(() => {});
    }
    this.isOver = true;
    return undefined;
  }

  reportError(source: ErrorSource, error: unknown): void {
    reportError(this.settings, this.circuit.name, source, error);
  }

  reportRemoved(url: string, why: RemovedReason): void {
    reportRemoved(this.settings, this.circuit.name, url, why);
  }
}
