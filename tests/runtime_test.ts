import { assertEquals } from "@std/assert";
import {
  type HostGlobals,
  isFromServer,
  maxTextBytes,
  outlivesAnswer,
  prefersByobReader,
} from "../src/runtime.ts";

const NODE = { versions: { node: "22.0.0" } };
const WORKERS = { userAgent: "Cloudflare-Workers" };

const HOSTS: readonly (readonly [string, HostGlobals & Record<string, unknown>, boolean])[] = [
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
  ["a host without any globals", {}, false],
];

for (const [host, globals, outlives] of HOSTS) {
  const may = outlives ? "outlives" : "does not outlive";
  Deno.test(`33: work ${may} the answer on ${host}`, () => {
    assertEquals(outlivesAnswer(globals), outlives);
  });
}

const SERVERS: readonly (readonly [string, unknown, boolean])[] = [
  ["Deno.serve's info", { remoteAddr: {}, completed: Promise.resolve() }, true],
  ["the info of a Deno without completed", { remoteAddr: {} }, false],
  ["Bun's server", { requestIP() {}, upgrade() {} }, true],
  ["the bindings of Hono's server for Node", { incoming: {}, outgoing: {} }, true],
  ["a Worker's bindings", { KEY: "value" }, false],
  ["a Worker's context", { waitUntil() {} }, false],
  ["nothing", undefined, false],
  ["null", null, false],
  ["a string", "incoming", false],
];

for (const [what, info, isIt] of SERVERS) {
  Deno.test(`8: ${what} ${isIt ? "marks" : "does not mark"} a request as just received`, () => {
    assertEquals(isFromServer(info), isIt);
  });
}

Deno.test("what is faster only on Deno is done only there", () => {
  for (const [host, globals] of HOSTS) {
    assertEquals([prefersByobReader(globals), maxTextBytes(globals)], [
      host === "Deno",
      host === "Deno" ? Infinity : 16_384,
    ]);
  }
});
