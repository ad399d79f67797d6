/**
 * Stands in for `Deno.test` on other runtimes: collects the tests of a bundle, runs them one after
 * another, and prints one line of JSON for each step.
 *
 * It is the first module of a bundle, in which bundling replaces `Deno.test` by {@link collect}.
 * There is no global `Deno`, because the code under test checks for it to see where it runs.
 */

/** A line that a run prints after {@link MARK}. */
export type Line =
  | { readonly type: "start"; readonly name: string }
  | { readonly type: "passed"; readonly name: string }
  | { readonly type: "failed"; readonly name: string; readonly error: string }
  | { readonly type: "left_out"; readonly name: string }
  | { readonly type: "ignored"; readonly name: string }
  | { readonly type: "done"; readonly portable: number; readonly own: number };

/** Begins every line that is meant for the runner. */
export const MARK = "@@runtimes ";

type Body = (context: Context) => void | Promise<void>;

interface Definition {
  readonly name: string;
  readonly fn: Body;
  readonly ignore?: boolean;
}

interface Context {
  readonly name: string;
  step(...args: unknown[]): Promise<boolean>;
}

interface Collected extends Definition {
  readonly file: string;
  /** True if only this runtime has the test. */
  readonly own: boolean;
}

/** The tests left out on this runtime; set when the bundle is made. */
declare const LEFT_OUT: readonly string[];

/** A test that takes longer counts as hanging. */
const LIMIT_MS = 60_000;

// Tests replace these; the run needs the real ones.
const { setTimeout, clearTimeout } = globalThis;
const print = console.log.bind(console);

/** Globals that tests replace and must restore: here all tests share one realm. */
const shared = [
  ...["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "fetch"].map((key) =>
    [globalThis, key] as const
  ),
  [Date, "now"] as const,
  [AbortSignal, "timeout"] as const,
].map(([holder, key]) => ({ holder, key, value: Reflect.get(holder, key) }));

const tests: Collected[] = [];
/** Unhandled rejections, by promise. */
const stray = new Map<unknown, unknown>();
let file = "";

/** Sets the file that the next tests come from. */
export function from(name: string): void {
  file = name;
}

/** `Deno.test`, in every form that defines one test. */
export function collect(...args: unknown[]): void {
  tests.push({ ...definition(args), file, own: false });
}
collect.ignore = (...args: unknown[]): void => {
  tests.push({ ...definition(args), file, own: false, ignore: true });
};
Object.assign(globalThis, { collectTest: collect });

/** Adds a test for this runtime only. */
export function collectOwn(name: string, fn: () => void | Promise<void>): void {
  tests.push({ name, fn, file, own: true });
}

/** Runs the collected tests. */
export async function runAll(): Promise<void> {
  hearStray();
  for (const test of tests) await runOne(test);
  const own = tests.filter((test) => test.own).length;
  say({ type: "done", portable: tests.length - own, own });
}

/** Makes an unhandled rejection fail the running test, as in Deno. */
function hearStray(): void {
  globalThis.addEventListener?.("unhandledrejection", (event) => {
    // edge-runtime's event is not an Event.
    event.preventDefault?.();
    stray.set(event.promise, event.reason);
  });
  // Workers from before 2026 report a rejection at once, and take it back a microtask later.
  globalThis.addEventListener?.("rejectionhandled", ({ promise }) => stray.delete(promise));
  const { process } = globalThis as { process?: { on?: typeof onProcess } };
  process?.on?.("unhandledRejection", (reason, promise) => stray.set(promise, reason));
}

declare function onProcess(
  type: "unhandledRejection",
  heard: (reason: unknown, promise: Promise<unknown>) => void,
): void;

async function runOne(test: Collected): Promise<void> {
  const { name } = test;
  if (LEFT_OUT.includes(name)) return say({ type: "left_out", name });
  if (test.ignore) return say({ type: "ignored", name });
  say({ type: "start", name });
  try {
    await inTime(test);
    // One turn of the event loop, so that an unhandled rejection counts for its own test.
    await new Promise((resolve) => setTimeout(resolve, 0));
    for (const reason of stray.values()) throw reason;
    const left = putBack();
    if (left.length > 0) throw new Error(`The test leaves ${left.join(", ")} replaced`);
    say({ type: "passed", name });
  } catch (error) {
    say({ type: "failed", name, error: `${test.file}\n${text(error)}` });
    putBack();
  }
  stray.clear();
}

/** Restores the shared globals; returns the names of those that were replaced. */
function putBack(): string[] {
  return shared.flatMap(({ holder, key, value }) => {
    if (Reflect.get(holder, key) === value) return [];
    Reflect.set(holder, key, value);
    return [key];
  });
}

async function inTime({ name, fn }: Definition): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Still running after ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    await Promise.race([runBody(name, fn), limit]);
  } finally {
    clearTimeout(timer);
  }
}

async function runBody(name: string, fn: Body): Promise<void> {
  const failures: string[] = [];
  const step = async (...args: unknown[]) => {
    const inner = definition(args);
    if (inner.ignore) throw new Error(`Step is ignored: ${inner.name}`);
    try {
      await runBody(inner.name, inner.fn);
      return true;
    } catch (error) {
      failures.push(`step ${inner.name}: ${text(error)}`);
      return false;
    }
  };
  await fn({ name, step });
  if (failures.length > 0) throw new Error(failures.join("\n"));
}

function definition(args: readonly unknown[]): Definition {
  const named: Partial<Definition> = Object.assign({}, ...args.map(part));
  const { fn, ignore = false } = named;
  const name = named.name ?? fn?.name;
  if (!fn || !name) throw new TypeError("Cannot collect a test without a name and a function");
  if ("only" in named && named.only) throw new TypeError(`Cannot run only one test: ${name}`);
  return { name, fn, ignore };
}

function part(arg: unknown): Partial<Definition> {
  if (typeof arg === "string") return { name: arg };
  if (typeof arg === "function") return { fn: arg as Body };
  return arg as Partial<Definition>;
}

/** Formats an error with its stack of functions, without their useless positions in the bundle. */
function text(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const frames = (error.stack ?? "").replace(error.message, "").split("\n")
    .map((line) => /^\s+at (?:async )?([^\s(<]+) \(/.exec(line)?.[1])
    .filter((name) => name !== undefined);
  const ours = frames.indexOf(runBody.name);
  const way = ours < 0 ? frames : frames.slice(0, ours);
  return [`${error.name}: ${error.message}`, ...way.map((name) => `    at ${name}`)].join("\n");
}

function say(line: Line): void {
  print(MARK + JSON.stringify(line));
}
