import { prefersByobReader, soon } from "../runtime.ts";

/** How a copy ended. Only a whole one may be kept (RFC 9111 §3.3). */
export type CopyEnd =
  | "whole"
  | "too-large"
  | "too-slow"
  | "truncated"
  | "broken"
  | "cancelled";

/** What a {@link BodyCopy} needs to know. */
export interface BodyCopyOptions {
  /** A longer body is not copied, and no more than this is read ahead of the reader. */
  readonly maxBytes: number;
  /** A body that takes longer is not copied, in ms; Infinity for no limit. */
  readonly maxMs: number;
  /** How long the body says it is; undefined if it does not. */
  readonly expectedBytes: number | undefined;
  /** Whether it comes straight from the runtime's own `fetch`. */
  readonly isFetched: boolean;
  /** Whether the reader has aborted, if the body ends in an error. */
  readonly isAborted: () => boolean;
  /** Hears how it ended, before the reader does. */
  readonly onEnd: (end: CopyEnd, bytes: Uint8Array<ArrayBuffer>) => void;
}

const NOTHING = new Uint8Array(0);

/** The longest body that is handed on in one piece, in bytes: to stream a short one costs more. */
const MAX_PIECE_BYTES = 65_536;

/**
 * Copies a body on its way to its reader, who gets every chunk as soon as it is there, and an error
 * where one is, after what came before it.
 *
 * It reads ahead of a slow reader to complete the copy, by no more than `maxBytes`; then, and for
 * bodies that turn out too large or too slow, it lets go of the copy and reads only on demand.
 * `tee()` would buffer without bound, and could not tell when the reader cancels.
 */
export class BodyCopy {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader;
  /** How many bytes are to come until it is over; Infinity if only its end tells. */
  #missing = Infinity;
  readonly #options: BodyCopyOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Read, but not yet asked for. */
  readonly #ahead: Uint8Array[] = [];
  /** The copy; undefined once it has ended. */
  #chunks: Uint8Array<ArrayBuffer>[] | undefined = [];
  #body: ReadableStream<Uint8Array> | undefined;
  /** A short body, whole. */
  #piece: Uint8Array<ArrayBuffer> | undefined;
  #bytes = 0;
  #reading: Promise<void> | undefined;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: ReadableStream<Uint8Array>, options: BodyCopyOptions) {
    const { isFetched, expectedBytes } = options;
    this.#options = options;
    // RFC 9112 §6.3: on a connection, a body ends where its length says.
    if (isFetched) this.#missing = expectedBytes || Infinity;
    this.#reader = isFetched && prefersByobReader() ? byteReader(source) : source.getReader();
    this.#copyAll();
  }

  /** True once the copy has ended, in whichever way. */
  get isOver(): boolean {
    return this.#chunks === undefined;
  }

  /** The body for the reader, as it comes. */
  get body(): ReadableStream<Uint8Array> {
    if (this.#body !== undefined) return this.#body;
    const { maxMs } = this.#options;
    if (this.#chunks !== undefined && maxMs !== Infinity) {
      this.#timer = setTimeout(() => this.#end("too-slow"), maxMs);
    }
    return this.#body = new ReadableStream<Uint8Array>({
      pull: (controller) => this.#give(controller),
      cancel: (reason) => this.#cancel(reason),
    }, { highWaterMark: 0 });
  }

  /** The body for the reader: in one piece if it is short and there already, else as it comes. */
  async bodySoon(): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>> {
    await soon(this);
    return this.#piece ?? this.body;
  }

  async #copyAll(): Promise<void> {
    while (this.#chunks !== undefined) await this.#read();
  }

  async #give(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#ahead.length === 0 && !this.#isOver) await this.#read();
    const chunk = this.#ahead.shift();
    if (chunk !== undefined) controller.enqueue(chunk);
    if (this.#ahead.length > 0 || !this.#isOver) return;
    if (this.#failure === undefined) controller.close();
    else if (chunk === undefined) controller.error(this.#failure.error);
  }

  /** Copier and reader wait for the same chunk. */
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
    if (reader instanceof ReadableStreamDefaultReader) return reader.read();
    return reader.read(new Uint8Array(Math.min(this.#missing, MAX_PIECE_BYTES)));
  }

  #take(chunk: Uint8Array): void {
    this.#ahead.push(chunk);
    this.#copyChunk(chunk);
    if (!(chunk instanceof Uint8Array) || (this.#missing -= chunk.byteLength) > 0) return;
    this.#finish();
    this.#releaseReader();
  }

  /** It is over, but the runtime waits for somebody to read its end: each has its cheaper way. */
  #releaseReader(): void {
    const reader = this.#reader;
    (reader instanceof ReadableStreamDefaultReader ? reader.read() : reader.cancel())
      .catch(() => {});
  }

  #copyChunk(chunk: Uint8Array): void {
    if (this.#chunks === undefined) return;
    if (!(chunk instanceof Uint8Array)) return this.#end("broken");
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#options.maxBytes) return this.#end("too-large");
    // The reader may do with its chunk whatever it likes, even transfer it.
    this.#chunks.push(chunk.slice());
  }

  #finish(): void {
    this.#isOver = true;
    const { expectedBytes = this.#bytes } = this.#options;
    this.#end(this.#bytes === expectedBytes ? "whole" : "truncated");
  }

  #cancel(reason: unknown): Promise<void> {
    this.#isOver = true;
    this.#end("cancelled");
    return this.#reader.cancel(reason);
  }

  #end(end: CopyEnd): void {
    const chunks = this.#chunks;
    if (chunks === undefined) return;
    this.#chunks = undefined;
    clearTimeout(this.#timer);
    const bytes = end === "whole" ? joined(chunks, this.#bytes) : NOTHING;
    if (end === "whole" && this.#bytes <= MAX_PIECE_BYTES) this.#piece = bytes;
    this.#options.onEnd(end, bytes);
  }
}

/** By what a response seems to be, its body is one of bytes; there may be others. */
function byteReader(
  source: ReadableStream<Uint8Array>,
): ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader {
  try {
    return source.getReader({ mode: "byob" });
  } catch {
    return source.getReader();
  }
}

function joined(chunks: readonly Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
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
