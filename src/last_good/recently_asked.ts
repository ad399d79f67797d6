import { setLatest } from "./latest.ts";

/** How many are remembered: of each, two numbers. */
const MAX_REMEMBERED = 4_096;

/**
 * What was asked for lately but is not kept, by hash: when it is asked for again, it was asked for
 * twice (N4). So what becomes popular gets in although others fill the memory.
 */
export class RecentlyAsked {
  /** By hash, the place in the order of requests of the one that asked first. */
  readonly #orders = new Map<number, number>();

  /** Remembers that a request asked for this; the first one counts. */
  add(hash: number, order: number): void {
    setLatest(this.#orders, hash, this.#orders.get(hash) ?? order, MAX_REMEMBERED);
  }

  /** Reports whether another request than the one with this order has asked for this. */
  has(hash: number, order: number): boolean {
    return (this.#orders.get(hash) ?? order) !== order;
  }
}
