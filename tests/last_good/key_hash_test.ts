import { assertEquals } from "@std/assert";
import { textHash } from "../../src/last_good/key_hash.ts";
import { seeded } from "../stage/random.ts";

Deno.test("S18, N3: no two of 400,000 texts of one length have the same hash", () => {
  const random = seeded(1);
  const hashes = new Float64Array(400_000);

  for (let n = 0; n < hashes.length; n++) {
    hashes[n] = textHash(`${random().toFixed(9)}${random().toFixed(9)}`);
  }

  hashes.sort();
  assertEquals(hashes.findIndex((hash, at) => hash === hashes[at + 1]), -1);
});
