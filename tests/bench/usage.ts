/** Says what can be measured, and reads what is to be. */
import { LINES } from "./lines.ts";

/** What one run of the benchmark is to do. */
export interface Order {
  readonly lines: readonly string[];
  readonly runtimes: readonly string[];
  readonly isQuick: boolean;
  /** True if the table of docs/costs.md is to be written. */
  readonly writes: boolean;
}

/** What is wrong with an order, for who gave it. */
export class OrderError extends Error {
  override readonly name = "OrderError";
}

const RUNTIMES = ["deno", "node", "node20", "node22", "bun", "workerd"];

export const USAGE = `What a call through a circuit costs, over its floor and over other breakers.

deno task bench [LINE…] [--runtime NAME]… [--quick] [--write]

Lines, all of them by default, with the rough time on one runtime:
${list(LINES)}

Options:
  --runtime NAME  ${RUNTIMES.join(", ")}; may be given more than once. Default: deno.
                  npm provides the others. Of workerd, only ${
  onWorkerd().join(", ")
} can be measured.
  --quick         Fewer and shorter rounds, to see that it works: such figures say little.
  --write         Writes what was measured into the table of docs/costs.md, and leaves the rest of
                  it as it is. All of it anew, in about ${minutes()} minutes:
                  deno task bench --runtime deno --runtime node --runtime bun --runtime workerd --write
  --table         Measures nothing, and only gives that table the rows and targets of lines.ts.
  --help          This text.

It prints ratios: medians over interleaved rounds, with their quartiles, and the targets that fall
short. The same is in dist/bench.json, and as a table in dist/bench.md. How far it is, it says on
stderr. It asserts nothing: only ratios within one run mean anything, and a busy machine shifts even
those.
`;

/** Reads the arguments; undefined if it is help that is asked for. */
export function orderFrom(args: readonly string[]): Order | undefined {
  const lines: string[] = [];
  const runtimes: string[] = [];
  const flags = new Set<string>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--runtime") runtimes.push(oneOf(RUNTIMES, "runtime", args[++index] ?? ""));
    else if (arg.startsWith("-")) flags.add(oneOf(FLAGS, "option", arg));
    else lines.push(oneOf(Object.keys(LINES), "line", arg));
  }
  if (flags.has("--help") || flags.has("-h")) return undefined;
  if (flags.has("--quick") && flags.has("--write")) {
    throw new OrderError("--quick gives no figures to --write");
  }
  if (flags.has("--table")) {
    return { lines: [], runtimes: [], isQuick: false, writes: true };
  }
  const order = {
    lines: lines.length > 0 ? [...new Set(lines)] : Object.keys(LINES),
    runtimes: runtimes.length > 0 ? [...new Set(runtimes)] : ["deno"],
    isQuick: flags.has("--quick"),
    writes: flags.has("--write"),
  };
  for (const runtime of order.runtimes) {
    if (linesOn(runtime, order.lines).length > 0) continue;
    throw new OrderError(`On ${runtime}, only ${onWorkerd().join(", ")} can be measured`);
  }
  return order;
}

/** Chooses the lines that can be measured on a runtime. */
export function linesOn(runtime: string, lines: readonly string[]): readonly string[] {
  return runtime === "workerd" ? lines.filter((name) => LINES[name]!.onWorkerd) : lines;
}

const FLAGS = ["--quick", "--write", "--table", "--help", "-h", "--runtime"];

function oneOf(known: readonly string[], kind: string, given: string): string {
  if (known.includes(given)) return given;
  const [nearest] = known
    .map((name) => ({ name, steps: stepsBetween(name, given) }))
    .filter(({ name, steps }) => steps <= Math.max(1, name.length / 3))
    .sort((one, other) => one.steps - other.steps);
  const guess = nearest === undefined ? "" : ` Did you mean "${nearest.name}"?`;
  const all = `Each ${kind} is one of ${known.join(", ")}`;
  throw new OrderError(`There is no ${kind} "${given}".${guess} ${all}`);
}

/** Counts the letters to add, drop or change to get from one word to another. */
function stepsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (isSame ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length]!;
}

function onWorkerd(): string[] {
  return Object.keys(LINES).filter((name) => LINES[name]!.onWorkerd);
}

function list(lines: typeof LINES): string {
  const width = Math.max(...Object.keys(lines).map((name) => name.length));
  return Object.entries(lines)
    .map(([name, { title, seconds }]) =>
      `  ${name.padEnd(width)}  ${`${seconds}`.padStart(3)} s  ${title}`
    )
    .join("\n");
}

/** All lines on Deno, Node and Bun, and those of workerd. */
function minutes(): number {
  const all = Object.values(LINES).reduce((sum, { seconds }) => sum + seconds, 0);
  return Math.ceil((3 * all + 30) / 60);
}
