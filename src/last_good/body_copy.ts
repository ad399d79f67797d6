import { isNativeOnWorkers, prefersByobReader } from "../runtime.ts";
import { offerByob } from "./body_readers.ts";
import type { Hold } from "./copies.ts";
import { type Bytes, SharedChunks } from "./shared_chunks.ts";
import { StallTimer } from "./stall_timer.ts";

/** How a copy ended. Only a whole one may be kept: RFC 9111 §3.3 (S12). */
export type CopyEnd =
  | "whole"
  | "too-large"
  | "no-room"
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
  /** A body that sends nothing for this long has stalled, in ms; Infinity for no limit. */
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
  /** What it holds in memory. */
  readonly hold: Hold;
  /**
   * Hears how the copy ended, before the reader does.
   *
   * @param hold What the reader holds, if there is something of the body that it has still to get.
   * @returns True if it is kept.
   */
  readonly onEnd: (
    end: CopyEnd,
    bytes: Bytes,
    hold: Hold | undefined,
  ) => boolean;
}

/** A body's reader, in either of its kinds. */
type Reader = ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader;

const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/** The buffers that are read into, in bytes. */
const BUFFER_BYTES = 65_536;

/**
 * How many microtasks a body is waited for: a fetched one of 1 KB takes two or three, of 64 KB on Bun
 * five; one that a chain of streams makes takes more.
 */
const SOON = 16;
const SOON_FETCHED = 6;

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
  readonly #chunks: SharedChunks;
  /** The buffer of the last chunk, if that has filled only a part of it. */
  #buffer: ArrayBuffer | undefined;
  #body: ReadableStream<Uint8Array> | undefined;
  /** The whole of a body that was there at once. */
  #piece: Bytes | undefined;
  #stall: StallTimer | undefined;
  /** How the copy ended; undefined while it goes on. */
  #ended: CopyEnd | undefined;
  #reading: Promise<void> | undefined;
  /** True once the copy has ended, and no more is read than the reader asks for. */
  #isPassing = false;
  /** True once there is nothing more to read. */
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: ReadableStream<Uint8Array>, options: BodyCopyOptions) {
    const { isFetched, expectedBytes } = options;
    this.#options = options;
    this.#chunks = new SharedChunks(options.hold);
    // On a connection, a body ends where its length says: RFC 9112 §6.3.
    if (isFetched) this.#missing = expectedBytes || Infinity;
    // Deno allocates 64 KiB for each chunk unless the reader brings a buffer: with it, a kept request
    // for 1 KiB takes 113 µs of CPU there, without it 153 µs.
    this.#isByob = isFetched && (prefersByobReader(source) || isNativeOnWorkers(source));
    this.#reader = this.#isByob ? source.getReader({ mode: "byob" }) : source.getReader();
    this.#copyAll();
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
  async bodySoon(): Promise<ReadableStream<Uint8Array> | Bytes> {
    const turns = this.#options.isFetched ? SOON_FETCHED : SOON;
    for (let turn = 0; turn < turns && this.#piece === undefined; turn++) {
      if (this.#isPassing) break;
      await undefined;
    }
    return this.#piece ?? this.body;
  }

  // ---- What the reader does ----

  #stream(): ReadableStream<Uint8Array> {
    const { maxMs, stallMs, hold } = this.#options;
    if (this.#ended === undefined) {
      this.#stall = new StallTimer(stallMs, maxMs, (why) => this.#end(why));
    }
    const body = offerByob(
      new ReadableStream<Uint8Array>({
        pull: (controller) => this.#give(controller),
        cancel: (reason) => this.#cancel(reason),
      }, { highWaterMark: 0 }),
    );
    hold.watch(body);
    return body;
  }

  #give(controller: ReadableStreamDefaultController<Uint8Array>): void | Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) {
      controller.error(this.#failure === undefined ? signal.reason : this.#failure.error);
      this.#cancel(signal.reason).catch(() => {});
      return;
    }
    const chunks = this.#chunks;
    if (!chunks.hasMore && !this.#isOver) {
      chunks.isAwaited = true;
      return this.#read().then(() => this.#give(controller));
    }
    const chunk = chunks.take();
    if (chunk !== undefined) controller.enqueue(chunk);
    if (chunks.hasMore || !this.#isOver) return;
    if (this.#failure === undefined) controller.close();
    else if (chunk === undefined) controller.error(this.#failure.error);
  }

  #cancel(reason: unknown): Promise<void> {
    this.#isOver = true;
    this.#end("cancelled");
    this.#chunks.clear();
    return this.#reader.cancel(reason);
  }

  // ---- Reading from the source ----

  async #copyAll(): Promise<void> {
    while (this.#ended === undefined) await this.#read();
    // Too large to be kept, but perhaps all of it is here, and its length known: a text comes in one
    // chunk, on Bun in two.
    if (this.#ended === "too-large" && this.#chunks.waiting <= 2 && !this.#body) {
      await this.#read();
      if (this.#isOver && this.#failure === undefined) this.#piece = this.#chunks.takeAll();
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
      else this.#take(this.#compact(value as Uint8Array<ArrayBuffer>));
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
    if (!this.#isByob) return (reader as ReadableStreamDefaultReader<Uint8Array>).read();
    const size = Math.min(this.#missing, BUFFER_BYTES);
    const buffer = this.#buffer;
    this.#buffer = undefined;
    return (reader as ReadableStreamBYOBReader).read(
      buffer === undefined
        ? new Uint8Array(size)
        : new Uint8Array(buffer, 0, Math.min(size, buffer.byteLength)),
    );
  }

  /** Takes the bytes of a small chunk out of the large buffer that it was read into, which is used again. */
  #compact(chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (!this.#isByob || chunk.byteLength * 2 > chunk.buffer.byteLength) return chunk;
    this.#buffer = chunk.buffer;
    return chunk.slice();
  }

  #take(chunk: Uint8Array<ArrayBuffer>): void {
    this.#stall?.moved();
    const isCopied = this.#ended === undefined && this.#mayCopy(chunk);
    // An app that has made a chunk may fill its buffer again.
    if (isCopied) this.#chunks.copy(chunk, this.#options.isFetched);
    else this.#chunks.pass(chunk);
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

  /** Reports whether the copy goes on with this chunk; if not, it has ended. */
  #mayCopy(chunk: Uint8Array): boolean {
    if (!(chunk instanceof Uint8Array)) return this.#end("broken");
    const { maxBytes, hold } = this.#options;
    if (this.#chunks.bytes + chunk.byteLength > maxBytes) return this.#end("too-large");
    return hold.take(chunk.byteLength) || this.#end("no-room");
  }

  #finish(): void {
    this.#isOver = true;
    const { bytes } = this.#chunks;
    this.#end(bytes === (this.#options.expectedBytes ?? bytes) ? "whole" : "truncated");
  }

  #end(end: CopyEnd): false {
    if (this.#ended !== undefined) return false;
    this.#ended = end;
    this.#stall?.stop();
    const { onEnd } = this.#options;
    const isStreamed = this.#body !== undefined;
    if (end === "whole") {
      const whole = this.#chunks.endWhole(isStreamed, (bytes, hold) => onEnd(end, bytes, hold));
      if (!isStreamed) this.#piece = whole;
    } else {
      this.#chunks.endCopy();
      onEnd(end, NOTHING, undefined);
    }
    return false;
  }
}
