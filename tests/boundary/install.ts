import { pack } from "../pack/main.ts";
import { bundleEntry, lower } from "../runtimes/bundle.ts";
import { output } from "../runtimes/child.ts";
import config from "./cases/deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);
const CASES = new URL("cases/", import.meta.url);
/** Kept between runs, so that packages are installed once. */
const FOLDER = new URL("dist/boundary/", ROOT);
/** Not called deno.lock, which type checks would change. */
const LOCK = new URL("packages.lock", CASES);
const LIMIT_MS = 120_000;

/** The folder that the cases run in. */
export const WORKPLACE = FOLDER.pathname;

/**
 * Installs what users install: the packages of the cases, with the versions of their lock, and the
 * npm package of this project as it is now.
 */
export async function install(): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await installPackages();
  await installPacked();
}

/** Makes one module of all cases but those that are left out. */
export async function bundleCases(file: string, leftOut: readonly string[]): Promise<void> {
  await bundled("main.ts", file, leftOut);
}

/** Makes one module of each program that cases start. */
export async function bundlePrograms(): Promise<void> {
  for await (const { name } of Deno.readDir(new URL("programs/", CASES))) {
    await bundled(`programs/${name}`, name.replace(".ts", ".mjs"), []);
  }
}

async function bundled(entry: string, file: string, leftOut: readonly string[]): Promise<void> {
  const flags = [
    "--bundle",
    "--platform=node",
    // Each host finds the modules that packages have for it.
    "--packages=external",
    `--alias:std/assert=${await assertions()}`,
  ];
  await lower(new URL(entry, CASES).pathname, at(file), "esm", leftOut, flags);
}

let assertionsMade: Promise<string> | undefined;

/** They import npm packages as only Deno does. */
function assertions(): Promise<string> {
  const entry = new URL("../std/assert.ts", import.meta.url).href;
  const target = { name: "assert", platform: "deno", conditions: [] } as const;
  return assertionsMade ??= bundleEntry(target, entry, WORKPLACE);
}

/** Does nothing if the lock is the installed one. Without a lock, makes it. */
async function installPackages(): Promise<void> {
  const lock = await textOf(LOCK);
  if (lock !== undefined && lock === await textOf(at("deno.lock"))) return;
  const packages = Object.entries(config.imports).filter(([, target]) => target.startsWith("npm:"));
  const imports = Object.fromEntries(packages);
  const own = { imports, nodeModulesDir: "auto" };
  await output({
    command: "rm",
    args: ["-rf", at("node_modules"), at("deno.lock")],
    limitMs: LIMIT_MS,
  });
  await Deno.writeTextFile(at("deno.json"), JSON.stringify(own));
  if (lock !== undefined) await Deno.writeTextFile(at("deno.lock"), lock);
  const args = ["install", ...lock === undefined ? [] : ["--frozen"]];
  await output({ command: Deno.execPath(), args, cwd: FOLDER, limitMs: LIMIT_MS });
  await linkAliases(imports);
  if (lock === undefined) await Deno.copyFile(at("deno.lock"), LOCK);
}

/** Deno links a package by its name alone, but the cases import two versions of one. */
async function linkAliases(imports: Readonly<Record<string, string>>): Promise<void> {
  for (const [alias, target] of Object.entries(imports)) {
    const [, name, version] = /^npm:(.+)@(.+)$/.exec(target) ?? [];
    if (name === alias) continue;
    await Deno.symlink(
      at(`node_modules/.deno/${name}@${version}/node_modules/${name}`),
      at(`node_modules/${alias}`),
    );
  }
}

/** Puts this project's package among the others. */
async function installPacked(): Promise<void> {
  await pack();
  const folder = at("node_modules/@lastgood");
  await Deno.mkdir(folder, { recursive: true });
  const script = 'rm -rf "$1/breaker" && cp -r "$2" "$1/breaker"';
  const args = ["-c", script, "sh", folder, new URL("dist/package", ROOT).pathname];
  await output({ command: "sh", args, limitMs: LIMIT_MS });
}

async function textOf(path: string | URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function at(name: string): string {
  return new URL(name, FOLDER).pathname;
}
