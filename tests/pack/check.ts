/**
 * Installs the npm package in an empty folder, as a user would, and uses it. Prints one line per
 * check; the last line is `N passed, N failed`.
 */

import { output } from "../runtimes/child.ts";
import { node, tool } from "../runtimes/tool.ts";
import { pack } from "./main.ts";
import { leftovers, snippets } from "./readme.ts";

const LIMIT_MS = 120_000;
/** Errors are cut at this length: one may quote a whole bundle. */
const MAX_WHY = 2_000;
const TOOLS = ["typescript@5", "esbuild@0.28", "vite@6", "hono@4"];
/** In this order, because Bun's types need the latest of Node's. */
const RUNTIME_TYPES = ["@types/node@20", "@types/node@26", "@types/bun@1.4"];
const WELL = "all is well";
const ENTRIES = ["@lastgood/breaker", "@lastgood/breaker/hono", "@lastgood/breaker/testing"];

const USER_FILES = ["app.ts", "handlers.ts", "hono.ts"];
/** Code that Bun's own types must accept. Deno checks the files in user/, but lacks these types. */
const BUN = `import { breaker } from "@lastgood/breaker";
const api = breaker();
Bun.serve({
  routes: { "/:id": api.wrap((request: Bun.BunRequest<"/:id">) => new Response(request.params.id)) },
  fetch: api.wrap((request, server: Bun.Server<unknown>) => new Response(String(server.port))),
});`;

const BUNDLES: Record<string, { platform: string; conditions: string[]; builtins?: true }> = {
  browser: { platform: "browser", conditions: ["browser"] },
  workerd: { platform: "browser", conditions: ["workerd", "worker", "browser"] },
  edge: { platform: "browser", conditions: ["edge-light", "worker", "browser"] },
  node: { platform: "node", conditions: ["node"], builtins: true },
  bun: { platform: "node", conditions: ["bun", "node"], builtins: true },
};

interface Check {
  readonly name: string;
  run(): Promise<void>;
}

const folder = await Deno.makeTempDir();

const checks: Check[] = [
  { name: "the tarball is complete", run: hasWhatItMust },
  {
    name: "its README has nothing that works only on Deno or in the repository",
    run: isReadableOnNpm,
  },
  { name: "npm installs it in an empty folder, without hono", run: installs },
  { name: "Node 20 imports each entry without hono", run: () => importsEach() },
  { name: "Node 20 keeps and evicts where lru-cache cannot be imported", run: worksWithoutLru },
  { name: "npm installs it beside TypeScript, esbuild, Vite and hono", run: installsTools },
  ...["bundler", "node16", "nodenext"].map((resolution) => ({
    name: `TypeScript 5 with moduleResolution ${resolution}, every library checked`,
    run: () => compiles(resolution, { lib: ["es2022", "dom", "dom.iterable"], types: [] }),
  })),
  ...RUNTIME_TYPES.map((types) => ({
    name: `TypeScript 5 without lib.dom, with ${types}, every library checked`,
    run: () => compilesWithout(types),
  })),
  { name: "Node 20 runs TypeScript's output", run: () => isWell(node20(), ["out/app.js"]) },
  { name: "Node 20 runs the snippets of its README", run: runSnippets },
  { name: "Bun runs it", run: () => isWell(tool("bun@1.4.5", "bun"), ["run", "app.ts"]) },
  ...Object.keys(BUNDLES).map((target) => ({
    name: `esbuild for ${target} leaves nothing unresolved`,
    run: () => bundles(target),
  })),
  { name: "esbuild's output for the browser runs", run: () => isWell(node20(), ["browser.js"]) },
  { name: "esbuild's output for workerd runs", run: () => isWell(node20(), ["workerd.js"]) },
  { name: "a bundle drops unused code", run: isShaken },
  { name: "Vite builds it", run: vite },
  { name: "Vite's output runs", run: () => isWell(node20(), ["dist/assets/app.js"]) },
];

let failed = 0;
try {
  for (const { name, run } of checks) {
    const startedAt = performance.now();
    try {
      await run();
      console.log(`ok      ${name} (${Math.round(performance.now() - startedAt)} ms)`);
    } catch (error) {
      failed++;
      const why = error instanceof Error ? error.message : String(error);
      console.log(`FAILED  ${name}\n${why.slice(0, MAX_WHY)}`);
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

// ---- The package itself ----

async function hasWhatItMust(): Promise<void> {
  const tarball = await pack();
  await Deno.copyFile(tarball, `${folder}/breaker.tgz`);
  const list = await run("tar", ["-tzf", "breaker.tgz"]);
  for (const file of ["package.json", "README.md", "LICENSE", "mod.js", "mod.d.ts"]) {
    demand(list.includes(`package/${file}\n`), `${file} is missing`);
  }
  demand(!/package\/(tests|examples|deno)|\.tsx?$(?<!\.d\.ts)/m.test(list), `Too much: ${list}`);
  const manifest = JSON.parse(await run("tar", ["-xzOf", "breaker.tgz", "package/package.json"]));
  const { license, sideEffects, engines, dependencies, peerDependenciesMeta } = manifest;
  const { repository, bugs, homepage } = manifest;
  demand(license === "MIT" && sideEffects === false, "License or sideEffects are wrong");
  demand(engines.node === ">=20" && peerDependenciesMeta.hono.optional, "Requirements are wrong");
  const addresses = [repository?.url, bugs?.url, homepage].join();
  demand(addresses.match(/github\.com\/lastgood\/breaker/g)?.length === 3, "Addresses are missing");
  const needs = JSON.stringify(dependencies);
  demand(needs === '{"lru-cache":"^11"}', `Dependencies are wrong: ${needs}`);
  demand(Object.keys(manifest.exports).length === ENTRIES.length, "Exports are missing");
}

async function isReadableOnNpm(): Promise<void> {
  const left = leftovers(await readme());
  demand(left.length === 0, left.join("\n"));
}

function readme(): Promise<string> {
  return run("tar", ["-xzOf", "breaker.tgz", "package/README.md"]);
}

async function installs(): Promise<void> {
  await write("package.json", JSON.stringify({ private: true, type: "module" }));
  await npm(["./breaker.tgz"]);
  const names = await Array.fromAsync(Deno.readDir(`${folder}/node_modules`), ({ name }) => name);
  const packages = names.filter((name) => !name.startsWith(".")).sort().join();
  demand(packages === "@lastgood,lru-cache", `It installs more than it needs: ${packages}`);
}

async function node20(): Promise<string> {
  return (await node(20)).command;
}

async function importsEach(): Promise<void> {
  const code = ENTRIES.map((name) => `await import("${name}");`).join("\n");
  await write("each.js", `${code}\nconsole.log("${WELL}");`);
  await isWell(node20(), ["each.js"]);
}

async function worksWithoutLru(): Promise<void> {
  await write(
    "without.js",
    `import { breaker } from "@lastgood/breaker";
const api = breaker({ fetch: async () => new Response("fine"), lastGood: { maxEntries: 100 } });
const get = async (page) => await (await api.fetch("http://a.example/" + page)).text();
await get("hot");
for (let page = 0; page < 1_000; page++) await get(page % 10 ? page : "hot");
api.circuit("http://a.example").trip();
const served = await get("hot") + await get(999);
const isGone = await get(1).then(() => false, () => true);
console.log(served === "finefine" && isGone && api.kept.entries === 100 ? "${WELL}" : api.kept);`,
  );
  const [there, away] = [`${folder}/node_modules/lru-cache`, `${folder}/lru-cache`];
  await Deno.rename(there, away);
  try {
    await isWell(node20(), ["without.js"]);
  } finally {
    await Deno.rename(away, there);
  }
}

// ---- TypeScript and bundlers ----

async function installsTools(): Promise<void> {
  await npm(TOOLS);
  for (const file of USER_FILES) {
    await Deno.copyFile(new URL(`user/${file}`, import.meta.url), `${folder}/${file}`);
  }
}

/** Compiles without lib.dom: a runtime's own types provide requests and responses. */
async function compilesWithout(types: string): Promise<void> {
  await npm([types]);
  const name = types.startsWith("@types/bun") ? "bun" : "node";
  if (name === "bun") await write("bun.ts", BUN);
  const files = name === "bun" ? ["bun.ts"] : [];
  await compiles("nodenext", { lib: ["es2022"], types: [name] }, files);
}

async function compiles(
  resolution: string,
  globals: { readonly lib: string[]; readonly types: string[] },
  moreFiles: readonly string[] = [],
): Promise<void> {
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    target: "es2022",
    ...globals,
    module: resolution === "bundler" ? "esnext" : resolution,
    moduleResolution: resolution,
    outDir: "out",
  };
  const files = [...USER_FILES, ...moreFiles];
  await write("tsconfig.json", JSON.stringify({ compilerOptions: options, files }));
  await run("node_modules/.bin/tsc", ["--project", "."]);
}

/** Runs the README's snippets, which throw if they are no longer true. */
async function runSnippets(): Promise<void> {
  const all = snippets(await readme());
  demand(all.length > 0, "The README has no snippets");
  const names = all.map((_, index) => `snippet${index + 1}`);
  await Promise.all(names.map((name, index) => write(`${name}.ts`, all[index]!)));
  await run("node_modules/.bin/esbuild", [
    ...names.map((name) => `${name}.ts`),
    "--format=esm",
    "--target=es2022",
    "--outdir=snippets",
  ]);
  const command = await node20();
  for (const name of names) {
    const said = await run(command, [`snippets/${name}.js`]);
    demand(said === "", `${name} of the README prints: ${said}`);
  }
}

async function bundles(target: string): Promise<void> {
  const { platform, conditions, builtins = false } = BUNDLES[target]!;
  await run("node_modules/.bin/esbuild", [
    "app.ts",
    "--bundle",
    "--format=esm",
    "--target=es2022",
    "--log-limit=0",
    `--platform=${platform}`,
    `--conditions=${conditions.join(",")}`,
    `--metafile=${target}.json`,
    `--outfile=${target}.js`,
  ]);
  const { inputs, outputs } = JSON.parse(await Deno.readTextFile(`${folder}/${target}.json`));
  const left = outputs[`${target}.js`].imports.map(({ path }: { path: string }) => path)
    .filter((path: string) => !(builtins && path.startsWith("node:")));
  demand(left.length === 0, `Unresolved: ${left.join(", ")}`);
  const sources = Object.keys(inputs).join("\n");
  for (const file of ["breaker/mod.js", "breaker/src/adapters/hono.js", "breaker/src/testing.js"]) {
    demand(sources.includes(file), `${file} is not in the bundle`);
  }
}

async function isShaken(): Promise<void> {
  const entry = 'import { Circuit } from "@lastgood/breaker"; console.log(Circuit);';
  await write("circuit.ts", entry);
  const flags = ["--bundle", "--format=esm", "--metafile=circuit.json", "--outfile=circuit.js"];
  await run("node_modules/.bin/esbuild", ["circuit.ts", ...flags]);
  const { inputs } = JSON.parse(await Deno.readTextFile(`${folder}/circuit.json`)).outputs[
    "circuit.js"
  ];
  const used = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0);
  const unused = used.filter((path) => /last_good|lru-cache|guard/.test(path));
  demand(unused.length === 0, `A Circuit alone pulls in ${unused.join(", ")}`);
}

async function vite(): Promise<void> {
  await write("index.html", '<script type="module" src="/app.ts"></script>');
  await write(
    "vite.config.js",
    `export default { build: { target: "es2022", modulePreload: false, rollupOptions: {
      onwarn(warning) { throw new Error(warning.message); },
      output: { entryFileNames: "assets/app.js" } } } };`,
  );
  const said = await run("node_modules/.bin/vite", ["build"]);
  demand(!/externalized|unresolved/i.test(said), said);
}

// ---- Running commands ----

async function isWell(command: Promise<string>, args: readonly string[]): Promise<void> {
  const said = await run(await command, args);
  demand(said === WELL, said);
}

async function npm(packages: readonly string[]): Promise<void> {
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages]);
}

function run(command: string, args: readonly string[]): Promise<string> {
  const path = command.startsWith("node_modules/") ? `${folder}/${command}` : command;
  return output({ command: path, args, cwd: folder, limitMs: LIMIT_MS });
}

function write(file: string, text: string): Promise<void> {
  return Deno.writeTextFile(`${folder}/${file}`, text);
}

function demand(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
