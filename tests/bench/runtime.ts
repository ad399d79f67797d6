/** Starts this folder's scripts on the measured runtime. */
import { output, type Program } from "../runtimes/child.ts";
import { node, tool } from "../runtimes/tool.ts";

/** A runtime that can be measured. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** Returns the program that runs a script of this folder. */
  command(script: string, ...args: string[]): Promise<Program>;
  /** Returns the program that runs a JavaScript file. */
  plain(file: string): Program;
}

/** The lock beside it pins the other breakers. */
const CONFIG = here("deno.json");
const BUN = "bun@1.4.5";
const LIMIT_MS = 90_000;

/** Finds a runtime by name: deno, bun, node (24) or node with a major version. */
export async function runtime(name: string, folder: string): Promise<Runtime> {
  if (name === "deno") {
    const command = Deno.execPath();
    const flags = ["run", "-A", "--v8-flags=--expose-gc"];
    return {
      name,
      version: Deno.version.deno,
      command: (script, ...args) =>
        Promise.resolve({ command, args: [...flags, "--frozen", here(script), ...args] }),
      plain: (file) => ({ command, args: [...flags, file] }),
    };
  }
  const major = /^node(\d*)$/.exec(name)?.[1];
  if (major === undefined && name !== "bun") {
    throw new RangeError(
      `Cannot measure "${name}" as it must be one of deno, node, node20, bun, workerd`,
    );
  }
  const { command, version } = major === undefined ? await bun() : await node(Number(major || 24));
  const flags = major === undefined ? [] : ["--expose-gc"];
  return {
    name,
    version,
    async command(script, ...args) {
      return { command, args: [...flags, await bundled(script, folder), ...args] };
    },
    plain: (file) => ({ command, args: [file] }),
  };
}

async function bun(): Promise<{ readonly command: string; readonly version: string }> {
  const command = await tool(BUN, "bun");
  return { command, version: await output({ command, args: ["--version"], limitMs: LIMIT_MS }) };
}

const bundles = new Map<string, Promise<string>>();

/** Bundles a script of this folder into one file, once. */
function bundled(script: string, folder: string): Promise<string> {
  const file = `${folder}/${script.replace(".ts", ".mjs")}`;
  const made = bundles.get(file) ?? bundle(here(script), file, "deno").then(() => file);
  bundles.set(file, made);
  return made;
}

/** Bundles a module and everything it imports into one file. */
export async function bundle(
  entry: string,
  file: string,
  platform: "deno" | "browser",
  ...flags: string[]
): Promise<void> {
  const env = platform === "browser" ? { DENO_CONDITIONS: "workerd,worker,browser" } : {};
  await denoBundle(["--platform", platform, ...flags, "--output", file, entry], env);
}

/** Bundles a module into a folder, and what it imports later into files of their own. */
export async function bundleApart(entry: string, folder: string): Promise<void> {
  await denoBundle(["--platform", "deno", "--code-splitting", "--outdir", folder, entry]);
  // Node would look for the syntax of a file before it takes it for a module.
  await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
}

async function denoBundle(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const given = ["bundle", "--quiet", "--frozen", "--config", CONFIG, ...args];
  await output({ command: Deno.execPath(), args: given, env, limitMs: LIMIT_MS });
}

function here(script: string): string {
  return new URL(script, import.meta.url).pathname;
}
