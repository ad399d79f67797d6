import { isOfNetwork } from "./network_error.ts";
import { isBrokenUpload } from "./upload.ts";
import type { RequestHead } from "../last_good/request_head.ts";

/** What is asked of a body, whatever its class: streams of the web and of Node, async iterables. */
interface Source {
  readonly locked?: boolean;
  readonly readableEnded?: boolean;
  readonly errored?: unknown;
  cancel?(reason: unknown): Promise<void>;
  destroy?(): void;
  pipe?: unknown;
  [Symbol.asyncIterator]?(): AsyncIterator<unknown>;
}

/**
 * The body of a call, as far as it arrives bit by bit. It is looked at only once the call has ended,
 * as Deno sends a Request differently whose body was looked at.
 *
 * A web stream is not watched: on Deno, Bun and Workers one of a known length is sent with a
 * Content-Length, which a stream of ours in its place would lose.
 */
export class FetchBody {
  readonly #source: Source | undefined;
  readonly #request: Request | undefined;
  /** True for an async iterable, which no runtime knows the length of: it is watched. */
  readonly #isWatched: boolean;
  #hasEnded = false;
  #hasBroken = false;

  constructor(source: Source | undefined, request: Request | undefined) {
    this.#source = source;
    this.#request = request;
    this.#isWatched = source !== undefined && source.cancel === undefined &&
      source.pipe === undefined;
  }

  /** What is to be sent in place of the body that was given. */
  get sent(): unknown {
    return this.#isWatched ? this.#watched() : this.#source;
  }

  async *#watched(): AsyncGenerator<unknown> {
    try {
      yield* this.#source as AsyncIterable<unknown>;
    } catch (error) {
      this.#hasBroken = true;
      throw error;
    }
    this.#hasEnded = true;
  }

  /** True unless the end of the body was seen (promise 32). */
  get mayBeUnderWay(): boolean {
    if (this.#isWatched) return !this.#hasEnded;
    const source = this.#source ?? this.#request?.body as Source | null | undefined;
    if (!source) return false;
    const state = stateOf(source);
    if (state !== undefined) return state === "readable";
    return this.#request === undefined ? source.readableEnded !== true : this.#wasReceived;
  }

  /** True for a Request that came from a client. Of one that the app has made, all is mostly there. */
  get #wasReceived(): boolean {
    const headers = this.#request?.headers;
    return headers?.has("content-length") || headers?.has("transfer-encoding") || false;
  }

  /** Reports whether this error of the call says that the body broke. */
  isBrokenBy(error: unknown): boolean {
    if (this.#isWatched) return this.#hasBroken;
    const source = this.#source ?? this.#request?.body as Source | null | undefined;
    if (!source) return false;
    if (source.pipe !== undefined) return Boolean(source.errored);
    const state = stateOf(source);
    if (state === "errored") return true;
    if (isOfNetwork(error)) return false;
    // What `fetch` has not begun to read cannot have broken.
    return isBrokenUpload(error) || (state === undefined && source.locked === true);
  }

  /** Cancels the body of a call that is never made, as `fetch` does with that of an aborted one. */
  cancel(reason: unknown): void {
    try {
      const source: Source | null = this.#source ?? this.#request?.body as Source | null;
      if (typeof source?.cancel === "function") {
        if (source.locked !== true) source.cancel(reason).catch(() => {});
      } else if (typeof source?.destroy === "function") source.destroy();
      else source?.[Symbol.asyncIterator]?.().return?.()?.catch(() => {});
    } catch {
      // Then it cannot be cancelled.
    }
  }
}

/** Returns the body of a call if it arrives bit by bit, or may do so. */
export function bodyOf(
  init: RequestInit | undefined,
  request: Request | undefined,
): FetchBody | undefined {
  const given: unknown = init?.body ?? undefined;
  if (given !== undefined) {
    return typeof given === "object" && Symbol.asyncIterator in given! || isStream(given)
      ? new FetchBody(given as Source, undefined)
      : undefined;
  }
  return request === undefined ? undefined : new FetchBody(undefined, request);
}

function isStream(body: unknown): boolean {
  return typeof (Object(body) as { getReader?: unknown }).getReader === "function";
}

/**
 * Returns the state of a stream, "readable", "closed" or "errored", where it can be seen: Deno and
 * Node keep it in a symbol. A body that was there at once is closed as soon as it is sent. What Deno
 * reads past the stream, a body from another connection, shows nothing.
 */
function stateOf(stream: Source): unknown {
  let state: unknown;
  for (const symbol of Object.getOwnPropertySymbols(stream)) {
    const value = (stream as Record<symbol, unknown>)[symbol];
    if (symbol.description === "[[resourceBacking]]" && value) return undefined;
    if (symbol.description === "[[state]]") state = value;
    if (symbol.description === "kState") state = (Object(value) as { state?: unknown }).state;
  }
  return state;
}

/**
 * Reports whether the body of a Request was there at once. Who makes a Request of a text or a form
 * gets one of these types unasked; one that a server received says how long its body is.
 */
export function wasThereAtOnce({ headers }: RequestHead): boolean {
  return AT_ONCE.test(headers.get("content-type") ?? "") && !headers.has("content-length") &&
    !headers.has("transfer-encoding");
}

const AT_ONCE =
  /^(text\/plain;charset=utf-8|application\/x-www-form-urlencoded;charset=utf-8|application\/json|multipart\/form-data;\s*boundary=)/i;
