/**
 * Runs the cases in workerd on every compatibility date of the matrix, or on those whose names begin
 * with an argument; with `--only TEXT`, the cases whose names contain it:
 *
 *     deno run -A tests/boundary/workerd/main.ts [2023-03-01 | …] [--only TEXT]
 *
 * The last line is `N passed, N failed`.
 */
import { bundleEntry, standIns } from "../../runtimes/bundle.ts";
import { NODE, WORKERD, WORKERD_VERSION } from "../../runtimes/runtimes.ts";
import type { Result } from "../result.ts";
import { type Border, type Case, TAKEN_BACK, UNHANDLED } from "./border.ts";
import { ask, connect } from "./client.ts";
import { ENTRY } from "./entry.ts";
import { GAPS } from "./gaps.ts";
import { type Deployment, MATRIX, start } from "./matrix.ts";
import { startOrigin } from "./origin.ts";

const LIMIT_MS = 20_000;
/** How long workerd may take to log something. */
const LOG_MS = 60;

interface Count {
  passed: number;
  failed: number;
  gaps: number;
}

/** The name of this host. */
export const WORKERS = "workerd";

/** Runs the cases on all deployments; problems are printed as they occur. */
export async function resultOnWorkers(only: string): Promise<Result> {
  const startedAt = performance.now();
  const count = await runWorkerd([], only);
  const ms = Math.round(performance.now() - startedAt);
  return { host: WORKERS, version: WORKERD_VERSION, ...count, ms, problems: [] };
}

/** Runs the cases on the chosen deployments, two at a time, and prints what becomes of them. */
export async function runWorkerd(names: readonly string[], only: string): Promise<Count> {
  const chosen = MATRIX.filter(({ name }) =>
    names.length === 0 || names.some((begin) => name.startsWith(begin))
  );
  const folder = await Deno.makeTempDir({ prefix: "breaker-boundary-" });
  const total: Count = { passed: 0, failed: 0, gaps: 0 };
  try {
    const all = await prepare(folder);
    total.failed += staleGaps(all);
    const cases = all.filter(({ name }) => name.includes(only));
    const work = async () => {
      for (let next = chosen.shift(); next !== undefined; next = chosen.shift()) {
        const { passed, failed, gaps } = await runOn(next, folder, cases);
        total.passed += passed;
        total.failed += failed;
        total.gaps += gaps;
      }
    };
    await Promise.all([work(), work()]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return total;
}

/** Counts the known gaps for which there is no case. */
function staleGaps(cases: readonly Case[]): number {
  const stale = GAPS.filter(({ test }) => !cases.some(({ name }) => name === test));
  for (const { test } of stale) console.error(`In GAPS, but there is no such case: ${test}`);
  return stale.length;
}

/** Bundles both sides of the cases, each with our stand-ins for `@std`; returns those for here. */
async function prepare(folder: string): Promise<readonly Case[]> {
  const here = (name: string) => new URL(name, import.meta.url).pathname;
  const flags = await standIns();
  const app = await bundleEntry(WORKERD, here("worker.ts"), folder, flags);
  await Deno.rename(app, `${folder}/app.mjs`);
  await Deno.writeTextFile(`${folder}/entry.js`, ENTRY);
  const runner = await bundleEntry(NODE, here("cases/main.ts"), folder, flags);
  const { CASES } = await import(`file://${runner}`);
  return CASES;
}

async function runOn(
  deployment: Deployment,
  folder: string,
  cases: readonly Case[],
): Promise<Count> {
  const startedAt = performance.now();
  await using origin = await startOrigin();
  await using server = await start(deployment, folder, origin.url);
  const port = Number(new URL(server.url).port);
  const border: Border = {
    ...deployment,
    origin,
    ask: (path, ...lines) => ask(port, path, lines),
    connect: (text) => connect(port, text),
    async logged(act) {
      const before = server.printed().length;
      await act();
      await new Promise((resolve) => setTimeout(resolve, LOG_MS));
      return withoutTakenBack(server.printed().slice(before)).trim();
    },
  };
  const count: Count = { passed: 0, failed: 0, gaps: 0 };
  for (const one of cases) {
    if (one.applies?.(border) === false) continue;
    origin.isDown = false;
    const error = await failureOf(one, border);
    const isGap = GAPS.some(({ test, on }) => test === one.name && on?.(deployment) !== false);
    if (error === undefined && !isGap) count.passed++;
    else if (error !== undefined && isGap) count.gaps++;
    else {
      count.failed++;
      const why = error ?? "passes, so take it off GAPS";
      console.error(`${deployment.name}: ${one.name}\n${why}\n`);
    }
  }
  const ms = Math.round(performance.now() - startedAt);
  const { passed, failed, gaps } = count;
  console.log(`${deployment.name}: ${passed} passed, ${failed} failed, ${gaps} gaps, ${ms} ms`);
  return count;
}

function withoutTakenBack(log: string): string {
  const lines = log.split("\n");
  for (let at; (at = lines.indexOf(TAKEN_BACK)) >= 0;) {
    lines.splice(at, 1);
    lines.splice(lines.findIndex((line) => line.startsWith(UNHANDLED)), 1);
  }
  return lines.join("\n");
}

/** Returns why a case fails; undefined if it passes. */
async function failureOf({ fn }: Case, border: Border): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Still running after ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    await Promise.race([fn(border), limit]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.stack ?? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--only");
  const names = at < 0 ? Deno.args : Deno.args.toSpliced(at, 2);
  const { passed, failed } = await runWorkerd(names, at < 0 ? "" : Deno.args[at + 1] ?? "");
  console.log(`${passed} passed, ${failed} failed`);
  Deno.exit(failed > 0 ? 1 : 0);
}
