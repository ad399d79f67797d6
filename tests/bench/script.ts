/** Runs on the measured runtime, and prints the samples of one line as JSON. */
import process from "node:process";
import { closed, refused } from "./calls.ts";
import { scale } from "./scale.ts";
import type { Effort, Samples } from "./rounds.ts";

const LINES: Readonly<Record<string, (effort: Effort) => Promise<Samples>>> = {
  closed,
  refused,
  scale,
};

const [line = "", effort = "{}"] = process.argv.slice(2);
const samples = await LINES[line]!(JSON.parse(effort) as Effort);
console.log(JSON.stringify(samples));
// Some peers have timers that never end.
process.exit(0);
