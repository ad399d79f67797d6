import { assert, assertEquals } from "@std/assert";
import { read, shortened } from "./reading.ts";
import { storyOf } from "./story.ts";

const STORIES = 150;
const LENGTH = 40;

Deno.test("S1 to S21, K2 to K6, F2 to F8: in random sequences each request gets what the rules say", async () => {
  let checked = 0;
  let fromMemory = 0;
  for (let seed = 1; seed <= STORIES; seed++) {
    const story = storyOf(seed, LENGTH);
    const reading = await read(story);
    checked += reading.checked;
    fromMemory += reading.fromMemory;
    if (reading.differs === undefined) continue;
    const short = await shortened(story);
    const { differs } = await read(short);
    assertEquals(differs?.found, differs?.stated, JSON.stringify({ seed, ...short }, null, 1));
  }
  assert(checked > STORIES * LENGTH / 3, `only ${checked} requests could be checked`);
  assert(fromMemory > checked / 20, `only ${fromMemory} of ${checked} came from memory`);
});
