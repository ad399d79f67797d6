import { assert, assertEquals } from "@std/assert";
import {
  decodesFetched,
  dropsCodingOfFetched,
  type HostGlobals,
  isFromServer,
  isWorkerd,
  lacksByobBodies,
  maxTextBytes,
  outlivesAnswer,
  prefersByobReader,
  proxyTest,
} from "../src/runtime.ts";

const NODE = { versions: { node: "22.0.0" } };
const WebSocketPair = class {};
const WORKERS = { userAgent: "Cloudflare-Workers" };

const HOSTS: readonly (readonly [string, HostGlobals & Record<string, unknown>, boolean])[] = [
  ["Deno", { Deno: {}, navigator: { userAgent: "Deno/2" } }, true],
  ["Bun", { Bun: {}, process: NODE, navigator: { userAgent: "Bun/1" } }, true],
  ["Node", { process: NODE, navigator: { userAgent: "Node.js/22" } }, true],
  ["Node 20, which has no navigator", { process: NODE }, true],
  ["Workers", { WebSocketPair, navigator: WORKERS }, false],
  ["Workers with nodejs_compat", { WebSocketPair, navigator: WORKERS, process: NODE }, false],
  ["Workers without a navigator", { WebSocketPair, process: NODE }, false],
  ["Workers that look like Node", { WebSocketPair, navigator: {}, process: NODE }, false],
  ["what calls itself Workers", { navigator: WORKERS, process: NODE }, false],
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

for (const [host, globals] of HOSTS) {
  Deno.test(`35: ${host} is told from Workers`, () => {
    assertEquals(isWorkerd(globals), "WebSocketPair" in globals);
  });
}

/** What tells function hosts apart from servers, and what does not. */
const VARIABLES: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
  [{ AWS_LAMBDA_FUNCTION_NAME: "items" }, false],
  [{ LAMBDA_TASK_ROOT: "/var/task" }, false],
  [{ AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x" }, false],
  [{ AWS_EXECUTION_ENV: "AWS_ECS_FARGATE" }, true],
  [{ VERCEL: "1" }, false],
  [{ K_SERVICE: "items" }, false],
  [{ FUNCTION_TARGET: "items" }, false],
  [{ AWS_REGION: "eu-west-1", PATH: "/bin" }, true],
];

for (const [env, outlives] of VARIABLES) {
  const may = outlives ? "outlives" : "does not outlive";
  Deno.test(`33: with ${JSON.stringify(env)} work ${may} the answer on Node, Bun and Deno`, () => {
    const process = { ...NODE, env };
    const permissions = { querySync: () => ({ state: "granted" }) };
    const Deno = { env: { get: (name: string) => env[name] }, permissions };

    assertEquals(outlivesAnswer({ process }), outlives);
    assertEquals(outlivesAnswer({ Bun: {}, process } as HostGlobals), outlives);
    assertEquals(outlivesAnswer({ Deno }), outlives);
  });
}

Deno.test("33: on Deno no variable is read without permission, which would ask the user", () => {
  for (const state of ["prompt", "denied"]) {
    const get = () => {
      throw new Error("asked the user");
    };
    const permissions = { querySync: () => ({ state }) };

    assertEquals(outlivesAnswer({ Deno: { env: { get }, permissions } }), true);
  }
});

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

Deno.test("what differs on Deno is done only there", () => {
  for (const [host, globals] of HOSTS) {
    const isDeno = host === "Deno";

    assertEquals(maxTextBytes(globals), isDeno ? Infinity : 16_384);
    assertEquals([lacksByobBodies(globals), dropsCodingOfFetched(globals)], [isDeno, isDeno]);
    if (!isDeno) assert(!prefersByobReader(new ReadableStream({ type: "bytes" }), globals));
  }
});

/** What `fetch` decodes: gzip, x-gzip, deflate, br, zstd, "gzip, br". */
const DECODED: readonly (readonly [string, HostGlobals, (boolean | undefined)[]])[] = [
  ["Deno", { Deno: {} }, [true, false, false, true, false, false]],
  ["Node", { process: NODE }, [true, true, true, true, undefined, undefined]],
  ["Bun", { Bun: {}, process: NODE } as HostGlobals, Array(6).fill(undefined)],
  ["Workers", { WebSocketPair, process: NODE } as HostGlobals, Array(6).fill(undefined)],
  ["an unknown host", {}, Array(6).fill(undefined)],
];

for (const [host, globals, expected] of DECODED) {
  Deno.test(`H4: what the fetch of ${host} decodes is known, or not`, () => {
    const fields = ["GZIP ", "x-gzip", "deflate", "br", "zstd", "gzip, br"];

    assertEquals(fields.map((field) => decodesFetched(field, globals)), expected);
  });
}

Deno.test("where Node's own modules are not to be had, there is no test for a Proxy", () => {
  assertEquals(proxyTest({ process: { getBuiltinModule: () => undefined } }), undefined);
  assertEquals(proxyTest({ process: {} }), undefined);
  assertEquals(proxyTest({}), undefined);
});
