/**
 * Prints the `deno` flag that replaces the `@std` imports by the stand-ins beside this file, or
 * nothing where JSR can be reached. `STD=jsr` and `STD=npm` in the environment force one side.
 *
 * An import map given as a flag replaces the `imports` of deno.json, so it repeats the others, and
 * says what deno.json need not say: that a package has paths.
 */

import config from "../../deno.json" with { type: "json" };

const PROBE_MS = 3_000;

const STAND_INS: Readonly<Record<string, string>> = {
  "@std/assert": new URL("./assert.ts", import.meta.url).href,
  "@std/testing/time": new URL("./time.ts", import.meta.url).href,
};

/** The flags with which the tests can be checked and run on this machine. */
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

/** Asks Deno itself, which knows its cache, mirrors and proxies. */
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
