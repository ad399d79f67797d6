import { assertEquals } from "@std/assert";
import { Segments, type Slot } from "../../src/last_good/segments.ts";

/** Segments, and beside them what they must do: two lists, the least recently used first. */
class Twins {
  readonly #segments = new Segments(1_000_000);
  readonly #once: Slot[] = [];
  readonly #often: Slot[] = [];
  #seed = 1;
  #steps = 0;

  /** Does the same to both, at random, and compares what comes of it. */
  step(): void {
    const isGrowing = this.#steps++ % 2_000 < 1_000;
    const what = this.#random(10);
    if (what < 3) this.#touch();
    else if (what < 4) this.#delete();
    else if (what < (isGrowing ? 9 : 6)) this.#add(what === 5);
    else this.#pop(this.#random(4) > 0);

    const bytes = (slots: Slot[]) => slots.reduce((sum, { stored }) => sum + stored.size, 0);
    assertEquals(this.#segments.entries, this.#once.length + this.#often.length);
    assertEquals(this.#segments.bytes(false), bytes(this.#once));
    assertEquals(this.#segments.bytes(true), bytes(this.#once) + bytes(this.#often));
  }

  /** Adds as many, and uses them as often, without evicting any. */
  fill(slots: number, uses: number): void {
    for (let slot = 0; slot < slots; slot++) this.#add(false);
    for (let use = 0; use < uses; use++) this.#touch();
  }

  evict(slots: number): void {
    for (let slot = 0; slot < slots; slot++) this.#pop(true);
  }

  /** Evicts all. */
  empty(): void {
    while (this.#once.length + this.#often.length > 0) this.#pop(true);
    this.#pop(true);
  }

  #add(isOften: boolean): void {
    const slot = { stored: { size: 1 + this.#random(100) }, isOften, usedAt: -1 } as Slot;
    this.#segments.add(slot);
    (isOften ? this.#often : this.#once).push(slot);
  }

  #touch(): void {
    const slot = this.#any();
    if (slot === undefined) return;
    this.#segments.touch(slot);
    this.#remove(slot);
    this.#often.push(slot);
  }

  #delete(): void {
    const slot = this.#any();
    if (slot === undefined) return;
    this.#segments.delete(slot);
    this.#remove(slot);
  }

  #pop(mayEvictOften: boolean): void {
    const expected = this.#once.shift() ?? (mayEvictOften ? this.#often.shift() : undefined);
    assertEquals(this.#segments.pop(mayEvictOften) === expected, true);
    if (expected !== undefined) this.#segments.delete(expected);
  }

  #any(): Slot | undefined {
    const all = [...this.#once, ...this.#often];
    return all[this.#random(all.length || 1)];
  }

  #remove(slot: Slot): void {
    for (const list of [this.#once, this.#often]) {
      const at = list.indexOf(slot);
      if (at >= 0) list.splice(at, 1);
    }
  }

  #random(below: number): number {
    return (this.#seed = this.#seed * 48_271 % 2_147_483_647) % below;
  }
}

/** Begun before the LRU library is asked for, and gone on with after it has arrived. */
const early = new Twins();

// It ends while the library is on its way: that leaks nothing.
Deno.test("N4: the least recently used goes first before the LRU library has arrived", () => {
  for (let step = 0; step < 10_000; step++) early.step();
});

Deno.test("N4: the order stays the same when the LRU library arrives", async () => {
  await import("lru-cache");

  for (let step = 0; step < 10_000; step++) early.step();

  early.empty();
});

for (const [slots, uses] of [[5, 5_000], [3_000, 6_000], [1_500, 9_000]] as const) {
  Deno.test(`N4: the order of ${slots} is right after ${uses} uses`, () => {
    const twins = new Twins();

    twins.fill(slots, uses);

    twins.evict(slots >> 1);
    twins.fill(slots >> 1, uses);
    twins.evict(slots);
  });
}

Deno.test("N4: segments that were emptied go on", () => {
  const segments = new Segments(1_000);
  const slot = { stored: { size: 10 }, isOften: false, usedAt: -1 } as Slot;
  segments.add(slot);
  segments.touch(slot);
  segments.delete(slot);
  segments.clear();

  segments.add(slot);

  assertEquals(segments.entries, 1);
  assertEquals(segments.pop(true), slot);
});
