/** Measures the library's weight: the size of its bundle and the time of its import. */
import type { Size } from "../pack/ratchet.ts";
import { gzipped, sizes } from "../pack/size.ts";
import { output } from "../runtimes/child.ts";
import { interleaved, type Samples } from "./rounds.ts";
import { bundle, bundleApart, type Runtime } from "./runtime.ts";

const LIMIT_MS = 30_000;
const OURS = new URL("../../mod.ts", import.meta.url).href;

/** The modules to weigh, each a single line. */
const MODULES: Readonly<Record<string, string>> = {
  "nothing": "export {};",
  "breaker": `export * from "${OURS}";`,
  "lru-cache": `export * from "npm:lru-cache@^11";`,
  "cockatiel": `export * from "npm:cockatiel@4.0.0";`,
  "mollitia": `export * from "npm:mollitia@0.1.1";`,
  "opossum": `export { default } from "npm:opossum@10.0.0";`,
};

/** Line 7: bytes of the bundle for Workers, minified and compressed. */
export async function size(folder: string): Promise<Samples> {
  const min: Record<string, number[]> = {};
  const gzip: Record<string, number[]> = {};
  const add = (name: string, { minified, gzip: compressed }: Size) => {
    min[name] = [minified];
    gzip[name] = [compressed];
  };
  const ours = await sizes();
  add("breaker without lru-cache", ours["mod.ts without lru-cache"]!);
  add("breaker", ours["mod.ts with lru-cache"]!);
  add("Circuit alone", ours["Circuit alone"]!);
  for (const [name, code] of Object.entries(MODULES)) {
    if (name === "nothing" || name === "breaker") continue;
    const file = `${folder}/size.js`;
    try {
      await bundle(await entry(folder, code), file, "browser", "--minify");
    } catch (error) {
      console.log(`size: ${name} does not bundle for Workers: ${lastLine(error)}`);
      continue;
    }
    add(name, { minified: (await Deno.stat(file)).size, gzip: await gzipped(file) });
  }
  return { "bytes minified": min, "bytes minified, gzip": gzip };
}

function lastLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error)
    .split("\n").filter((line) => /resolve|error/i.test(line)).at(-1) ?? "";
}

/**
 * Line 7: ms for an import in a new process. What a module imports later is a file of its own, as it
 * is for an app that imports the package; in one file, all its imports of the runtime's own modules
 * would come first.
 */
export async function importing(
  runtime: Runtime,
  folder: string,
  rounds: number,
): Promise<Samples> {
  const files: Record<string, string> = {};
  for (const [name, code] of Object.entries(MODULES)) {
    const module = `${folder}/import-${name}/entry.js`;
    await bundleApart(await entry(folder, code), `${folder}/import-${name}`);
    const file = `${folder}/import-of-${name}.mjs`;
    await Deno.writeTextFile(
      file,
      `const startedAt = performance.now();
await import(${JSON.stringify(module)});
console.log(performance.now() - startedAt);
`,
    );
    files[name] = file;
  }
  return {
    "ms": await interleaved(files, rounds, async (file) => {
      return Number(await output({ ...runtime.plain(file), limitMs: LIMIT_MS }));
    }),
  };
}

async function entry(folder: string, code: string): Promise<string> {
  const file = `${folder}/entry.ts`;
  await Deno.writeTextFile(file, code);
  return file;
}
