import { assertEquals } from "@std/assert";
import { type Globals, outlivesAnswer } from "../src/host.ts";

const NODE = { versions: { node: "22.0.0" } };
const WORKERS = { userAgent: "Cloudflare-Workers" };

const HOSTS: readonly (readonly [string, Globals & Record<string, unknown>, boolean])[] = [
  ["Deno", { Deno: {}, navigator: { userAgent: "Deno/2" } }, true],
  ["Bun", { Bun: {}, process: NODE, navigator: { userAgent: "Bun/1" } }, true],
  ["Node", { process: NODE, navigator: { userAgent: "Node.js/22" } }, true],
  ["Node 20, which has no navigator", { process: NODE }, true],
  ["Workers", { navigator: WORKERS }, false],
  ["Workers with nodejs_compat", { navigator: WORKERS, process: NODE }, false],
  ["Vercel Edge", { EdgeRuntime: "vercel" }, false],
  ["Vercel Edge with a process", { EdgeRuntime: "", process: NODE }, false],
  ["a browser", { navigator: { userAgent: "Mozilla/5.0" } }, false],
  ["a bundler's process", { process: { versions: {} } }, false],
  ["a host that has nothing", {}, false],
];

for (const [host, globals, outlives] of HOSTS) {
  const may = outlives ? "outlives" : "does not outlive";
  Deno.test(`24: work ${may} the answer on ${host}`, () => {
    assertEquals(outlivesAnswer(globals), outlives);
  });
}
