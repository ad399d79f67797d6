/** What a line of the benchmark is, and what it is to reach. */

/** One limit for all runtimes, or one for each that has any: that of node is also node20's. */
export type Limit = number | {
  readonly deno?: number;
  readonly node?: number;
  readonly bun?: number;
  readonly workerd?: number;
};

/** A figure that docs/costs.md shows. Without a limit on a runtime, it has no target there. */
export interface Target {
  /** What the figure says, for users; made of the rest if it is not given. */
  readonly says?: string;
  /** The measure, and below it the subject. */
  readonly measure: string;
  readonly of: string;
  /** The subject to divide by. Without one, the figure itself counts. */
  readonly over?: string;
  /** The subject to subtract first. */
  readonly less?: string;
  readonly atMost?: Limit;
  readonly atLeast?: Limit;
}

/** One line of the benchmark. */
export interface Line {
  readonly title: string;
  /** Roughly how long it takes on one runtime. */
  readonly seconds: number;
  /** How many measures it takes, for who watches it run. */
  readonly measures: number;
  /** True if it is measured on workerd, too. */
  readonly onWorkerd?: boolean;
  /** Explains what is not compared because the others cannot do it. */
  readonly note?: string;
  readonly targets: readonly Target[];
}

/** Finds the limit on a runtime; undefined if there is none. */
export function limitOn(runtime: string, limit: Limit | undefined): number | undefined {
  return typeof limit === "object"
    ? limit[runtime.replace(/\d+$/, "") as keyof typeof limit]
    : limit;
}

/** Names a figure, in the words of the benchmark. */
export function whatOf({ measure, of, over, less }: Target): string {
  const above = over !== undefined && less !== undefined ? `, over ${less}` : "";
  const against = over !== undefined ? ` / ${over}` : less !== undefined ? ` - ${less}` : "";
  return `${measure}${above}: ${of}${against}`;
}

/** Says for users what a figure is: "`api.wrap`, 64 KB: CPU, over nginx". */
export function labelOf({ says, measure, of, over, less }: Target): string {
  if (says !== undefined) return says;
  const [quantity = "", ...details] = measure.split(", ");
  const subject = [named(of), ...details].join(", ");
  const against = over !== undefined
    ? `, over ${named(over)}`
    : less
    ? `, less ${named(less)}`
    : "";
  return `${subject}: ${QUANTITIES[quantity] ?? quantity}${against}`;
}

const QUANTITIES: Readonly<Record<string, string>> = {
  "CPU per request": "CPU",
  "ms to the first byte of a trickle": "time to the first byte of a slow body",
};

function named(subject: string): string {
  return subject.replace(/^api\.\w+/, "`$&`").replace(/^hand\b.*/, "code by hand");
}
