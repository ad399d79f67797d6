/** Checks docs/costs.md against the lines of the benchmark. */

import { assertEquals } from "@std/assert";
import { withTable } from "./bench/costs.ts";
import { LINES } from "./bench/lines.ts";
import { type Results, tableIn } from "./bench/summary.ts";
import { labelOf, whatOf } from "./bench/target.ts";

const PAGE = await Deno.readTextFile(new URL("../docs/costs.md", import.meta.url));

Deno.test("docs: the table of costs.md is what the benchmark would write (deno task bench --table)", () => {
  const anew = withTable(PAGE, {});

  assertEquals(rowsOf(PAGE), rowsOf(anew));
  assertEquals(rowsOf(PAGE).length > 30, true);
});

Deno.test("docs: the table of costs.md has a row for each target of the benchmark", () => {
  const labels = new Set(rowsOf(PAGE).map(([label]) => label));

  const targets = Object.values(LINES).flatMap(({ targets }) => targets);

  assertEquals(targets.map(labelOf).filter((label) => !labels.has(label)), []);
});

Deno.test("bench: no two targets of a line say the same", () => {
  for (const { targets } of Object.values(LINES)) {
    assertEquals(new Set(targets.map(labelOf)).size, targets.length);
    assertEquals(new Set(targets.map(whatOf)).size, targets.length);
  }
});

Deno.test("bench: writing the table changes what was measured, and marks what misses its target", () => {
  const label = labelOf(LINES["refused"]!.targets[0]!);
  const before = rowsOf(PAGE);

  const after = rowsOf(withTable(PAGE, measured("refused", 1.5)));

  const [mine, others] = [
    after.filter(([own]) => own === label),
    after.filter(([own]) => own !== label),
  ];
  assertEquals(mine.map((cells) => cells.slice(0, 3)), [[label, "≤ 1.25", "1.50 ✗"]]);
  assertEquals(others, before.filter(([own]) => own !== label));
});

Deno.test("bench: writing the table takes the mark off a figure that meets its target", () => {
  const missed = withTable(PAGE, measured("refused", 1.5));

  const met = tableIn(withTable(missed, measured("refused", 1.25)));

  assertEquals(
    [...met.cells.values()].flatMap((cells) => cells.get("deno") === "1.25" ? [1] : []),
    [
      1,
    ],
  );
});

/** Results for the first target of a line, on Deno. */
function measured(line: string, median: number): Results {
  const what = whatOf(LINES[line]!.targets[0]!);
  const verdict = {
    what,
    figure: { median, low: median, high: median },
    target: "",
    met: true,
    measured: true,
    verdict: "",
  };
  return { deno: { version: "2.9.6", lines: { [line]: { figures: {}, verdicts: [verdict] } } } };
}

function rowsOf(page: string): string[][] {
  return page.split("\n").filter((line) => /^\|(?! *-)/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}
