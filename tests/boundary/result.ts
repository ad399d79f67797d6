import { run } from "../runtimes/child.ts";
import type { Line } from "../runtimes/collector.ts";
import { account, DONE, linesOf } from "../runtimes/result.ts";
import { GAPS } from "./gaps.ts";
import type { Host } from "./hosts.ts";
import { bundleCases, WORKPLACE } from "./install.ts";

/** What the cases came to on one host. */
export interface Result {
  readonly host: string;
  readonly version: string;
  readonly passed: number;
  readonly failed: number;
  /** Failed, as expected. */
  readonly gaps: number;
  readonly ms: number;
  readonly problems: readonly string[];
}

const LIMIT_MS = 200_000;
/** How often a host that dies in a case starts again, to run the cases after it. */
const MOST_STARTS = 4;

type Ended = Line & { readonly type: "passed" | "failed" };

/** Runs the cases on a host; with `only`, those whose name contains it. */
export async function resultOn({ name, prepare }: Host, only: string): Promise<Result> {
  const { version, start } = await prepare();
  const startedAt = performance.now();
  const ended: Ended[] = [];
  for (let starts = 0; starts < MOST_STARTS; starts++) {
    const file = `${name}.cases.mjs`;
    await bundleCases(file, ended.map((line) => line.name));
    const finished = await run({
      ...start(file),
      cwd: WORKPLACE,
      env: { ONLY: only, NODE_NO_WARNINGS: "1" },
      limitMs: LIMIT_MS,
      until: DONE,
    });
    const lines = linesOf(finished.stdout);
    ended.push(...lines.filter(isEnd));
    if (lines.some(({ type }) => type === "done")) break;
    ended.push({ type: "failed", name: running(lines), error: account(finished) });
  }
  const ms = Math.round(performance.now() - startedAt);
  return { host: name, version, ms, ...judged(name, ended, only) };
}

function isEnd(line: Line): line is Ended {
  return line.type === "passed" || line.type === "failed";
}

function running(lines: readonly Line[]): string {
  const last = lines.findLast(({ type }) => type === "start");
  return last !== undefined && "name" in last ? last.name : "before the first case";
}

/** Counts the cases, and compares the failed ones with the list. */
function judged(host: string, ended: readonly Ended[], only: string) {
  const known = Object.keys(GAPS).filter((name) => GAPS[name]?.includes(host));
  const problems: string[] = [];
  let passed = 0;
  let gaps = 0;
  for (const line of ended) {
    const isKnown = known.includes(line.name);
    if (line.type === "passed" && !isKnown) passed++;
    else if (line.type === "failed" && isKnown) gaps++;
    else if (line.type === "passed") problems.push(`passes, so take it off GAPS: ${line.name}`);
    else problems.push(`failed: ${line.name}\n${line.error}`);
  }
  if (only === "") {
    const missing = known.filter((name) => !ended.some((line) => line.name === name));
    for (const name of missing) problems.push(`in GAPS, but there is no such case: ${name}`);
  }
  if (ended.length === 0) problems.push("found no case");
  return { passed, failed: problems.length, gaps, problems };
}
