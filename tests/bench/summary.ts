/** Writes the table of docs/costs.md: all runtimes side by side, as ratios, not times. */
import { short, type Verdict } from "./figures.ts";
import { LINES } from "./lines.ts";
import { labelOf, type Limit, limitOn, type Target, whatOf } from "./target.ts";

/** The results for one line. */
export interface LineResult {
  readonly figures: Readonly<
    Record<string, Readonly<Record<string, { readonly own: { readonly median: number } }>>>
  >;
  readonly verdicts: readonly Verdict[];
}

/** The results on one runtime. */
export interface RuntimeResult {
  readonly version: string;
  readonly lines: Readonly<Record<string, LineResult>>;
}

/** The results on all runtimes, by name. */
export type Results = Readonly<Record<string, RuntimeResult>>;

/** A table that was written before: what is not measured now stays as it is there. */
interface Table {
  /** By the runtime's name, what its column is called. */
  readonly heads: ReadonlyMap<string, string>;
  /** By line and row, then by runtime, what is in a cell. */
  readonly cells: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const NAMES: Readonly<Record<string, string>> = {
  deno: "Deno",
  node: "Node",
  node20: "Node",
  node22: "Node",
  bun: "Bun",
  workerd: "workerd",
};
const NONE = "–";
const MISSED = "✗";

/**
 * Makes a Markdown table with a row for each target, and a dash where there is no figure.
 *
 * @param before Gives the figures that are not in the results. Without it, lines that were not
 * measured are left out.
 */
export function summary(results: Results, before?: Table): string {
  const heads = new Map(before?.heads);
  for (const [name, { version }] of Object.entries(results)) {
    heads.set(name, headOf(name, version));
  }
  const runtimes = [...heads.keys()].sort((one, other) => place(one) - place(other));
  const rows = [
    row(["", "target", ...runtimes.map((name) => heads.get(name)!)]),
    row(["---", "---:", ...runtimes.map(() => "---:")]),
  ];
  const isMeasured = (line: string) => Object.values(results).some(({ lines }) => line in lines);
  for (const [line, { title, targets }] of Object.entries(LINES)) {
    if (before === undefined && !isMeasured(line)) continue;
    rows.push(row([`**${capital(title)}**`, "", ...runtimes.map(() => "")]));
    for (const target of targets) {
      const known = before?.cells.get(keyOf(title, labelOf(target)));
      const cells = runtimes.map((name) => {
        const verdict = results[name]?.lines[line]?.verdicts
          .find(({ what }) => what === whatOf(target));
        const figure = verdict === undefined ? known?.get(name) : figureOf(verdict);
        return marked(figure ?? NONE, target, name);
      });
      rows.push(row([labelOf(target), limitsOf(target), ...cells]));
    }
  }
  return rows.join("\n");
}

/** Reads a table that {@link summary} has made. */
export function tableIn(markdown: string): Table {
  const [first = [], , ...rest] = markdown.split("\n").filter((text) => text.startsWith("|"))
    .map((text) => text.split("|").slice(1, -1).map((cell) => cell.trim()));
  const names = first.slice(2).map(nameOf);
  const cells = new Map<string, Map<string, string>>();
  let title = "";
  for (const [label = "", , ...own] of rest) {
    if (label.startsWith("**")) title = label.slice(2, -2);
    const figures = own.map((cell) => cell.replace(` ${MISSED}`, ""));
    cells.set(keyOf(title, label), new Map(names.map((name, at) => [name, figures[at] ?? NONE])));
  }
  return { heads: new Map(names.map((name, at) => [name, first[at + 2]!])), cells };
}

/** Marks a figure that misses its target. It is judged as it stands there. */
function marked(figure: string, { atMost, atLeast }: Target, runtime: string): string {
  const value = Number(figure.replaceAll(",", ""));
  const [most, least] = [limitOn(runtime, atMost), limitOn(runtime, atLeast)];
  const misses = (most !== undefined && value > most) || (least !== undefined && value < least);
  return misses ? `${figure} ${MISSED}` : figure;
}

function figureOf({ figure, measured }: Verdict): string {
  return measured ? short(figure.median) : NONE;
}

function limitsOf({ atMost, atLeast }: Target): string {
  if (atMost !== undefined) return `≤ ${text(atMost)}`;
  return atLeast === undefined ? "" : `≥ ${text(atLeast)}`;
}

/** One number, or those of Deno, Node and Bun. */
function text(limit: Limit): string {
  if (typeof limit === "number") return limit.toLocaleString("en");
  const all = ["deno", "node", "bun"].map((name) => limitOn(name, limit)?.toLocaleString("en"));
  return new Set(all).size === 1 ? `${all[0]}` : all.map((one) => one ?? NONE).join(" / ");
}

function headOf(name: string, version: string): string {
  const digits = name.startsWith("node") ? 1 : 2;
  return name === "workerd"
    ? NAMES[name]!
    : `${NAMES[name] ?? name} ${version.split(".").slice(0, digits).join(".")}`;
}

function nameOf(head: string): string {
  const name = head.toLowerCase().split(" ")[0]!;
  return head === "Node 20" || head === "Node 22" ? head.toLowerCase().replace(" ", "") : name;
}

function place(runtime: string): number {
  return Object.keys(NAMES).indexOf(runtime);
}

function keyOf(title: string, label: string): string {
  return `${capital(title)} | ${label}`;
}

function capital(title: string): string {
  return title[0]!.toUpperCase() + title.slice(1);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
