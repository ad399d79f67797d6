import { Circuit } from "./circuit.ts";
import type { CircuitSettings } from "./settings.ts";
import { optionsWith } from "./shared_settings.ts";

/** Circuits by key, made on demand and limited in number. */
export class CircuitRegistry<T> {
  readonly #settings: CircuitSettings<T>;
  readonly #maxCircuits: number;
  /** The least recently used comes first. */
  readonly #circuits = new Map<string, Circuit<T>>();
  #latest: Circuit<T> | undefined;

  constructor(settings: CircuitSettings<T>, maxCircuits: number) {
    this.#settings = settings;
    this.#maxCircuits = maxCircuits;
  }

  /** Returns the circuit with this key, which is also its name; makes it if there is none. */
  get(key: string): Circuit<T> {
    // Most breakers guard a single upstream: its circuit is already the most recently used.
    if (this.#latest?.name === key) return this.#latest;
    let circuit = this.#circuits.get(key);
    if (circuit === undefined) {
      if (this.#circuits.size >= this.#maxCircuits) this.#dropOne();
      circuit = new Circuit(optionsWith(key, this.#settings));
    } else this.#circuits.delete(key);
    this.#circuits.set(key, circuit);
    return this.#latest = circuit;
  }

  [Symbol.iterator](): IterableIterator<[string, Circuit<T>]> {
    return this.#circuits.entries();
  }

  /** Drops the least recently used closed circuit; if none is closed, the least recently used. */
  #dropOne(): void {
    let dropped: string | undefined;
    for (const [key, circuit] of this.#circuits) {
      dropped ??= key;
      if (circuit.state !== "closed") continue;
      dropped = key;
      break;
    }
    if (dropped !== undefined) this.#circuits.delete(dropped);
  }
}
