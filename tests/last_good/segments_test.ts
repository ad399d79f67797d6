import { assertEquals } from "@std/assert";
import { Segments, type Slot } from "../../src/last_good/segments.ts";

/** Segments, and beside them what they must do: two lists, the least recently used first. */
class Twins {
  readonly #segments = new Segments(1_000_000);
  readonly #once: Slot[] = [];
  readonly #often: Slot[] = [];
  #seed = 1;

  /** Does the same to both, at random, and compares what comes of it. */
  step(): void {
    const what = this.#random(8);
    if (what < 4) this.#add(what === 0);
    else if (what < 6) this.#touch();
    else if (what < 7) this.#delete();
    else this.#pop(this.#random(2) === 0);

    const bytes = (slots: Slot[]) => slots.reduce((sum, { stored }) => sum + stored.size, 0);
    assertEquals(this.#segments.entries, this.#once.length + this.#often.length);
    assertEquals(this.#segments.bytes(false), bytes(this.#once));
    assertEquals(this.#segments.bytes(true), bytes(this.#once) + bytes(this.#often));
  }

  /** Evicts all. */
  empty(): void {
    while (this.#once.length + this.#often.length > 0) this.#pop(true);
    this.#pop(true);
  }

  #add(isOften: boolean): void {
    const slot = { stored: { size: 1 + this.#random(100) }, isOften } as Slot;
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
  for (let step = 0; step < 1_000; step++) early.step();
});

Deno.test("N4: the order stays the same when the LRU library arrives", async () => {
  await import("lru-cache");

  for (let step = 0; step < 1_000; step++) early.step();

  early.empty();
});

Deno.test("N4: segments that were emptied go on", () => {
  const segments = new Segments(1_000);
  const slot = { stored: { size: 10 }, isOften: false } as Slot;
  segments.add(slot);
  segments.touch(slot);
  segments.clear();

  segments.add(slot);

  assertEquals(segments.entries, 1);
  assertEquals(segments.pop(true), slot);
});
