import { stdFlags } from "../std/flag.ts";
import { output } from "./child.ts";
import { portableTests, workerdTests } from "./portable.ts";
import { tool } from "./tool.ts";

/** How packages and files are chosen for a runtime. */
export interface Target {
  readonly name: string;
  readonly platform: "deno" | "browser";
  /** Conditions for the `exports` of packages. */
  readonly conditions: readonly string[];
  /** The module that runs the tests, in this folder. */
  readonly runner: "script.ts" | "worker.ts";
  readonly format: "esm" | "iife";
}

const ROOT = new URL("../../", import.meta.url);
const LIMIT_MS = 90_000;
/** edge-runtime exits silently if a script throws. */
const LOUD = [
  "--banner:js=try {",
  "--footer:js=} catch (error) { console.error(error); throw error; }",
];
const ESBUILD = "esbuild@0.28";

/** Returns flags for Deno that replace `@std` by our stand-ins, which need only npm. */
export async function standIns(): Promise<string[]> {
  Deno.env.set("STD", "npm");
  return await stdFlags();
}

/** Bundles all tests into one module for a target. */
export async function bundle(target: Target, folder: string): Promise<string> {
  return await bundleEntry(target, await writeEntry(target, folder), folder, await standIns());
}

/** Bundles an entry and everything it imports into one module. */
export async function bundleEntry(
  { name, platform, conditions }: Pick<Target, "name" | "platform" | "conditions">,
  entry: string,
  folder: string,
  flags: readonly string[] = [],
): Promise<string> {
  const bundled = `${folder}/${name}.bundled.js`;
  await output({
    command: Deno.execPath(),
    args: [
      "bundle",
      "--quiet",
      ...["--config", "deno.json"],
      ...["--platform", platform],
      ...flags,
      ...["--output", bundled],
      entry,
    ],
    cwd: ROOT,
    env: { DENO_CONDITIONS: conditions.join(",") },
    limitMs: LIMIT_MS,
  });
  return bundled;
}

/** Adapts a bundle to a runtime: replaces `using` and `Deno.test`, and sets the tests to leave out. */
export async function lower(
  bundled: string,
  lowered: string,
  format: Target["format"],
  leftOut: readonly string[],
  flags: readonly string[] = [],
): Promise<void> {
  await output({
    command: await tool(ESBUILD, "esbuild"),
    args: [
      bundled,
      `--outfile=${lowered}`,
      "--target=es2022",
      `--format=${format}`,
      "--define:Deno.test=collectTest",
      `--define:LEFT_OUT=${JSON.stringify(leftOut)}`,
      ...format === "iife" ? LOUD : [],
      ...flags,
      "--log-level=error",
    ],
    limitMs: LIMIT_MS,
  });
}

/** Writes the module that imports all others. They run in the order of the imports. */
async function writeEntry(target: Target, folder: string): Promise<string> {
  const own = target.runner === "worker.ts" ? await workerdTests() : [];
  const imports: string[] = [];
  for (const [index, url] of [...await portableTests(), ...own].entries()) {
    const announcer = `${folder}/${target.name}.${index}.ts`;
    const path = url.slice(ROOT.href.length);
    await Deno.writeTextFile(
      announcer,
      `import { from } from "${here("collector.ts")}";\nfrom(${JSON.stringify(path)});\n`,
    );
    imports.push(announcer, url);
  }
  const lines = imports.map((module) => `import ${JSON.stringify(module)};`);
  lines.push(
    target.runner === "worker.ts"
      ? `export { default } from "${here(target.runner)}";`
      : `import "${here(target.runner)}";`,
  );
  const entry = `${folder}/${target.name}.entry.ts`;
  await Deno.writeTextFile(entry, lines.join("\n"));
  return entry;
}

function here(name: string): string {
  return new URL(name, import.meta.url).href;
}
