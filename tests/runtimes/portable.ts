/** A test that cannot run on a runtime. */
export interface LeftOut {
  /** A runtime's name, or the start of several: `node` means `node20`, `node22` and `node24`. */
  readonly runtime: string;
  /** The full name of the test. */
  readonly test: string;
  readonly reason: string;
}

/** Tests that cannot run on some runtime. The run fails if one is missing, so no entry goes stale. */
export const LEFT_OUT: readonly LeftOut[] = [
  ...[
    "K2: compress outside, c.text: each client gets what it can decode",
    "K2: compress outside, Response: each client gets what it can decode",
    "K2: compress inside, c.text: each client gets what it can decode",
    "K2: compress inside, Response: each client gets what it can decode",
  ].map((test) => ({ runtime: "edge-runtime", test, reason: "it has no CompressionStream" })),
  ...[
    "34: a copied answer in one piece can be read into a reader's own buffers",
    "34: a copied answer in a stream can be read into a reader's own buffers",
    "34: a stale answer can be read into a reader's own buffers, its clone, too",
    "34: a reader with buffers waits, gets errors and cancels as any other",
    "34: a reader with buffers leaves the chunks of others alone",
    "34: a body can be read by one kind of reader after the other",
  ].map((test) => ({
    runtime: "bun",
    test,
    reason: "it has no such readers for fetched bodies",
  })),
];

/** Paths in `tests/` that other runtimes skip. All other `*_test.ts` files run on every runtime. */
export const DENO_ONLY: readonly { readonly path: string; readonly reason: string }[] = [
  { path: "adapters/copies_test.ts", reason: "imports modules twice" },
  { path: "architecture_test.ts", reason: "reads the source files" },
  { path: "bench/", reason: "measures, does not test" },
  { path: "boundary/", reason: "starts servers" },
  { path: "costs_test.ts", reason: "reads docs" },
  { path: "docs_test.ts", reason: "reads docs, source and test files" },
  { path: "examples", reason: "starts programs" },
  { path: "last_good/attacks/scan_test.ts", reason: "20,000 calls: as the next one" },
  { path: "last_good/soak_test.ts", reason: "a million keys: half a minute on each runtime" },
  { path: "runtimes/", reason: "the runners, and tests for one runtime" },
  { path: "std/flag_test.ts", reason: "runs a script" },
];

/** For working on one test: limits the run to files whose path contains this. */
export const ONLY = Deno.env.get("ONLY") ?? "";

/** Returns the tests that are left out on a runtime. */
export function leftOutOn(runtime: string): LeftOut[] {
  return LEFT_OUT.filter((entry) => runtime.startsWith(entry.runtime));
}

/** Finds the test files that every runtime must run, in the order of their paths. */
export async function portableTests(): Promise<string[]> {
  return (await testFiles(new URL("../", import.meta.url), ""))
    .filter(({ path }) => !DENO_ONLY.some((entry) => path.startsWith(entry.path)))
    .map(({ url }) => url);
}

/** Finds the test files that only workerd runs. */
export async function workerdTests(): Promise<string[]> {
  return (await testFiles(new URL("./workerd/", import.meta.url), "")).map(({ url }) => url);
}

async function testFiles(folder: URL, prefix: string): Promise<{ path: string; url: string }[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const found = await Promise.all(entries.map(({ name, isDirectory }) => {
    const path = prefix + name;
    if (isDirectory) return testFiles(new URL(`${name}/`, folder), `${path}/`);
    const { href } = new URL(name, folder);
    return name.endsWith("_test.ts") && href.includes(ONLY) ? [{ path, url: href }] : [];
  }));
  return found.flat().sort((a, b) => a.path < b.path ? -1 : 1);
}
