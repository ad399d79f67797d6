/** The responses that can go to make room. */
export interface Evictable {
  /** The bytes of those that may go. */
  evictableBytes(mayEvict: boolean): number;
  /** Evicts the least recently used of those that may go, which releases its bytes. */
  evict(mayEvict: boolean): void;
}

/** A copy of fewer bytes is a small one. */
const SMALL_BYTES = 65_536;

/**
 * The bytes that a breaker may hold in memory (N3): what is kept, and what copies under way and unread
 * answers hold, stay below one limit together.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #kept: Evictable;
  #bytes = 0;
  /** Those of copies under way and unread answers. */
  #held = 0;
  /** The bytes of kept responses that readers hold, too: evicting those makes no room. */
  #lent = 0;

  constructor(maxBytes: number, kept: Evictable) {
    this.#maxBytes = maxBytes;
    this.#kept = kept;
  }

  /** The bytes that are taken. */
  get bytes(): number {
    return this.#bytes;
  }

  // ---- For what is kept ----

  /**
   * Takes bytes for a response that is kept.
   *
   * @param mayEvict True if responses that were asked for often may go to make room: for one that was,
   * too.
   * @returns False if there is no room; then nothing is taken.
   */
  reserve(bytes: number, mayEvict: boolean): boolean {
    if (!this.hasRoom(bytes, mayEvict)) return false;
    this.#take(bytes, mayEvict);
    return true;
  }

  /** Gives them back. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Reports whether there is room for these bytes, perhaps after evicting. */
  hasRoom(bytes: number, mayEvict: boolean): boolean {
    const missing = this.#bytes + bytes - this.#maxBytes;
    return missing <= 0 || missing <= this.#kept.evictableBytes(mayEvict) - this.#lent;
  }

  // ---- For copies under way and unread answers ----

  /** Takes bytes that can be had, or that were given back just now. */
  hold(bytes: number, mayEvict: boolean): void {
    this.#take(bytes, mayEvict);
    this.#held += bytes;
  }

  /** Gives them back. */
  letGo(bytes: number): void {
    this.#held -= bytes;
    this.#bytes -= bytes;
  }

  /**
   * Reports whether a copy can have more bytes.
   *
   * A large copy is made only while others hold no more than half of all bytes, and a small one while
   * they hold no more than three quarters, unless it was asked for before: so pages can be kept whoever
   * leaves large ones unread. And as a copy may never be kept, it takes room from responses that were
   * asked for often only as far as they fill more than three quarters.
   *
   * @param own How many it holds already.
   * @param isWanted True if it was asked for before.
   */
  canHold(bytes: number, own: number, isWanted: boolean): boolean {
    const smallShare = isWanted ? 1 : 0.75;
    const share = own + bytes <= SMALL_BYTES ? smallShare : 0.5;
    if (this.#held - own > this.#maxBytes * share) return false;
    const missing = this.#bytes + bytes - this.#maxBytes;
    if (missing <= 0) return true;
    const once = this.#kept.evictableBytes(false);
    const often = isWanted ? this.#kept.evictableBytes(true) - once : 0;
    return missing <= once + Math.max(0, often - this.#maxBytes * 0.75) - this.#lent;
  }

  /** Notes that readers hold this many more bytes of kept responses; fewer, if it is negative. */
  lend(bytes: number): void {
    this.#lent += bytes;
  }

  /** Notes that bytes of a response that is no longer kept are now held by its reader alone. */
  handOver(bytes: number): void {
    this.#lent -= bytes;
    this.#held += bytes;
  }

  #take(bytes: number, mayEvict: boolean): void {
    while (this.#bytes + bytes > this.#maxBytes && this.#kept.evictableBytes(mayEvict) > 0) {
      this.#kept.evict(mayEvict);
    }
    this.#bytes += bytes;
  }
}
