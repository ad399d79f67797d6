/**
 * The bytes that a breaker may hold in memory (N3): copies under way and unread answers take their
 * share of it as they grow, so that with them, what is kept stays below one limit.
 */
export interface Budget {
  /**
   * Takes a share.
   *
   * @param mayEvict True if responses that were asked for often may go to make room: for a copy that
   * replaces such a one.
   * @returns False if there is no room; then nothing is taken.
   */
  reserve(bytes: number, mayEvict: boolean): boolean;
  /** Gives a share back. */
  release(bytes: number): void;
}

/** The responses that can go to make room. */
export interface Evictable {
  /** The bytes of those that may go. */
  evictableBytes(mayEvict: boolean): number;
  /** Evicts the least recently used of those that may go, which releases its bytes. */
  evict(mayEvict: boolean): void;
}

/** The one budget of a breaker: what is kept takes its share as everything else does. */
export class MemoryBudget implements Budget {
  readonly #maxBytes: number;
  readonly #kept: Evictable;
  #bytes = 0;
  /** Those of kept responses that also wait for a reader: evicting these makes no room. */
  #lent = 0;

  constructor(maxBytes: number, kept: Evictable) {
    this.#maxBytes = maxBytes;
    this.#kept = kept;
  }

  /** The bytes that are taken. */
  get bytes(): number {
    return this.#bytes;
  }

  reserve(bytes: number, mayEvict: boolean): boolean {
    if (!this.hasRoom(bytes, mayEvict)) return false;
    while (this.#bytes + bytes > this.#maxBytes) this.#kept.evict(mayEvict);
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Notes that so many kept bytes, more or fewer, are held by readers as well. */
  lend(bytes: number): void {
    this.#lent += bytes;
  }

  /** Reports whether a share can be had. Asked first, so that nothing is evicted in vain. */
  hasRoom(bytes: number, mayEvict: boolean): boolean {
    const missing = this.#bytes + bytes - this.#maxBytes;
    return missing <= 0 || missing <= this.#kept.evictableBytes(mayEvict) - this.#lent;
  }
}
