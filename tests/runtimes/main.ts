/**
 * Runs the portable tests on every runtime, or on those whose names begin with an argument:
 *
 *     deno run -A tests/runtimes/main.ts [deno | node | node20 | bun | workerd | edge-runtime | app …]
 *
 * Prints the results of each, and fails if a test failed, a runtime could not run, or a runtime ran
 * different tests from the others without a reason in portable.ts.
 */
import { appResult, DEPLOYMENTS } from "./app/deployments.ts";
import { DENO_ONLY, LEFT_OUT, ONLY } from "./portable.ts";
import { bundledResult, denoResult, type Result } from "./result.ts";
import { RUNTIMES } from "./runtimes.ts";

const startedAt = performance.now();
const folder = await Deno.makeTempDir({ prefix: "breaker-runtimes-" });
try {
  const results = await inPairs(jobs(Deno.args, folder));
  const problems = [...named(results), ...differences(results)];
  report(results, problems);
  Deno.exitCode = problems.length > 0 ? 1 : 0;
} finally {
  await Deno.remove(folder, { recursive: true });
}

type Job = () => Promise<Result>;

function jobs(chosen: readonly string[], folder: string): Job[] {
  const all = [
    { name: "deno", job: denoResult },
    ...RUNTIMES.map((runtime) => ({
      name: runtime.name,
      job: () => bundledResult(runtime, folder),
    })),
    ...DEPLOYMENTS.map((deployment) => ({
      name: deployment.name,
      job: () => appResult(deployment, folder),
    })),
  ];
  const unknown = chosen.find((begin) => !all.some(({ name }) => name.startsWith(begin)));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot run on "${unknown}" as it must be one of ${all.map(({ name }) => name).join(", ")}`,
    );
  }
  return all
    .filter(({ name }) => chosen.length === 0 || chosen.some((begin) => name.startsWith(begin)))
    .map(({ name, job }) => () => job().catch((error) => broken(name, error)));
}

function broken(runtime: string, error: unknown): Result {
  const problems = [`could not run: ${error instanceof Error ? error.message : error}`];
  return {
    runtime,
    version: "-",
    portable: undefined,
    own: 0,
    passed: 0,
    failed: 1,
    leftOut: 0,
    ms: 0,
    problems,
  };
}

/** Runs two jobs at a time: more only get in each other's way. */
async function inPairs(jobs: readonly Job[]): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const work = async () => {
    while (next < jobs.length) {
      const index = next++;
      const result = await jobs[index]!();
      results[index] = result;
      const state = result.problems.length > 0 ? "failed" : "passed";
      console.log(`${result.runtime} ${state}`);
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

/** Lists each problem once, with the runtimes that have it. */
function named(results: readonly Result[]): string[] {
  const runtimes = new Map<string, string[]>();
  for (const { runtime, problems } of results) {
    for (const problem of problems) {
      runtimes.set(problem, [...runtimes.get(problem) ?? [], runtime]);
    }
  }
  return [...runtimes].map(([problem, names]) => `${names.join(", ")}: ${problem}`);
}

/** Lists the runtimes that passed but did not find all tests. */
function differences(results: readonly Result[]): string[] {
  const sound = results.filter(({ portable, problems }) =>
    portable !== undefined && problems.length === 0
  );
  const most = Math.max(0, ...sound.map(({ portable }) => portable ?? 0));
  return sound
    .filter(({ portable }) => portable !== most || (most === 0 && ONLY === ""))
    .map(({ runtime, portable }) => `${runtime}: found ${portable} of ${most} portable tests`);
}

function report(results: readonly Result[], problems: readonly string[]): void {
  console.log(`\n${table(results)}\n`);
  if (ONLY !== "") console.log(`only files with ${JSON.stringify(ONLY)} in their path`);
  for (const { path, reason } of DENO_ONLY) {
    console.log(`not run on every runtime: tests/${path} (${reason})`);
  }
  for (const { runtime, test, reason } of LEFT_OUT) {
    console.log(`left out on ${runtime}: ${test} (${reason})`);
  }
  for (const problem of problems) console.error(`${problem}\n`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`${results.length} runtimes, ${problems.length} problems, ${seconds()} s`);
  console.log(`${passed} passed, ${failed} failed`);
}

function seconds(): string {
  return ((performance.now() - startedAt) / 1_000).toFixed(1);
}

function table(results: readonly Result[]): string {
  const rows = [
    ["runtime", "version", "tests run", "passed", "failed", "left out", "ms"],
    ...results.map(({ runtime, version, passed, failed, leftOut, ms }) =>
      [runtime, version, passed + failed, passed, failed, leftOut, ms].map(String)
    ),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, at) => at < 2 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join(
      "  ",
    );
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("\n");
}
