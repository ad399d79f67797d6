/** How many are remembered, a power of two. */
const SIZE = 2_048;

/**
 * What was asked for lately but is not kept, by hash: when it is asked for again, it was asked for
 * twice. So what becomes popular gets in although others fill the memory (N4).
 */
export class RecentlyAsked {
  /** Each hash has one place here, which a later one may take. */
  #hashes: Float64Array | undefined;
  /** The place in the order of requests of the one that asked first. */
  #orders: Float64Array | undefined;

  /**
   * Reports whether another request than the one with this order has asked for this, and remembers
   * that this one has.
   */
  ask(hash: number, order: number): boolean {
    const hashes = this.#hashes ??= new Float64Array(SIZE);
    const orders = this.#orders ??= new Float64Array(SIZE);
    const at = hash & (SIZE - 1);
    if (hashes[at] === hash) return orders[at] !== order;
    hashes[at] = hash;
    orders[at] = order;
    return false;
  }
}
