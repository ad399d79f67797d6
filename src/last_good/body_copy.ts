import { isNativeOnWorkers, prefersByobReader, soon } from "../runtime.ts";
import { offerByob } from "./body_readers.ts";
import { StallTimer } from "./stall_timer.ts";
import type { StoredBody } from "./stored_response.ts";

/** How a copy ended. Only a whole one may be kept: RFC 9111 §3.3 (S12). */
export type CopyEnd =
  | "whole"
  | "too-large"
  | "too-slow"
  | "stalled"
  | "truncated"
  | "broken"
  | "cancelled";

/** The request that a copy belongs to. */
export interface CopyHost {
  /** Finds what keeps a copy alive that goes on after its request has been answered. */
  waitUntil(): unknown;
}

/** Limits of a {@link BodyCopy}, and what is known about its source. */
export interface BodyCopyOptions {
  /** A longer body is not copied, and up to this much is read ahead of the reader. */
  readonly maxBytes: number;
  /** A body that takes longer is not copied, in ms; Infinity for no limit. */
  readonly maxMs: number;
  /** One that sends nothing for so long stands still, in ms; Infinity for no limit. */
  readonly stallMs: number;
  /** The length that the body should have; undefined if its fields do not say. */
  readonly expectedBytes: number | undefined;
  /** True if it comes straight from the runtime's own `fetch`. */
  readonly isFetched: boolean;
  /** Ends a stream for its reader when it aborts, even if all of it is here; undefined for none. */
  readonly signal: AbortSignal | undefined;
  /** Reports whether the reader has aborted; asked if the body ends in an error. */
  readonly isAborted: () => boolean;
  readonly host?: CopyHost;
  /**
   * Hears how the copy ended, before the reader does.
   *
   * @returns The body as it is kept; undefined if it is not.
   */
  readonly onEnd: (end: CopyEnd, bytes: Uint8Array<ArrayBuffer>) => StoredBody | undefined;
}

/** A body's reader, in either of its kinds. */
type Reader = ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader;

const NOTHING = new Uint8Array(0);

/** The buffers that are read into, in bytes. */
const BUFFER_BYTES = 65_536;

/**
 * Copies a body on its way to its reader, who gets every chunk as soon as it is there, and an error
 * after everything that came before it.
 *
 * It reads ahead of a slow reader to complete the copy, by up to `maxBytes`. Once the copy has ended,
 * also because the body is too large or too slow, it reads only on demand. `tee()` would buffer
 * without bound, and would not report that the reader cancels.
 */
export class BodyCopy {
  readonly #reader: Reader;
  readonly #isByob: boolean;
  readonly #options: BodyCopyOptions;
  /** How many bytes are still to come; Infinity if only the end of the stream shows it. */
  #missing = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Chunks that were read, but not yet asked for. */
  readonly #ahead: Uint8Array<ArrayBuffer>[] = [];
  /** The copy; undefined once it has ended. */
  #chunks: Uint8Array<ArrayBuffer>[] | undefined = [];
  #body: ReadableStream<Uint8Array> | undefined;
  /** The whole of a body that was there at once. */
  #piece: StoredBody | undefined;
  #stall: StallTimer | undefined;
  #bytes = 0;
  #reading: Promise<void> | undefined;
  /** True once the copy has ended, and no more is read than the reader asks for. */
  #isPassing = false;
  /** True once there is nothing more to read. */
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: ReadableStream<Uint8Array>, options: BodyCopyOptions) {
    const { isFetched, expectedBytes } = options;
    this.#options = options;
    // On a connection, a body ends where its length says: RFC 9112 §6.3.
    if (isFetched) this.#missing = expectedBytes || Infinity;
    // Deno allocates 64 KiB for each chunk unless the reader brings a buffer: with it, a kept request
    // for 1 KiB takes 113 µs of CPU there, without it 153 µs.
    this.#isByob = isFetched && (prefersByobReader(source) || isNativeOnWorkers(source));
    this.#reader = this.#isByob ? source.getReader({ mode: "byob" }) : source.getReader();
    this.#copyAll();
  }

  /** True once there is nothing more to wait for before the body may go. */
  get isOver(): boolean {
    return this.#isOver || this.#isPassing;
  }

  /** The body for the reader, as it comes. */
  get body(): ReadableStream<Uint8Array> {
    return this.#body ??= this.#stream();
  }

  /**
   * Returns the body for the reader: in one piece if all of it is there, else as it comes. Waiting a
   * few microtasks for a short one saves 5 µs of CPU of the 71 that a kept response of 1 KB takes on
   * Deno, and only of one piece all servers know the length (promise 34).
   */
  async bodySoon(): Promise<ReadableStream<Uint8Array> | StoredBody> {
    await soon(this);
    return this.#piece ?? this.body;
  }

  // ---- What the reader does ----

  #stream(): ReadableStream<Uint8Array> {
    const { maxMs, stallMs } = this.#options;
    if (this.#chunks !== undefined) {
      if (maxMs !== Infinity) this.#timer = setTimeout(() => this.#end("too-slow"), maxMs);
      if (stallMs !== Infinity) this.#stall = new StallTimer(stallMs, () => this.#end("stalled"));
    }
    return offerByob(
      new ReadableStream<Uint8Array>({
        pull: (controller) => this.#give(controller),
        cancel: (reason) => this.#cancel(reason),
      }, { highWaterMark: 0 }),
    );
  }

  #give(controller: ReadableStreamDefaultController<Uint8Array>): void | Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) {
      controller.error(this.#failure === undefined ? signal.reason : this.#failure.error);
      this.#cancel(signal.reason).catch(() => {});
      return;
    }
    if (this.#ahead.length === 0 && !this.#isOver) {
      return this.#read().then(() => this.#give(controller));
    }
    const chunk = this.#ahead.shift();
    if (chunk !== undefined) controller.enqueue(chunk);
    if (this.#ahead.length > 0 || !this.#isOver) return;
    if (this.#failure === undefined) controller.close();
    else if (chunk === undefined) controller.error(this.#failure.error);
  }

  #cancel(reason: unknown): Promise<void> {
    this.#isOver = true;
    this.#end("cancelled");
    return this.#reader.cancel(reason);
  }

  // ---- Reading from the source ----

  async #copyAll(): Promise<void> {
    while (this.#chunks !== undefined) await this.#read();
    // Too large to be kept, but perhaps all of it is here, and its length known: a text comes in one
    // chunk, on Bun in two.
    if (this.#bytes > this.#options.maxBytes && this.#ahead.length <= 2 && !this.#body) {
      const size = this.#bytes;
      await this.#read();
      if (this.#isOver && this.#failure === undefined) this.#piece = joined(this.#ahead, size);
    }
    this.#isPassing = true;
  }

  /** The copy and the reader wait for the same chunk. */
  #read(): Promise<void> {
    return this.#reading ??= this.#readNext();
  }

  async #readNext(): Promise<void> {
    try {
      const { done, value } = await this.#readChunk();
      if (done) this.#finish();
      else this.#take(value);
    } catch (error) {
      this.#isOver = true;
      this.#failure = { error };
      this.#end(this.#options.isAborted() ? "cancelled" : "broken");
    } finally {
      this.#reading = undefined;
    }
  }

  #readChunk(): Promise<ReadableStreamReadResult<Uint8Array>> {
    const reader = this.#reader;
    return this.#isByob
      ? (reader as ReadableStreamBYOBReader).read(
        new Uint8Array(Math.min(this.#missing, BUFFER_BYTES)),
      )
      : (reader as ReadableStreamDefaultReader<Uint8Array>).read();
  }

  #take(chunk: Uint8Array): void {
    this.#stall?.moved();
    this.#ahead.push(chunk as Uint8Array<ArrayBuffer>);
    this.#copyChunk(chunk);
    if (!(chunk instanceof Uint8Array) || (this.#missing -= chunk.byteLength) > 0) return;
    this.#finish();
    this.#releaseReader();
  }

  /** All bytes are here, but the runtime waits until the end is read: each kind has a cheap way. */
  #releaseReader(): void {
    const reader = this.#reader;
    (this.#isByob ? reader.cancel() : this.#readChunk()).catch(() => {});
  }

  // ---- The copy ----

  #copyChunk(chunk: Uint8Array): void {
    if (this.#chunks === undefined) return;
    if (!(chunk instanceof Uint8Array)) return this.#end("broken");
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#options.maxBytes) return this.#end("too-large");
    // The reader may do anything with its chunk, even transfer it.
    this.#chunks.push(chunk.slice());
  }

  #finish(): void {
    this.#isOver = true;
    const { expectedBytes = this.#bytes } = this.#options;
    this.#end(this.#bytes === expectedBytes ? "whole" : "truncated");
  }

  #end(end: CopyEnd): void {
    const chunks = this.#chunks;
    if (chunks === undefined) return;
    this.#chunks = undefined;
    clearTimeout(this.#timer);
    this.#stall?.stop();
    const bytes = end === "whole" ? joined(chunks, this.#bytes) : NOTHING;
    const kept = this.#options.onEnd(end, bytes);
    if (end === "whole") this.#piece = kept ?? bytes;
  }
}

/** Puts chunks together. */
export function joined(
  chunks: readonly Uint8Array<ArrayBuffer>[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
