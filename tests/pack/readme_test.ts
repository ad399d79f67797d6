import { assertEquals } from "@std/assert";
import { leftovers, npmReadme, snippets } from "./readme.ts";

const REPOSITORY = "https://git.test/owner/name";

Deno.test("npm's README leaves out the parts marked for Deno", () => {
  const text = [
    "before",
    "",
    "<!-- deno -->",
    "",
    "- `deno add jsr:@a/b`",
    "",
    "<!-- /deno -->",
    "",
    "between",
    "",
    "<!-- deno -->",
    "`deno task test`",
    "<!-- /deno -->",
    "",
    "after",
  ].join("\n");

  assertEquals(npmReadme(text, REPOSITORY), "before\n\nbetween\n\nafter");
});

Deno.test("npm's README links to files and folders of the repository", () => {
  const text = "[a](docs/a.md) [b](./b.md#part) [c](examples/) [d](#here) [e](https://e.test/f)";

  assertEquals(
    npmReadme(text, REPOSITORY),
    `[a](${REPOSITORY}/blob/main/docs/a.md) [b](${REPOSITORY}/blob/main/b.md#part) ` +
      `[c](${REPOSITORY}/tree/main/examples) [d](#here) [e](https://e.test/f)`,
  );
});

for (
  const line of [
    'import { Hono } from "npm:hono@4";',
    'import { breaker } from "jsr:@lastgood/breaker";',
    'import { FakeTime } from "@std/testing/time";',
    "Deno.serve(handler)",
    "deno add hono",
    "npx -y deno@2.9 task demo",
    "<!-- deno -->",
    "see [the rules](docs/rules.md)",
  ]
) {
  Deno.test(`leftovers reports in npm's README: ${line}`, () => {
    assertEquals(leftovers(`fine\n${line}`).length, 1);
  });
}

Deno.test("npm's README may mention Deno, and contain full links", () => {
  const text = "handlers on Deno, [there](https://deno.test/), [here](#deno), `npm install`";

  assertEquals(leftovers(text), []);
});

Deno.test("snippets returns the TypeScript code blocks", () => {
  const text = "```ts\nconst a = 1;\n```\n\n```sh\nnpm ci\n```\n\n```ts\nconst b = 2;\n```\n";

  assertEquals(snippets(text), ["const a = 1;\n", "const b = 2;\n"]);
});
