/**
 * Runs the whole gate, step by step, to the end even if a step fails. The last line it prints is
 * `N passed, N failed`: each test counts, and each other step counts as one.
 */

import { stdFlags } from "./std/flag.ts";

interface Step {
  readonly name: string;
  /** Arguments for `deno`. */
  readonly args: readonly string[];
  /** Files that must exist: without them the step would pass without checking anything. */
  readonly needs?: readonly string[];
  /** Counts each of its tests, not the step. */
  readonly hasTests?: boolean;
  /** May run forever once it has printed that it is listening. */
  readonly mayServe?: boolean;
  readonly limitMs?: number;
}

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const ENTRIES = ["mod.ts", "src/adapters/hono.ts", "src/testing.ts"];

const STEPS: readonly Step[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check", ...await stdFlags()] },
  { name: "bench types", args: ["check", "--config", "tests/bench/deno.json", "tests/bench"] },
  {
    name: "boundary types",
    args: ["check", "--config", "tests/boundary/cases/deno.json", "tests/boundary/cases"],
  },
  { name: "bench packages", args: ["run", "-A", "tests/bench/apart.ts"] },
  { name: "doc comments", args: ["doc", "--lint", ...ENTRIES] },
  {
    name: "publish",
    args: ["publish", "--dry-run", "--allow-dirty"],
    needs: ["README.md", "LICENSE"],
  },
  { name: "tests", args: ["task", "test"], needs: ["README.md"], hasTests: true },
  { name: "hono 4.6", args: ["run", "-A", "tests/adapters/oldest.ts"], hasTests: true },
  { name: "bundle size", args: ["run", "-A", "tests/pack/size.ts"] },
  { name: "npm package", args: ["run", "-A", "tests/pack/check.ts"] },
  { name: "runtimes", args: ["task", "runtimes"] },
  { name: "boundary", args: ["task", "boundary"], hasTests: true },
  { name: "demo", args: ["task", "demo", "--once"] },
  ...await exampleSteps(),
];

const LIMIT_MS = 600_000;
/** How long a server must stay up after it has printed that it is listening. */
const SERVES_MS = 3_000;
const LISTENS = /listening on/i;

// deno-lint-ignore no-control-regex
const ANSI = /\x1b\[[0-9;]*m/g;
/** The last line of `deno test`. */
const SUMMARY = /\| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/g;

const lines: string[] = [];
const total = { passed: 0, failed: 0 };
for (const step of STEPS) {
  console.log(`\n── ${step.name} ${"─".repeat(Math.max(0, 60 - step.name.length))}`);
  const startedAt = performance.now();
  const { passed, failed } = await run(step);
  const secs = ((performance.now() - startedAt) / 1_000).toFixed(1);
  lines.push(`${failed === 0 ? "ok    " : "FAILED"}  ${step.name} (${passed} passed, ${secs} s)`);
  total.passed += passed;
  total.failed += failed;
}
console.log(`\n${lines.join("\n")}\n\n${total.passed} passed, ${total.failed} failed`);
Deno.exit(total.failed === 0 ? 0 : 1);

async function run(step: Step): Promise<Count> {
  const { success, said } = await call(step);
  const missing = (step.needs ?? []).filter((path) => !exists(path));
  if (missing.length > 0) console.log(`Missing: ${missing.join(", ")}`);
  const ok = success && missing.length === 0;
  if (!step.hasTests) return { passed: +ok, failed: +!ok };
  const { passed, failed } = testCount(said);
  return { passed, failed: ok ? failed : Math.max(failed, 1) };
}

/** Without a summary, the run itself failed. */
function testCount(said: string): Count {
  const summary = [...said.replaceAll(ANSI, "").matchAll(SUMMARY)].at(-1);
  return { passed: Number(summary?.[1] ?? 0), failed: Number(summary?.[2] ?? 1) };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Runs a step, passing on what it prints. */
async function call(step: Step): Promise<{ success: boolean; said: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...step.args],
    env: {
      ...Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : {},
      ...step.mayServe ? { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" } : {},
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limitMs = step.limitMs ?? LIMIT_MS;
  const limit = setTimeout(() => {
    console.log(`Not finished after ${limitMs / 1_000} s`);
    child.kill();
  }, limitMs);
  let serving: ReturnType<typeof setTimeout> | undefined;
  let serves = false;
  const hear = (said: string) => {
    if (!step.mayServe || !LISTENS.test(said)) return;
    serving ??= setTimeout(() => {
      serves = true;
      child.kill();
    }, SERVES_MS);
  };

  const [said] = await Promise.all([
    passOn(child.stdout, Deno.stdout, hear),
    passOn(child.stderr, Deno.stderr, hear),
  ]);
  const { success } = await child.status;
  clearTimeout(limit);
  clearTimeout(serving);
  return { success: success || serves, said };
}

async function passOn(
  from: ReadableStream<Uint8Array>,
  to: { writeSync(bytes: Uint8Array): number },
  hear: (said: string) => void,
): Promise<string> {
  const decoder = new TextDecoder();
  let said = "";
  for await (const bytes of from) {
    said += decoder.decode(bytes, { stream: true });
    hear(said);
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(to.writeSync(rest));
  }
  return said;
}

/** Makes a step for each file in examples/; the types step checks the files in its subfolders. */
async function exampleSteps(): Promise<Step[]> {
  const paths: string[] = [];
  try {
    for await (const { name } of Deno.readDir("examples")) {
      if (name.endsWith(".ts")) paths.push(`examples/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (paths.length === 0) paths.push("examples/*.ts");
  return paths.sort().map((path) => ({
    name: path,
    args: ["run", "-A", path],
    mayServe: true,
    limitMs: 60_000,
  }));
}
