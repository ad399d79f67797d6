/** Says on stderr which line is measured, and how far it is. */
import type { RoundListener } from "./rounds.ts";

/** How often a child says how far it is, in ms. */
const CHILD_MS = 250;
/** How often plain lines are printed where nothing can be rewritten, in ms. */
const PLAIN_MS = 20_000;

const ROUND = /^round (\d+) of (\d+)$/gm;

/** Makes a listener that passes rounds on to the parent process, see {@link Progress.hearing}. */
export function announceOn(print: (text: string) => void): RoundListener {
  let saidAt = -Infinity;
  return (round, rounds) => {
    const now = performance.now();
    if (round > 1 && now - saidAt < CHILD_MS) return;
    saidAt = now;
    print(`round ${round} of ${rounds}\n`);
  };
}

/** Where progress is printed. */
export interface Screen {
  /** True if what is printed can be overwritten. */
  readonly isTerminal: boolean;
  /** The characters in a line. */
  readonly columns: number;
  print(text: string): void;
}

/** How far one line on one runtime is: "keep on deno: 3 of 9 measures, round 12 of 31". */
export class Progress {
  readonly #what: string;
  readonly #measures: number;
  readonly #screen: Screen;
  #begun = 0;
  #saidAt = performance.now();

  constructor(what: string, measures: number, screen: Screen) {
    this.#what = what;
    this.#measures = measures;
    this.#screen = screen;
    this.#say(what);
  }

  /** Hears of a round in this process. */
  readonly round: RoundListener = (round, rounds) => {
    if (round === 1) this.#begun++;
    const isDue = performance.now() - this.#saidAt >= PLAIN_MS;
    if (!this.#screen.isTerminal && !isDue) return;
    // A runtime may lack a measure, or have one more.
    const of = Math.max(this.#measures, this.#begun);
    this.#say(`${this.#what}: ${this.#begun} of ${of} measures, round ${round} of ${rounds}`);
  };

  /** Makes a listener to a child, which hears all that the child has printed so far. */
  hearing(): (text: string) => void {
    const before = this.#begun;
    return (text) => {
      const rounds = [...text.matchAll(ROUND)].map(([, round, of]) => [Number(round), Number(of)]);
      const [round, of] = rounds.at(-1) ?? [];
      if (round === undefined || of === undefined) return;
      const isFirst = Number(round === 1);
      this.#begun = before + rounds.filter(([round]) => round === 1).length - isFirst;
      this.round(round, of);
    };
  }

  /** Clears the line for what comes next. */
  end(): void {
    if (this.#screen.isTerminal) this.#screen.print("\r\x1b[2K");
  }

  #say(text: string): void {
    this.#saidAt = performance.now();
    const { isTerminal, columns } = this.#screen;
    this.#screen.print(isTerminal ? `\r\x1b[2K${text.slice(0, columns - 1)}` : `${text}\n`);
  }
}
