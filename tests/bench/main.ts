/** Measures what a call through a circuit costs; `--help` says how. */
import { output } from "../runtimes/child.ts";
import { WORKERD_VERSION } from "../runtimes/runtimes.ts";
import { writeTable } from "./costs.ts";
import { type Figure, short, spread, subjects, table, type Verdict, verdicts } from "./figures.ts";
import { HTTP_LINES, overHttp } from "./http.ts";
import { LINES } from "./lines.ts";
import { memory } from "./memory.ts";
import { Progress } from "./progress.ts";
import { type Effort, onRound, type Samples } from "./rounds.ts";
import { type Runtime, runtime } from "./runtime.ts";
import { type LineResult, type RuntimeResult, summary } from "./summary.ts";
import { unused } from "./unused.ts";
import { type Order, OrderError, orderFrom, USAGE } from "./usage.ts";
import { importing, size } from "./weight.ts";
import { keepOnWorkerd } from "./workerd.ts";

const LIMIT_MS = 240_000;
const RESULT = new URL("../../dist/bench.json", import.meta.url);
const TABLE = new URL("../../dist/bench.md", import.meta.url);

/** Only one line is printed over and over; its results follow on stdout. */
const SCREEN = {
  isTerminal: Deno.stderr.isTerminal(),
  // A terminal that does not know its width says 0.
  columns: (Deno.stderr.isTerminal() && Deno.consoleSize().columns) || 80,
  print: (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text)),
};

const { lines, runtimes, isQuick, writes } = ordered();
if (runtimes.length === 0) {
  await writeTable({});
  Deno.exit();
}
const folder = await Deno.makeTempDir({ prefix: "breaker-bench-" });
const results: Record<string, RuntimeResult> = {};
const shortfalls: string[] = [];
try {
  console.log(`${navigator.hardwareConcurrency} cores, ${Deno.build.os} ${Deno.build.arch}`);
  console.log(`against ${(await peerVersions()).join(", ")}`);
  for (const name of runtimes) {
    if (name === "workerd") await measureOnWorkerd();
    else await measureOn(await runtime(name, folder));
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
if (writes) await writeTable(results);
await Deno.mkdir(new URL(".", RESULT), { recursive: true });
await Deno.writeTextFile(RESULT, JSON.stringify(results, null, 2));
await Deno.writeTextFile(TABLE, `${summary(results)}\n`);
console.log(`\nTargets that fall short: ${shortfalls.length}`);
for (const shortfall of shortfalls) console.log(shortfall);
// Do not wait for kept-alive connections.
Deno.exit();

async function measureOn(on: Runtime): Promise<void> {
  const measured: Record<string, LineResult> = {};
  for (const name of lines) {
    measured[name] = await lineOn(on, name, (progress) => measure(name, on, progress));
  }
  results[on.name] = { version: on.version, lines: measured };
}

/** A Worker cannot report its CPU and memory: from outside, only the first byte can be timed. */
async function measureOnWorkerd(): Promise<void> {
  const on = { name: "workerd", version: WORKERD_VERSION };
  const keep = await lineOn(on, "keep", () => keepOnWorkerd(folder, isQuick ? 10 : 62));
  results[on.name] = { version: on.version, lines: { keep } };
}

/** Measures one line, and prints the results. */
async function lineOn(
  on: Pick<Runtime, "name" | "version">,
  name: string,
  measured: (progress: Progress) => Promise<Samples>,
): Promise<LineResult> {
  const { title, note, measures } = LINES[name]!;
  const startedAt = performance.now();
  const progress = new Progress(`${name} on ${on.name}`, measures, SCREEN);
  onRound(progress.round);
  const samples = await measured(progress);
  progress.end();
  const reached = verdicts(LINES[name]!, samples, on.name);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(`\n# ${name} on ${on.name} ${on.version}: ${title} (${seconds} s)`);
  if (note !== undefined) console.log(note);
  report(samples, reached);
  for (const { met, measured, what, verdict } of reached) {
    if (measured && !met) shortfalls.push(`${on.name} ${name}: ${what}: ${verdict}`);
  }
  return { figures: figuresOf(samples), verdicts: reached };
}

async function measure(name: string, on: Runtime, progress: Progress): Promise<Samples> {
  const effort: Effort = { rounds: isQuick ? 24 : 120, roundMs: 3 };
  if (name === "memory") return await memory(on, isQuick);
  if (name === "size") return await size(folder);
  if (name === "import") return await importing(on, folder, isQuick ? 5 : 15);
  if (name === "unused") return await unused(on, folder, effort, () => progress.hearing());
  if (name in HTTP_LINES) return await overHttp(name, on, isQuick);
  const printed = await output({
    ...await on.command("script.ts", name, JSON.stringify(effort)),
    heardStderr: progress.hearing(),
    limitMs: LIMIT_MS,
  });
  return JSON.parse(printed.slice(printed.lastIndexOf("\n") + 1));
}

function report(samples: Samples, reached: readonly Verdict[]): void {
  for (const [measure, sample] of Object.entries(samples)) {
    const all = subjects(sample);
    const floor = all[0]?.[0] ?? "";
    const rows = all.map(([name, own, times]) => [name, short(own.median), spread(times)]);
    console.log(`\n${table([[measure, "median", `x ${floor}`], ...rows])}`);
  }
  if (reached.length === 0) return;
  const rows = reached.map(({ what, figure, target, verdict }) => [
    what,
    spread(figure),
    target,
    verdict,
  ]);
  console.log(`\n${table([["target", "reached", "asked", ""], ...rows])}`);
}

function figuresOf(
  samples: Samples,
): Record<string, Record<string, { own: Figure; times: Figure }>> {
  return Object.fromEntries(
    Object.entries(samples).map(([measure, sample]) => [
      measure,
      Object.fromEntries(subjects(sample).map(([name, own, times]) => [name, { own, times }])),
    ]),
  );
}

/** Reads the versions in the imports of peers.ts. */
async function peerVersions(): Promise<string[]> {
  const sources = await Promise.all(
    ["peers.ts", "server.ts", "undici.ts"].map((file) =>
      Deno.readTextFile(new URL(file, import.meta.url))
    ),
  );
  return [...sources.join("").matchAll(/"npm:((?:@\w+\/)?[\w-]+)@([\d.]+)"/g)].map(
    ([, name, version]) => `${name} ${version}`,
  );
}

/** Reads the arguments, and ends the program where they ask for nothing that can be measured. */
function ordered(): Order {
  try {
    const order = orderFrom(Deno.args);
    if (order !== undefined) return order;
    console.log(USAGE);
    Deno.exit(0);
  } catch (error) {
    if (!(error instanceof OrderError)) throw error;
    console.error(`${error.message}\nSee deno task bench --help`);
    Deno.exit(2);
  }
}
