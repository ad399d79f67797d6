import { isWorkerd } from "../runtime.ts";
import type { MemoryBudget } from "./budget.ts";
import type { CacheKey } from "./cache_key.ts";

/** Where nothing else limits the time of a copy, its lease is that long, in ms. */
const LEASE_MS = 30_000;

/**
 * The copies under way, at most one at a time for each key whatever its variant, and what their
 * readers have still to get (N3).
 *
 * Each is a lease, as a request on Workers may vanish and never end its copy. No timer ends a lease:
 * times are compared when the next answer comes.
 */
export class Copies {
  readonly #budget: MemoryBudget;
  readonly #leaseMs: number;
  /** By primary key. */
  readonly #running = new Map<string, Hold[]>();
  /** Those that may never be ended by anybody, in the order in which they began. */
  readonly #leased = new Set<Hold>();

  /** @param maxMs How long a copy may take; Infinity for no limit. */
  constructor(budget: MemoryBudget, maxMs: number) {
    this.#budget = budget;
    this.#leaseMs = maxMs === Infinity ? LEASE_MS : maxMs;
  }

  /** Reports whether another answer for this key is being copied. */
  isUnderWay(key: CacheKey, now: number): boolean {
    if (this.#leased.size > 0) this.#expire(now);
    const other = this.#runningAt(key);
    if (other !== undefined && this.#isExpired(other, now)) other.endCopy();
    return other?.isCopying === true;
  }

  /**
   * Begins a copy; returns undefined if there is no room for it.
   *
   * @param bytes How many its body has at least.
   */
  begin(key: CacheKey, now: number, bytes: number, need: Need): Hold | undefined {
    const hold = new Hold(this.#budget, key, now, need, this);
    if (!hold.hasRoom(bytes)) return undefined;
    const running = this.#running.get(key.primary);
    if (running === undefined) this.#running.set(key.primary, [hold]);
    else running.push(hold);
    this.lease(hold);
    return hold;
  }

  /** Puts a limit to the time of a hold that may never be ended by anybody. */
  lease(hold: Hold): void {
    if (!canFinalize()) this.#leased.add(hold);
  }

  #runningAt(key: CacheKey): Hold | undefined {
    return this.#running.get(key.primary)?.find((hold) => isSameKey(hold.key, key));
  }

  /** Takes a hold off the lists: its copy has ended, or its reader has. */
  end(hold: Hold): void {
    if (hold.isOver) this.#leased.delete(hold);
    const { primary } = hold.key;
    const running = this.#running.get(primary);
    const at = running?.indexOf(hold) ?? -1;
    if (running === undefined || at < 0) return;
    running.splice(at, 1);
    if (running.length === 0) this.#running.delete(primary);
  }

  #expire(now: number): void {
    for (const hold of this.#leased) {
      if (!this.#isExpired(hold, now)) return;
      hold.abandon();
    }
  }

  #isExpired(hold: Hold, now: number): boolean {
    // A clock that has stepped back gives it one more lease (promise 12).
    if (now < hold.begunAt) hold.begunAt = now;
    return now - hold.begunAt >= this.#leaseMs;
  }
}

/** Compares two keys whose primary parts are the same. */
function isSameKey(a: CacheKey, b: CacheKey): boolean {
  return a.place === b.place && a.added === b.added && a.owner === b.owner;
}

/** What a copy needs in addition to room for its body. */
export interface Need {
  /** The bytes that an entry takes without its body. Without room for these, copying is pointless. */
  readonly overhead: number;
  /** Reports whether it may take the room of responses that were asked for often. */
  mayEvict(): boolean;
}

/** What one copied answer holds: its key while it is copied, and bytes until its reader has them. */
export class Hold {
  readonly key: CacheKey;
  /** When it began, in ms. */
  begunAt: number;
  readonly #budget: MemoryBudget;
  /** Undefined once the copy has ended: it belongs to the request, and what is kept outlives that. */
  #need: Need | undefined;
  readonly #copies: Copies;
  /** Asked only if there is no room otherwise. */
  #mayEvict: boolean | undefined;
  #bytes = 0;
  /** True while its bytes are those of a kept response, which counts them. */
  #isShared = false;
  #hasReader = true;

  constructor(
    budget: MemoryBudget,
    key: CacheKey,
    begunAt: number,
    need: Need,
    copies: Copies,
  ) {
    this.#budget = budget;
    this.key = key;
    this.begunAt = begunAt;
    this.#need = need;
    this.#copies = copies;
  }

  /** True until the copy has ended. */
  get isCopying(): boolean {
    return this.#need !== undefined;
  }

  /** True once it holds nothing any more. */
  get isOver(): boolean {
    return !this.isCopying && this.#bytes === 0;
  }

  /**
   * Reports whether these bytes could be kept, too. Asked first, so that nothing is evicted for a
   * copy that cannot be kept.
   */
  hasRoom(bytes: number): boolean {
    const need = this.#need;
    if (need === undefined) return false;
    const needed = bytes + need.overhead;
    return this.#budget.canHold(needed, this.#bytes, false) ||
      (this.#mayEvict ??= need.mayEvict()) && this.#budget.canHold(needed, this.#bytes, true);
  }

  /** Takes more bytes; returns false if there is no room for them. */
  take(bytes: number): boolean {
    if (!this.hasRoom(bytes)) return false;
    this.#budget.hold(bytes, this.#mayEvict === true);
    this.#bytes += bytes;
    return true;
  }

  /** Ends the copy and releases its bytes. Whoever holds them from now on reserves them again. */
  endCopy(): void {
    this.#need = undefined;
    this.free(this.#bytes);
    this.#copies.end(this);
  }

  /**
   * Holds the bytes that the reader has still to get after the copy has ended.
   *
   * @param isKept True if they are those of the response that is now kept.
   */
  wait(bytes: number, isKept: boolean): void {
    if (!this.#hasReader || bytes <= 0) return;
    if (isKept) this.#budget.lend(bytes);
    else this.#budget.hold(bytes, false);
    this.#isShared = isKept;
    this.#bytes = bytes;
    this.#copies.lease(this);
  }

  /** Releases bytes, at most those that are held. */
  free(bytes: number): void {
    const freed = Math.min(bytes, this.#bytes) || 0;
    if (freed === 0) return;
    this.#bytes -= freed;
    if (this.#isShared) this.#budget.lend(-freed);
    else this.#budget.letGo(freed);
    if (this.isOver) this.#copies.end(this);
  }

  /** Releases what the reader holds: it has cancelled, or was garbage collected. */
  leave(): void {
    this.#hasReader = false;
    if (!this.isCopying) this.free(this.#bytes);
  }

  /** Releases everything: the request that it belongs to has vanished. */
  abandon(): void {
    this.#hasReader = false;
    this.endCopy();
  }

  /**
   * Takes over the bytes of a response that is no longer kept.
   *
   * @returns How many still wait for the reader, and count here from now on.
   */
  inherit(): number {
    if (!this.#isShared) return 0;
    this.#isShared = false;
    this.#budget.handOver(this.#bytes);
    return this.#bytes;
  }

  /** Releases what the reader holds when its body is garbage collected. */
  watch(body: object): void {
    if (!canFinalize()) return;
    forgotten ??= new FinalizationRegistry((hold) => hold.leave());
    forgotten.register(body, this);
  }
}

let forgotten: FinalizationRegistry<Hold> | undefined;

/**
 * On Workers, what belongs to a request that has ended may never be collected, and old
 * compatibility dates have no registry.
 */
function canFinalize(): boolean {
  return typeof FinalizationRegistry === "function" && !isWorkerd();
}
