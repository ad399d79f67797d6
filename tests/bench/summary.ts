/** Writes the table of docs/costs.md: all runtimes of a run side by side, as ratios, not times. */
import { short, type Verdict } from "./figures.ts";
import { LINES } from "./lines.ts";

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

const NAMES: Readonly<Record<string, string>> = {
  deno: "Deno",
  node: "Node",
  bun: "Bun",
  workerd: "workerd",
};

/** Makes a Markdown table, with a dash for a runtime without a figure. */
export function summary(results: Readonly<Record<string, RuntimeResult>>): string {
  const runtimes = Object.entries(results);
  const heads = runtimes.map(([name, { version }]) =>
    `${NAMES[name] ?? name} ${version.split(".").slice(0, name === "node" ? 1 : 2).join(".")}`
  );
  const rows = [
    row(["", ...heads]),
    row(["---", ...heads.map(() => "---:")]),
  ];
  for (const [line, { title }] of Object.entries(LINES)) {
    const own = rowsOf(line, runtimes.map(([, { lines }]) => lines[line]));
    if (own.length > 0) rows.push(row([`**${title}**`, ...heads.map(() => "")]), ...own);
  }
  return rows.join("\n");
}

function rowsOf(line: string, results: readonly (LineResult | undefined)[]): string[] {
  // Absolute times would mean nothing on another machine.
  if (line === "import") return importRows(results);
  const whats = new Set(
    results.flatMap((result) => result?.verdicts ?? []).map(({ what }) => what),
  );
  return [...whats].map((what) =>
    row([
      what.replace("ns per call", "time").replace(/^ns /, "time ").replace(/^ms /, "time "),
      ...results.map((result) => {
        const verdict = result?.verdicts.find((one) => one.what === what);
        return verdict?.measured ? short(verdict.figure.median) : "–";
      }),
    ])
  );
}

function importRows(results: readonly (LineResult | undefined)[]): string[] {
  return ["lru-cache", "cockatiel", "opossum"].map((other) =>
    row([
      `time: breaker / ${other}`,
      ...results.map((result) => {
        const ms = result?.figures["ms"];
        const ratio = (ms?.["breaker"]?.own.median ?? NaN) / (ms?.[other]?.own.median ?? NaN);
        return Number.isFinite(ratio) ? short(ratio) : "–";
      }),
    ])
  ).filter((row) => /\d/.test(row));
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
