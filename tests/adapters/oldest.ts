/** Runs the tests in this folder with the oldest supported Hono. */

import { stdFlags } from "../std/flag.ts";

const HONO = "npm:hono@4.6.0";

Deno.env.set("STD", "npm");
const flag = (await stdFlags())[0] ?? "";
const map = JSON.parse(atob(flag.slice(flag.indexOf(",") + 1))) as {
  imports: Record<string, string>;
};
const imports = { ...map.imports, "hono": HONO, "hono/": `${HONO.replace("npm:", "npm:/")}/` };

const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "-A",
    "--sanitize-ops",
    "--sanitize-resources",
    // Otherwise this version would be added to the root's lock.
    "--no-lock",
    `--import-map=data:application/json;base64,${btoa(JSON.stringify({ imports }))}`,
    new URL(".", import.meta.url).pathname,
  ],
}).spawn().status;
Deno.exit(code);
