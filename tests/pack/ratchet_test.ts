import { assertEquals, assertStringIncludes } from "@std/assert";
import { complaint } from "./ratchet.ts";

const BEFORE = { minified: 100_000, gzip: 40_000 };

Deno.test("size: a bundle as large as before passes, and one that is hardly smaller", () => {
  assertEquals(complaint("mod.ts", BEFORE, BEFORE), undefined);
  assertEquals(complaint("mod.ts", { minified: 99_600, gzip: 39_900 }, BEFORE), undefined);
});

Deno.test("size: a bundle that has grown by one byte is told by how much and what to do", () => {
  const said = complaint("mod.ts", { minified: 100_001, gzip: 40_000 }, BEFORE) ?? "";

  assertStringIncludes(said, "mod.ts has grown by 1 bytes minified over size.json");
  assertStringIncludes(said, "tests/pack/size.ts --write");
  assertStringIncludes(said, "say in the commit");
});

Deno.test("size: a bundle that compresses worse is told so, but for another zlib's share", () => {
  const sameZlib = { minified: 100_000, gzip: 40_100 };

  assertEquals(complaint("mod.ts", sameZlib, BEFORE), undefined);
  assertStringIncludes(
    complaint("mod.ts", { minified: 100_000, gzip: 40_300 }, BEFORE) ?? "",
    "grown by 300 bytes gzip",
  );
});

Deno.test("size: a bundle that is much smaller must lower the size it may have", () => {
  const said = complaint("mod.ts", { minified: 99_000, gzip: 39_600 }, BEFORE) ?? "";

  assertStringIncludes(said, "1,000 bytes less");
  assertStringIncludes(said, "tests/pack/size.ts --write");
});

Deno.test("size: a bundle without a size before must get one", () => {
  assertStringIncludes(complaint("mod.ts", BEFORE, undefined) ?? "", "is not in size.json");
});
