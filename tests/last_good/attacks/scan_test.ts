import { assertEquals } from "@std/assert";
import { ORIGIN, Site } from "../../stage/site.ts";

const SCANNED = 20_000;

Deno.test(`N4: 100 of 100 hot pages survive ${SCANNED} one-time URLs`, async () => {
  const site = new Site({ onEvent: () => {} });
  site.answer = ({ url }) => new Response(url);
  const hot = Array.from({ length: 100 }, (_, n) => `${ORIGIN}/hot/${n}`);
  for (let turn = 0; turn < 2; turn++) {
    for (const url of hot) await site.read({}, url);
    site.clock.tick(2_000);
  }

  for (let n = 0; n < SCANNED; n++) {
    await site.read({}, `${ORIGIN}/${n}`);
    if (n % 1_000 === 0) site.asked.length = 0;
  }

  let left = 0;
  for (const url of hot) if (await site.kept({}, url) === url) left++;
  assertEquals(left, 100);
});
