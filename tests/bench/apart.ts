/**
 * Fails if the root's lock lists a package that only the benchmark needs, which every task would
 * then download, or if settings or versions in the two folders have drifted apart.
 */
import rootConfig from "../../deno.json" with { type: "json" };
import config from "./deno.json" with { type: "json" };

const problems: string[] = [];

const imports = Object.entries(config.imports);
const rootImports: Readonly<Record<string, string>> = rootConfig.imports;
for (const [name, target] of imports) same(`imports.${name}`, target, rootImports[name]);
same("compilerOptions", config.compilerOptions, rootConfig.compilerOptions);
same("fmt.lineWidth", config.fmt.lineWidth, rootConfig.fmt.lineWidth);

const rootPins = await pins("../../deno.lock");
const shared = imports.map(([, target]) => target.replace("@^", "@"));
for (const [specifier, version] of Object.entries(await pins("deno.lock"))) {
  if (shared.includes(specifier)) same(specifier, version, rootPins[specifier]);
  else if (specifier in rootPins) problems.push(`deno.lock lists ${specifier}`);
}

for (const problem of problems) console.error(problem);
Deno.exit(problems.length === 0 ? 0 : 1);

function same(what: string, here: unknown, atRoot: unknown): void {
  const [own, root] = [JSON.stringify(here), JSON.stringify(atRoot)];
  if (own !== root) problems.push(`${what} is ${own} in tests/bench, ${root} at the root`);
}

/** Reads the packages in a lock, with their versions. */
async function pins(lock: string): Promise<Readonly<Record<string, string>>> {
  const text = await Deno.readTextFile(new URL(lock, import.meta.url));
  return JSON.parse(text).specifiers;
}
