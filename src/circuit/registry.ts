import { Circuit } from "./circuit.ts";
import { type CircuitSettings, SharedOptions } from "./settings.ts";

/** Circuits by key, made on demand, bounded in number. */
export class CircuitRegistry<T> {
  readonly #settings: CircuitSettings<T>;
  readonly #maxCircuits: number;
  /** The least recently used first. */
  readonly #circuits = new Map<string, Circuit<T>>();
  #last: Circuit<T> | undefined;

  constructor(settings: CircuitSettings<T>, maxCircuits: number) {
    this.#settings = settings;
    this.#maxCircuits = maxCircuits;
  }

  /** The circuit with this key, its name. */
  get(key: string): Circuit<T> {
    // Most breakers guard one upstream: then the order stays as it is.
    if (this.#last?.name === key) return this.#last;
    let circuit = this.#circuits.get(key);
    if (circuit === undefined) {
      if (this.#circuits.size >= this.#maxCircuits) this.#dropOne();
      circuit = new Circuit(new SharedOptions(key, this.#settings));
    } else this.#circuits.delete(key);
    this.#circuits.set(key, circuit);
    return this.#last = circuit;
  }

  [Symbol.iterator](): IterableIterator<[string, Circuit<T>]> {
    return this.#circuits.entries();
  }

  /** The least recently used closed one or, where none is closed, the least recently used. */
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
