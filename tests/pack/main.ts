/**
 * Makes the npm package as a folder and a tarball in `dist/`: the output of `deno pack`, completed
 * with what deno.json cannot say. The last line it prints is the tarball's path.
 */

import { output } from "../runtimes/child.ts";
import { npmReadme } from "./readme.ts";

const ROOT = new URL("../../", import.meta.url);
const DIST = new URL("dist/", ROOT);
const FOLDER = new URL("package/", DIST);
const LIMIT_MS = 120_000;
const REPOSITORY = "https://github.com/lastgood/breaker";

/** Fields of package.json that deno.json cannot express. */
const COMPLETION = {
  description:
    "A circuit breaker for Web-standard requests and responses that serves the last good answer",
  keywords: [
    "circuit-breaker",
    "fetch",
    "hono",
    "cache",
    "stale-if-error",
    "resilience",
    "cloudflare-workers",
    "deno",
    "bun",
    "edge",
  ],
  repository: { type: "git", url: `git+${REPOSITORY}.git` },
  bugs: { url: `${REPOSITORY}/issues` },
  homepage: `${REPOSITORY}#readme`,
  sideEffects: false,
  engines: { node: ">=20" },
  peerDependencies: { hono: ">=4" },
  peerDependenciesMeta: { hono: { optional: true } },
};

/** Makes the package, and returns the path of its tarball. */
export async function pack(): Promise<string> {
  await Deno.mkdir(DIST, { recursive: true });
  await remove(FOLDER);
  const raw = new URL("raw.tgz", DIST).pathname;
  // Allow uncommitted changes, and leave out the source maps: the sources are in the repository.
  const flags = ["--allow-dirty", "--no-source-maps", "--output", raw];
  await output({
    command: Deno.execPath(),
    args: ["pack", ...flags],
    cwd: ROOT,
    limitMs: LIMIT_MS,
  });
  await output({ command: "tar", args: ["-xzf", raw], cwd: DIST, limitMs: LIMIT_MS });
  await Deno.remove(raw);

  await rewrite("package.json", (text) => {
    const manifest = { ...JSON.parse(text), ...COMPLETION };
    return `${JSON.stringify(manifest, null, 2)}\n`;
  });
  await rewrite("README.md", (text) => npmReadme(text, REPOSITORY));
  for (const file of ["LICENSE", "mod.js", "mod.d.ts"]) await Deno.stat(new URL(file, FOLDER));
  const [packed] = JSON.parse(
    await output({
      command: "npm",
      args: ["pack", "--json", "--ignore-scripts"],
      cwd: FOLDER,
      limitMs: LIMIT_MS,
    }),
  );
  const tarball = new URL(packed.filename, DIST);
  await Deno.rename(new URL(packed.filename, FOLDER), tarball);
  return tarball.pathname;
}

async function rewrite(file: string, change: (text: string) => string): Promise<void> {
  const url = new URL(file, FOLDER);
  await Deno.writeTextFile(url, change(await Deno.readTextFile(url)));
}

async function remove(folder: URL): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

if (import.meta.main) console.log(await pack());
