/** Compares the whole library with builds that lack a feature which nobody uses. */
import { copyFolder } from "../pack/size.ts";
import { output } from "../runtimes/child.ts";
import { FEATURES } from "./features.ts";
import type { Effort, Sample, Samples } from "./rounds.ts";
import { bundle, type Runtime } from "./runtime.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const LIMIT_MS = 90_000;

/** Line 6: unused features. Each is measured in a process of its own. */
export async function unused(
  on: Runtime,
  folder: string,
  effort: Effort,
  listener: () => (text: string) => void,
): Promise<Samples> {
  const whole = await build(folder, "whole", {});
  // The same once more shows how much of a difference says nothing.
  const again = await build(folder, "whole-again", {});
  const samples: Samples = {};
  for (const [name, { options, stubs }] of Object.entries(FEATURES)) {
    const without = await build(folder, "without", stubs);
    const builds = { whole, "whole, again": again, without };
    const own = await timed(on, { builds, options, effort }, listener);
    for (const [path, sample] of Object.entries(own)) {
      samples[`${path}, no ${name}`] = undisturbed(sample);
    }
  }
  return samples;
}

/** What unused_calls.ts is to time. */
export interface Task {
  /** Paths of bundles of mod.ts, by name. */
  readonly builds: Readonly<Record<string, string>>;
  readonly options: object;
  readonly effort: Effort;
}

/**
 * Times the builds in as many processes as there are, each with another one as the first: engines
 * favour some, on Bun by a fifth.
 */
async function timed(
  on: Runtime,
  { builds, options, effort }: Task,
  listener: () => (text: string) => void,
): Promise<Samples> {
  const samples: Samples = {};
  const order = Object.entries(builds);
  const rounds = Math.ceil(effort.rounds / order.length);
  for (const _ of order.slice()) {
    order.push(order.shift()!);
    const task: Task = {
      builds: Object.fromEntries(order),
      options,
      effort: { ...effort, rounds },
    };
    const printed = await output({
      ...await on.command("unused_calls.ts", JSON.stringify(task)),
      heardStderr: listener(),
      limitMs: LIMIT_MS,
    });
    const own: Samples = JSON.parse(printed.slice(printed.lastIndexOf("\n") + 1));
    for (const [path, sample] of Object.entries(own)) {
      const all = samples[path] ??= {};
      for (const name of Object.keys(builds)) (all[name] ??= []).push(...sample[name]!);
    }
  }
  return samples;
}

/** Keeps the faster half of the rounds, in order: 3 % are less than what other programs add. */
function undisturbed(sample: Sample): Sample {
  return Object.fromEntries(
    Object.entries(sample).map(([name, ns]) => {
      const sorted = ns.toSorted((one, other) => one - other);
      return [name, sorted.slice(0, Math.ceil(ns.length / 2))];
    }),
  );
}

/** Bundles a copy of the library in which some modules are replaced. */
async function build(
  folder: string,
  name: string,
  stubs: Readonly<Record<string, string>>,
): Promise<string> {
  const copy = `${folder}/${name}`;
  await Deno.mkdir(copy, { recursive: true });
  await Deno.copyFile(`${ROOT}mod.ts`, `${copy}/mod.ts`);
  await copyFolder(`${ROOT}src`, `${copy}/src`);
  for (const [path, code] of Object.entries(stubs)) {
    await Deno.stat(`${copy}/${path}`);
    await Deno.writeTextFile(`${copy}/${path}`, code);
  }
  const file = `${folder}/${name}.mjs`;
  await bundle(`${copy}/mod.ts`, file, "deno");
  // Bun shares the code of files that are the same, which makes it serve two masters, and slow.
  const code = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, `export const build = "${name}";\n${code}`);
  return file;
}
