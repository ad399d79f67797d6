/** Runs on the measured runtime, and prints the samples of one line as JSON. */
import process from "node:process";
import { closed, refused } from "./calls.ts";
import { growth } from "./growth.ts";
import { announceOn } from "./progress.ts";
import { type Effort, onRound, type Samples } from "./rounds.ts";
import { scale } from "./scale.ts";

const LINES: Readonly<Record<string, (effort: Effort) => Promise<Samples>>> = {
  closed,
  refused,
  scale,
  growth,
};

onRound(announceOn((text) => process.stderr.write(text)));
const [line = "", effort = "{}"] = process.argv.slice(2);
const samples = await LINES[line]!(JSON.parse(effort) as Effort);
console.log(JSON.stringify(samples));
// Some peers have timers that never end.
process.exit(0);
