/**
 * Runs the cases with real servers and clients on every host, or on those whose names begin with an
 * argument; with `--only TEXT`, the cases whose names contain it:
 *
 *     deno run -A tests/boundary/main.ts [deno | node | node20 | bun | workerd …] [--only TEXT]
 *
 * The last line counts the cases as `deno test` does.
 */
import { HOSTS } from "./hosts.ts";
import { bundlePrograms, install } from "./install.ts";
import { type Result, resultOn } from "./result.ts";
import { resultOnWorkers, WORKERS } from "./workerd/main.ts";

const startedAt = performance.now();
const { chosen, hasWorkers, only } = parsed(Deno.args);
if (chosen.length > 0) {
  await install();
  await bundlePrograms();
}
const results = await inPairs(chosen.map((host) => () => resultOn(host, only)));
// After the others, as it runs two deployments at a time itself.
if (hasWorkers) results.push(await resultOnWorkers(only));
report(results);
Deno.exit(results.some(({ failed }) => failed > 0) ? 1 : 0);

function parsed(args: readonly string[]) {
  const at = args.indexOf("--only");
  const only = at < 0 ? "" : args[at + 1] ?? "";
  const names = at < 0 ? args : [...args.slice(0, at), ...args.slice(at + 2)];
  const all = [...HOSTS.map(({ name }) => name), WORKERS];
  const unknown = names.find((begin) => !all.some((name) => name.startsWith(begin)));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot run on "${unknown}" as it must be one of ${all.join(", ")}`);
  }
  const isChosen = (name: string) =>
    names.length === 0 || names.some((begin) => name.startsWith(begin));
  const chosen = HOSTS.filter(({ name }) => isChosen(name));
  return { chosen, hasWorkers: isChosen(WORKERS), only };
}

/** Runs two jobs at a time: more only get in each other's way. */
async function inPairs<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await jobs[index]!();
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

function report(results: readonly Result[]): void {
  for (const { host, problems } of results) {
    for (const problem of problems) console.error(`${host}: ${problem}\n`);
  }
  for (const { host, version, passed, failed, gaps, ms } of results) {
    const known = gaps === 0 ? "" : `, ${gaps} known gaps`;
    console.log(`${host} ${version}: ${passed} passed, ${failed} failed${known}, ${ms} ms`);
  }
  const sum = (of: (result: Result) => number) => results.reduce((all, one) => all + of(one), 0);
  const passed = sum((result) => result.passed);
  const failed = sum((result) => result.failed);
  const secs = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`boundary | ${passed} passed | ${failed} failed (${secs}s)`);
}
