/** Runs on the measured runtime: times the closed path of several builds, and prints the samples. */
import process from "node:process";
import { announceOn } from "./progress.ts";
import { nsPerCall, onRound, type Samples } from "./rounds.ts";
import type { Task } from "./unused.ts";

// deno-lint-ignore require-await
const fine = async () => 1;
const response = new Response(null);

onRound(announceOn((text) => process.stderr.write(text)));
const { builds, options, effort }: Task = JSON.parse(process.argv[2] ?? "{}");
const ofCircuit: Record<string, () => unknown> = {};
const ofWrap: Record<string, () => unknown> = {};
for (const [name, file] of Object.entries(builds)) {
  const { breaker, Circuit } = await import(`file://${file}`) as typeof import("../../mod.ts");
  const circuit = new Circuit();
  ofCircuit[name] = () => circuit.run(fine);
  const handler = breaker({ timeoutMs: Infinity, ...options }).wrap(() => response);
  const request = new Request("http://a.example/");
  ofWrap[name] = () => handler(request);
}
// Bun compiles for the last time after some 80,000 calls.
for (const call of [...Object.values(ofCircuit), ...Object.values(ofWrap)]) {
  for (let times = 0; times < 100_000; times++) await call();
}
const samples: Samples = {
  "ns per circuit.run": await nsPerCall(ofCircuit, effort),
  "ns per api.wrap": await nsPerCall(ofWrap, effort),
};
console.log(JSON.stringify(samples));
process.exit(0);
