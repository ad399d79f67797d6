/** Turns samples into figures, judges them against their targets, and prints tables. */
import type { Sample, Samples } from "./rounds.ts";
import { limitOn, type Line, type Target, whatOf } from "./target.ts";

/** A median over rounds, with the lower and upper quartiles. */
export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The result for one target. Its texts are empty if there is no limit. */
export interface Verdict {
  readonly what: string;
  readonly figure: Figure;
  readonly target: string;
  readonly met: boolean;
  /** False if the runtime does not report it. */
  readonly measured: boolean;
  readonly verdict: string;
}

/** Computes the median of some numbers, with its spread. */
export function figure(numbers: readonly number[]): Figure {
  const sorted = numbers.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] ?? NaN;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Lists all subjects of a measure, each with its figure and its ratio to the first subject's. */
export function subjects(sample: Sample): (readonly [name: string, own: Figure, times: Figure])[] {
  const [floor = []] = Object.values(sample);
  return Object.entries(sample).map(([name, rounds]) =>
    [name, figure(rounds), figure(rounds.map((value, round) => value / floor[round]!))] as const
  );
}

/** Judges all targets of a line for which there are samples. */
export function verdicts(line: Line, samples: Samples, runtime: string): Verdict[] {
  return line.targets.flatMap((target) => {
    const sample = samples[target.measure];
    const reached = sample && valueOf(target, sample);
    return reached === undefined ? [] : [judged(target, reached, runtime)];
  });
}

function valueOf({ of, over, less }: Target, sample: Sample): Figure | undefined {
  const ours = sample[of];
  const base = over === undefined ? undefined : sample[over];
  const floor = less === undefined ? undefined : sample[less];
  if (ours === undefined || (over && !base) || (less && !floor)) return undefined;
  // The difference of two noisy numbers may be anything, so subtract their medians.
  if (over !== undefined && floor !== undefined) {
    const { median: least } = figure(floor);
    const { median: divisor } = figure(base!);
    return figure(ours.map((value) => (value - least) / (divisor - least)));
  }
  return figure(ours.map((value, round) => {
    const rest = value - (floor?.[round] ?? 0);
    return base === undefined ? rest : rest / base[round]!;
  }));
}

function judged(target: Target, reached: Figure, runtime: string): Verdict {
  const what = whatOf(target);
  const atMost = limitOn(runtime, target.atMost);
  const atLeast = limitOn(runtime, target.atLeast);
  const limit = atMost ?? atLeast;
  // A ratio to the others' cost cannot be negative: garbage collection disturbed the measurement.
  const measured = Number.isFinite(reached.median) &&
    !(target.over !== undefined && reached.median < 0);
  if (limit === undefined) {
    return { what, figure: reached, target: "", met: true, measured, verdict: "" };
  }
  const off = atMost === undefined ? limit - reached.median : reached.median - limit;
  const met = off <= 0;
  return {
    what,
    figure: reached,
    target: `${atMost === undefined ? ">=" : "<="} ${limit}`,
    met,
    measured,
    verdict: met ? "met" : measured ? `short by ${short(off)}` : "not measured",
  };
}

/** Formats a number for people. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en");
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
    .replace(/^-(?=[0.]+$)/, "");
}

/** Formats a median with its spread. */
export function spread({ median, low, high }: Figure): string {
  return low === high ? short(median) : `${short(median)} (${short(low)} to ${short(high)})`;
}

/** Formats rows under a heading, in columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const text = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
    )
      .join("  ");
  return [
    text(rows[0]!),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.slice(1).map(text),
  ]
    .join("\n");
}
