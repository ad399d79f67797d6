import type { CacheKey } from "./cache_key.ts";
import type { Slot } from "./segments.ts";

/** The variants of a page that belong to one owner, in all places, the most recently used last. */
type Variants = Slot[];

/** Where a response is found: by URL and owner. */
export class Pages {
  /** What belongs to no one in particular, by primary key. Most is: a map for each would be wasted. */
  readonly #shared = new Map<string, Variants>();
  /** What has an owner, by primary key, then by owner. */
  readonly #owned = new Map<string, Map<string, Variants>>();

  variants({ primary, owner }: CacheKey): Variants | undefined {
    return owner === "" ? this.#shared.get(primary) : this.#owned.get(primary)?.get(owner);
  }

  /** Lists what is kept for a primary key, or for all of them. */
  slots(primary?: string): Slot[] {
    if (primary !== undefined) {
      return [this.#shared.get(primary) ?? [], ...this.#owned.get(primary)?.values() ?? []].flat();
    }
    const owned = [...this.#owned.values()].flatMap((byOwner) => [...byOwner.values()]);
    return [...this.#shared.values(), ...owned].flat();
  }

  add(slot: Slot): void {
    const { primary, owner } = slot.key;
    const variants = this.variants(slot.key);
    if (variants !== undefined) {
      variants.push(slot);
      return;
    }
    if (owner === "") {
      this.#shared.set(primary, [slot]);
      return;
    }
    const byOwner = this.#owned.get(primary);
    if (byOwner === undefined) this.#owned.set(primary, new Map([[owner, [slot]]]));
    else byOwner.set(owner, [slot]);
  }

  delete(slot: Slot): void {
    const { primary, owner } = slot.key;
    const variants = this.variants(slot.key);
    if (variants === undefined) return;
    variants.splice(variants.indexOf(slot), 1);
    if (variants.length > 0) return;
    if (owner === "") {
      this.#shared.delete(primary);
      return;
    }
    const byOwner = this.#owned.get(primary);
    byOwner?.delete(owner);
    if (byOwner?.size === 0) this.#owned.delete(primary);
  }
}
