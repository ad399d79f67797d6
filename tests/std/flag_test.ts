import { assert, assertEquals } from "@std/assert";

const PREFIX = "--import-map=data:application/json;base64,";

async function flag(std: string): Promise<{ success: boolean; said: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("./flag.ts", import.meta.url).href],
    env: { STD: std },
    stderr: "null",
  });
  const { success, stdout } = await command.output();
  return { success, said: new TextDecoder().decode(stdout).trim() };
}

Deno.test("flag replaces @std alone when JSR is out of reach", async () => {
  const { success, said } = await flag("npm");

  assert(success && said.startsWith(PREFIX), said);
  const { imports } = JSON.parse(atob(said.slice(PREFIX.length)));
  assertEquals(imports, {
    "hono": "npm:hono@^4",
    "hono/": "npm:/hono@^4/",
    "lru-cache": "npm:lru-cache@^11",
    "lru-cache/": "npm:/lru-cache@^11/",
    "@std/assert": new URL("./assert.ts", import.meta.url).href,
    "@std/testing/time": new URL("./time.ts", import.meta.url).href,
  });
});

Deno.test("flag is nothing when JSR can be reached", async () => {
  assertEquals(await flag("jsr"), { success: true, said: "" });
});

Deno.test("flag refuses a side that it does not know", async () => {
  assertEquals(await flag("cdn"), { success: false, said: "" });
});
