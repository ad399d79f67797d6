import type { Hold } from "./copies.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** The rest of a whole body, in the pieces in which it came. */
interface Rest {
  readonly bytes: Bytes;
  at: number;
  readonly lengths: number[];
}

/**
 * The chunks of a body that is copied on its way: the copy and the reader share them, so that each byte
 * is held once. Once the copy has ended, those stay that the reader has still to get; of a whole body,
 * it gets the rest from what is kept (N3).
 */
export class SharedChunks {
  readonly #hold: Hold;
  /** Those of the copy; once it has ended, those that the reader has still to get. */
  #chunks: Bytes[] = [];
  /** How many of them the reader has. */
  #next = 0;
  /** The one that the reader was waiting for. */
  #awaited: Bytes | undefined;
  #rest: Rest | undefined;
  #isCopying = true;
  /** True if a chunk may be the small part of a large buffer. */
  #isLoose = false;
  #bytes = 0;
  #readBytes = 0;
  /** True while the reader waits for the next chunk. */
  isAwaited = false;

  constructor(hold: Hold) {
    this.#hold = hold;
  }

  /** How many bytes were copied. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many chunks wait for the reader. */
  get waiting(): number {
    return this.#chunks.length - this.#next;
  }

  /** True if something is here that the reader does not have. */
  get hasMore(): boolean {
    return this.#awaited !== undefined || this.#rest !== undefined || this.waiting > 0;
  }

  /**
   * Adds a chunk to the copy, and for the reader.
   *
   * @param isOwn True if nobody else can change it.
   */
  copy(chunk: Bytes, isOwn: boolean): void {
    this.#bytes += chunk.byteLength;
    const isTaken = isOwn && !this.isAwaited;
    this.#chunks.push(isTaken ? chunk : chunk.slice());
    this.#isLoose ||= isTaken;
    if (!this.isAwaited) return;
    this.#next++;
    this.#readBytes += chunk.byteLength;
    this.#give(chunk);
  }

  /** Adds a chunk for the reader only. */
  pass(chunk: Bytes): void {
    if (this.isAwaited) this.#give(chunk);
    else this.#chunks.push(chunk);
  }

  /** There is nothing that the reader has to get before this one. */
  #give(chunk: Bytes): void {
    this.isAwaited = false;
    this.#awaited = chunk;
  }

  /** Takes the reader's next chunk, which is its own: it may do anything with it, even transfer it. */
  take(): Bytes | undefined {
    const awaited = this.#awaited;
    if (awaited !== undefined) {
      this.#awaited = undefined;
      return awaited;
    }
    if (this.#rest !== undefined) return this.#takeRest(this.#rest);
    const chunk = this.#chunks[this.#next];
    if (chunk === undefined) return undefined;
    if (this.#isCopying) {
      this.#chunks[this.#next++] = chunk.slice();
      this.#readBytes += chunk.byteLength;
    } else {
      this.#chunks.shift();
      this.#hold.free(chunk.byteLength);
    }
    return chunk;
  }

  #takeRest(rest: Rest): Bytes {
    const { bytes, at, lengths } = rest;
    rest.at += lengths.shift() ?? 0;
    const part = bytes.slice(at, rest.at);
    if (lengths.length === 0) this.#rest = undefined;
    this.#hold.free(part.length);
    return part;
  }

  /** Ends the copy. What the reader has is let go. */
  endCopy(): void {
    this.#isCopying = false;
    this.#chunks.splice(0, this.#next);
    this.#next = 0;
    this.#hold.endCopy();
    this.#hold.wait(this.#bytes - this.#readBytes, false);
  }

  /**
   * Ends the copy of a whole body.
   *
   * @param isStreamed True if the reader gets it chunk by chunk, not in one piece.
   * @param keep Keeps it, and reports whether it did. It gets what the reader holds, if there is
   * something of the body that it has still to get.
   * @returns The whole body.
   */
  endWhole(
    isStreamed: boolean,
    keep: (bytes: Bytes, hold: Hold | undefined) => boolean,
  ): Bytes {
    const hold = this.#hold;
    const chunks = this.#chunks;
    const lengths = chunks.slice(this.#next).map(({ length }) => length);
    this.#isCopying = false;
    this.#chunks = [];
    this.#next = 0;
    hold.endCopy();
    const whole = joined(chunks, this.#bytes);
    // Asking for the buffer takes Bun 0.7 µs.
    const isPart = this.#isLoose && whole.byteLength < whole.buffer.byteLength;
    const bytes = isPart ? whole.slice() : whole;
    // What goes in one piece is the runtime's, as without a copy.
    const isRead = !isStreamed || lengths.length === 0;
    const isKept = keep(bytes, isRead ? undefined : hold);
    if (isRead) return bytes;
    this.#rest = { bytes, at: this.#readBytes, lengths };
    hold.wait(this.#bytes - this.#readBytes, isKept);
    return bytes;
  }

  /** Puts together and lets go of all that waits for the reader, who gets it in one piece. */
  takeAll(): Bytes {
    const chunks = this.#chunks;
    this.clear();
    return joined(chunks, chunks.reduce((size, chunk) => size + chunk.byteLength, 0));
  }

  /** Lets go of all that waits for the reader. */
  clear(): void {
    this.#chunks = [];
    this.#rest = undefined;
    this.#hold.leave();
  }
}

/** Puts chunks together. */
export function joined(chunks: readonly Bytes[], size: number): Bytes {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
