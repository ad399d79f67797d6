/**
 * Prints the `deno` flag that replaces the `@std` imports by the stand-ins in this folder, or
 * nothing if JSR can be reached. `STD=jsr` or `STD=npm` in the environment forces that side.
 *
 * An import map given as a flag replaces the `imports` of deno.json, so it repeats the other
 * imports. It also maps the paths below each package, which deno.json does by itself.
 */

import config from "../../deno.json" with { type: "json" };

const PROBE_MS = 3_000;

const STAND_INS: Readonly<Record<string, string>> = {
  "@std/assert": new URL("./assert.ts", import.meta.url).href,
  "@std/testing/time": new URL("./time.ts", import.meta.url).href,
};

/** Returns the flags needed to check and run the tests on this machine. */
export async function stdFlags(): Promise<string[]> {
  const std = Deno.env.get("STD") || (await reachesJsr() ? "jsr" : "npm");
  if (std === "jsr") return [];
  if (std !== "npm") {
    throw new TypeError(`Cannot choose "STD" as it must be jsr or npm: current value is ${std}`);
  }

  const others = Object.entries(config.imports).filter(([name]) => !name.startsWith("@std/"));
  const paths = others.map(([name, target]) => [`${name}/`, `${target.replace(":", ":/")}/`]);
  const imports = { ...Object.fromEntries([...others, ...paths]), ...STAND_INS };
  return [`--import-map=data:application/json;base64,${btoa(JSON.stringify({ imports }))}`];
}

/** Tries it with Deno itself, which knows its cache, mirrors and proxies. */
async function reachesJsr(): Promise<boolean> {
  const probe = new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", "--no-lock", config.imports["@std/assert"]],
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(PROBE_MS),
  });
  return (await probe.output()).success;
}

if (import.meta.main) console.log((await stdFlags()).join(" "));
