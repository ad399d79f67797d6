/**
 * Weighs the bundle that users put on Workers, and fails if it is larger than size.json says: a
 * commit that makes it larger must say for what, and write the new sizes:
 *
 *     deno run -A tests/pack/size.ts [--write]
 *
 * Also fails if something in the bundle is left to be found on Workers, as `nodejs_compat` would.
 */
import { output } from "../runtimes/child.ts";
import { complaint, count, type Size } from "./ratchet.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SIZES = new URL("size.json", import.meta.url);
const LIMIT_MS = 120_000;
// Another version of either gives other sizes.
const ESBUILD = "esbuild@0.28.2";
const LRU_CACHE = "lru-cache@11.5.3";

const FLAGS = [
  ...["--bundle", "--minify", "--format=esm", "--log-level=error"],
  ...["--platform=browser", "--conditions=workerd,worker,browser"],
];

interface Entry {
  readonly code: string;
  readonly flags: readonly string[];
}

const ENTRIES: Readonly<Record<string, Entry>> = {
  "mod.ts without lru-cache": {
    code: 'export * from "./mod.ts";',
    flags: ["--external:lru-cache"],
  },
  "mod.ts with lru-cache": { code: 'export * from "./mod.ts";', flags: [] },
  "Circuit alone": { code: 'export { Circuit, CircuitOpenError } from "./mod.ts";', flags: [] },
};

/** Bundles everything for Workers. */
export async function sizes(): Promise<Record<string, Size>> {
  const folder = await Deno.makeTempDir({ prefix: "breaker-size-" });
  try {
    await fill(folder);
    const found: Record<string, Size> = {};
    for (const [name, entry] of Object.entries(ENTRIES)) found[name] = await weigh(folder, entry);
    return found;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes a package as users install it: it says that its modules have no side effects. */
async function fill(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module", "sideEffects": false }');
  await Deno.copyFile(`${ROOT}mod.ts`, `${folder}/mod.ts`);
  await copyFolder(`${ROOT}src`, `${folder}/src`);
  const flags = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts"];
  await output({
    command: "npm",
    args: ["install", ...flags, ESBUILD, LRU_CACHE],
    cwd: folder,
    limitMs: LIMIT_MS,
  });
}

async function weigh(folder: string, { code, flags }: Entry): Promise<Size> {
  await Deno.writeTextFile(`${folder}/entry.js`, code);
  await output({
    command: `${folder}/node_modules/.bin/esbuild`,
    args: ["entry.js", ...FLAGS, ...flags, "--metafile=meta.json", "--outfile=bundle.js"],
    cwd: folder,
    limitMs: LIMIT_MS,
  });
  const { outputs } = JSON.parse(await Deno.readTextFile(`${folder}/meta.json`));
  const left = outputs["bundle.js"].imports.map(({ path }: { path: string }) => path)
    .filter((path: string) => !flags.includes(`--external:${path}`));
  if (left.length > 0) throw new Error(`Workers cannot import ${left.join(", ")}`);
  const { size } = await Deno.stat(`${folder}/bundle.js`);
  return { minified: size, gzip: await gzipped(`${folder}/bundle.js`) };
}

/** Returns the bytes of a file after gzip. Node compresses best, and those who have npm have it. */
export async function gzipped(file: string): Promise<number> {
  const code = 'console.log(require("zlib").gzipSync(require("fs").readFileSync(' +
    "process.argv[1]), { level: 9 }).length)";
  return Number(await output({ command: "node", args: ["-e", code, file], limitMs: LIMIT_MS }));
}

/** Copies a folder with all that is in it. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

if (import.meta.main) {
  const now = await sizes();
  if (Deno.args.includes("--write")) {
    await Deno.writeTextFile(SIZES, `${JSON.stringify(now, null, 2)}\n`);
  }
  const allowed: Record<string, Size> = JSON.parse(await Deno.readTextFile(SIZES));
  const complaints: string[] = [];
  for (const [name, size] of Object.entries(now)) {
    console.log(`${name}: ${count(size.gzip)} bytes with gzip, ${count(size.minified)} without`);
    const wrong = complaint(name, size, allowed[name]);
    if (wrong !== undefined) complaints.push(wrong);
  }
  for (const text of complaints) console.error(`\n${text}`);
  Deno.exit(complaints.length === 0 ? 0 : 1);
}
