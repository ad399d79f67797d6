import { bundle, lower, standIns, type Target } from "./bundle.ts";
import { type Finished, run } from "./child.ts";
import { type Line, MARK } from "./collector.ts";
import { leftOutOn, portableTests } from "./portable.ts";
import type { Runtime } from "./runtimes.ts";

/** The results of a run on one runtime. */
export interface Result {
  readonly runtime: string;
  readonly version: string;
  /** The number of portable tests it found; undefined if it runs none. */
  readonly portable: number | undefined;
  /** The number of tests it found that only it runs. */
  readonly own: number;
  readonly passed: number;
  readonly failed: number;
  readonly leftOut: number;
  readonly ms: number;
  /** Reasons why the run failed or cannot be trusted; empty if all is well. */
  readonly problems: readonly string[];
}

const LIMIT_MS = 240_000;
/** Printed when all tests have run. */
export const DONE = `${MARK}{"type":"done"`;
/** Deno's output for each test. */
const DOT = /^[.,!]$/;
const SUMMARY = /\| (\d+) passed.* \| (\d+) failed(?:.*\| (\d+) ignored)?/;

/** Runs the portable tests without a bundle. The other runtimes must find as many. */
export async function denoResult(): Promise<Result> {
  const args = [
    "test",
    "-A",
    "--no-check",
    "--reporter=dot",
    ...await standIns(),
    ...await portableTests(),
  ];
  const finished = await run({ command: Deno.execPath(), args, limitMs: LIMIT_MS });
  const [passed = 0, failed = 0, ignored = 0] = SUMMARY.exec(finished.stdout)?.slice(1)
    .map((count) => Number(count ?? 0)) ?? [];

  const problems: string[] = [];
  if (ignored > 0) problems.push(`${ignored} tests are ignored`);
  const broken = finished.late || finished.code !== 0;
  if (broken) problems.push(account(finished));
  return {
    runtime: "deno",
    version: Deno.version.deno,
    portable: passed + failed + ignored,
    own: 0,
    passed,
    failed: broken ? Math.max(failed, 1) : failed,
    leftOut: 0,
    ms: finished.ms,
    problems,
  };
}

/** Runs the bundled tests on another runtime. */
export async function bundledResult(
  { name, target, prepare }: Runtime,
  folder: string,
): Promise<Result> {
  const { version, start } = await prepare();
  const leftOut = leftOutOn(name).map((entry) => entry.test);
  const file = `${folder}/${name}.${target.format === "esm" ? "mjs" : "js"}`;
  await lower(await bundled(target, folder), file, target.format, leftOut);
  const program = await start(file);
  const finished = await run({ ...program, cwd: folder, limitMs: LIMIT_MS, until: DONE });
  return { runtime: name, version, ms: finished.ms, ...counted(finished, leftOut) };
}

const bundles = new Map<Target, Promise<string>>();

function bundled(target: Target, folder: string): Promise<string> {
  const known = bundles.get(target) ?? bundle(target, folder);
  bundles.set(target, known);
  return known;
}

function counted(finished: Finished, leftOut: readonly string[]) {
  const lines = linesOf(finished.stdout + finished.stderr);
  const names = (type: Line["type"]) =>
    lines.flatMap((line) => line.type === type && "name" in line ? [line.name] : []);
  const done = lines.find((line) => line.type === "done");
  const { portable, own } = done ?? { portable: 0, own: 0 };
  const passed = names("passed").length;
  // A test that was running when the program exited early has failed, too.
  const failed = names("failed").length + (done ? 0 : 1);

  const problems = lines.flatMap((line) =>
    line.type === "failed" ? [`failed: ${line.name}\n${line.error}`] : []
  );
  for (const name of names("ignored")) problems.push(`ignored without a reason: ${name}`);
  for (const name of leftOut) {
    if (!names("left_out").includes(name)) problems.push(`left out, but not found: ${name}`);
  }
  if (!done) {
    const running = names("start").at(-1) ?? "none";
    problems.push(`the last test was: ${running}\n${account(finished)}`);
  } else if (finished.late || finished.code !== 0) {
    problems.push(account(finished));
  } else if (
    passed + failed + names("left_out").length + names("ignored").length !== portable + own
  ) {
    problems.push(`found ${portable + own} tests, but did not run them all`);
  }
  return { portable, own, passed, failed, leftOut: names("left_out").length, problems };
}

/** Finds the lines for the runner in what a program printed. */
export function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf(MARK);
    return at < 0 ? [] : [JSON.parse(line.slice(at + MARK.length)) as Line];
  });
}

/** Describes how the program ended, and what else it printed. */
export function account({ late, code, stdout, stderr }: Finished): string {
  const ending = late ? `still running after ${LIMIT_MS} ms` : `ended with code ${code}`;
  const printed = `${stdout}\n${stderr}`.split("\n").filter((line) =>
    !line.includes(MARK) && !DOT.test(line)
  );
  return `${ending}\n${printed.join("\n").trim()}`;
}
