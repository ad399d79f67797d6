import { FEATURES } from "./features.ts";
import type { Line, Target } from "./target.ts";

const TIME = "ns per call";
const BYTES = "bytes per call";
const CPU = "CPU per request";
const SIZES = ["1 KB", "64 KB", "1 MB"];
const KB = 1_024;
const GZIP = "bytes minified, gzip";
/** As many as builds that unused.ts compares. */
const UNUSED_PROCESSES = 3;

/** The loads of memory_load.ts. */
export const MEMORY_LOADS = [
  "100,000 pages of 0 B",
  "100,000 pages of 1 KB",
  "300,000 keys",
  "2,000 removals of long URLs",
];

/** What users call a trip policy of calls.ts, and what cockatiel's is called there. */
const BY_NUMBER = { "consecutive": "`consecutive(5)`", "count": "`failureRate({ lastCalls })`" };
const BY_TIME = "`failureRate()` by time";

/** All lines, by name, in the order in which they run. */
export const LINES: Readonly<Record<string, Line>> = {
  closed: {
    title: "a call through a closed circuit",
    seconds: 12,
    measures: 2,
    targets: Object.entries(BY_NUMBER).flatMap(([of, name]): Target[] => [
      {
        says: `${name}: time, over an async function with try and catch`,
        measure: TIME,
        of,
        over: "wrapper",
        atMost: 1.35,
      },
      {
        says: `${name}: time added to the call, over what cockatiel adds`,
        measure: TIME,
        of,
        over: `cockatiel ${of}`,
        less: "bare",
        atMost: { deno: 0.6, node: 0.65, bun: 0.6 },
      },
      {
        says: `${name}: time added, over what opossum without its timeout adds`,
        measure: TIME,
        of,
        over: "opossum no timeout",
        less: "bare",
        atMost: 0.25,
      },
      {
        says: `${name}: bytes allocated, over cockatiel's`,
        measure: BYTES,
        of,
        over: `cockatiel ${of}`,
        less: "bare",
        atMost: { deno: 0.45, node: 0.5 },
      },
    ]).concat([
      {
        says: `${BY_TIME}: time added, over what cockatiel's sampling adds`,
        measure: TIME,
        of: "by time",
        over: "cockatiel sampling",
        less: "bare",
        atMost: { deno: 0.75, node: 0.8, bun: 0.55 },
      },
      {
        says: `${BY_TIME}: time added, over what opossum without its timeout adds`,
        measure: TIME,
        of: "by time",
        over: "opossum no timeout",
        less: "bare",
        atMost: 0.35,
      },
    ]),
  },
  refused: {
    title: "a call that an open circuit refuses",
    seconds: 3,
    measures: 1,
    note: "Cockatiel's count and sampling breakers refuse as its consecutive one does.",
    targets: [
      {
        says: "`circuit.run`: time, over `throw new Error`",
        measure: TIME,
        of: "circuit.run",
        over: "throw new Error",
        atMost: 1.25,
      },
      {
        says: "`circuit.run`: time, over cockatiel's refusal",
        measure: TIME,
        of: "circuit.run",
        over: "cockatiel consecutive",
        atMost: 1,
      },
    ],
  },
  keep: {
    title: "a proxy that keeps what it passes on",
    seconds: 105,
    measures: 8,
    onWorkerd: true,
    note: "The other breakers keep no responses: opossum's cache treats all requests as the same.",
    targets: [
      ...SIZES.map((size) => ({
        measure: `${CPU}, ${size}, hot key`,
        of: "keeping",
        over: "bare",
        atMost: 1.12,
      })),
      { measure: `${CPU}, 1 KB, cold keys`, of: "keeping", over: "bare", atMost: 1.7 },
      { measure: "ms to the first byte of a trickle", of: "keeping", over: "bare", atMost: 1.3 },
      // What may be kept, of one body and of all, and 20 MB.
      { measure: "MB for a client that stalls", of: "keeping", less: "bare", atMost: 21 },
      { measure: "MB for 300 unread answers", of: "keeping", less: "bare", atMost: 24 },
    ],
  },
  proxy: {
    title: "fetch as a proxy, hot key",
    seconds: 50,
    measures: 1,
    note:
      "Opossum, cockatiel and mollitia keep nothing here. Undici's cache, on Node, keeps only " +
      "what its origin allows, and asks again each time.",
    targets: [
      { measure: CPU, of: "api.fetch", over: "bare", atMost: 1.12 },
      { measure: CPU, of: "api.fetch, counts only", over: "opossum", atMost: 1 },
    ],
  },
  handler: {
    title: "a handler that keeps what it answers",
    seconds: 27,
    measures: 2,
    targets: ["1 KB", "64 KB"].map((size) => ({
      measure: `${CPU}, ${size}`,
      of: "api.wrap, ETag",
      over: "api.wrap",
      atMost: 1.05,
    })),
  },
  stale: {
    title: "the last good answer while the circuit is open",
    seconds: 50,
    measures: 4,
    note: "The other breakers have no response to serve. Nginx is stale with its upstream down. " +
      "Undici's cache, on Node, has no circuit: it asks each time, and is stale if told 503.",
    targets: [
      ...[
        ["1 KB", { deno: 1.2, node: 1.15, bun: 1.2 }] as const,
        ["1 KB, 12 fields", { deno: 1.3, node: 1.15, bun: 1.45 }] as const,
        ["64 KB", { deno: 0.6, node: 1.15, bun: 1.15 }] as const,
        ["1 MB", { deno: 0.6, node: 1.15, bun: 1.15 }] as const,
      ].map(([what, atMost]) => ({
        measure: `${CPU}, ${what}`,
        of: "api.wrap",
        over: "static",
        atMost,
      })),
      { measure: `${CPU}, 1 KB`, of: "api.wrap", over: "hand", atMost: 1.12 },
      ...["1 KB", "64 KB"].map((size) => ({
        measure: `${CPU}, ${size}`,
        of: "api.wrap",
        over: "nginx",
        atMost: { deno: 1.5, node: 1.4, bun: 1.1 },
      })),
    ],
  },
  hono: {
    title: "the middleware in a Hono app",
    seconds: 32,
    measures: 2,
    note: "The other breakers have no middleware.",
    targets: [CPU, `${CPU}, 12 fields`].flatMap((measure) => [
      { measure, of: "stale", over: "hand, stale", atMost: 1.15 },
      { measure, of: "closed, keeping", over: "hand, closed", atMost: 1.2 },
    ]),
  },
  scale: {
    title: "many circuits, and many calls at once",
    seconds: 25,
    measures: 6,
    targets: [
      ...["consecutive", "count", "by time"].map((of) => ({
        says: `memory of a circuit not called yet, ${policy(of)}, over cockatiel's`,
        measure: "heap bytes per idle circuit",
        of,
        over: of === "by time" ? "cockatiel sampling" : `cockatiel ${of}`,
        atMost: 0.2,
      })),
      {
        says: `memory of a circuit in use, ${BY_TIME}, over cockatiel's`,
        measure: "heap bytes per used circuit",
        of: "by time",
        over: "cockatiel sampling",
        atMost: 0.25,
      },
      ...["consecutive", "by time"].map((of) => ({
        says: `time to make a circuit, ${policy(of)}, over cockatiel's`,
        measure: "ns to make one",
        of,
        over: of === "by time" ? "cockatiel sampling" : `cockatiel ${of}`,
        atMost: { deno: 0.25, node: 0.25, bun: 0.35 },
      })),
      {
        says: "CPU of 10,000 idle circuits, in % of a core",
        measure: "% of a core, 10,000 idle",
        of: "by time",
        less: "nothing",
        atMost: 1,
      },
      {
        says: "memory gained per call in an hour of traffic with outages, in bytes",
        measure: "bytes per call, of an hour",
        of: "growth",
        atMost: 5,
      },
    ],
  },
  growth: {
    title: "from one URL or circuit to 100,000",
    seconds: 8,
    measures: 3,
    targets: [
      {
        says: "answer from memory: time gained in µs, less what a `Map` gains",
        measure: "us of growth, by kept URLs",
        of: "api.fetch",
        less: "Map.get",
        atMost: 0.5,
      },
      {
        says: "call through a circuit by name: time gained in µs, less what a `Map` gains",
        measure: "us of growth, by circuits",
        of: "circuit.run",
        less: "Map.get",
        atMost: 0.1,
      },
      {
        says: "of 100 hot pages, kept after 100,000 one-time URLs",
        measure: "hot pages of 100 kept, after 100,000 one-time URLs",
        of: "api.fetch",
        atLeast: 100,
      },
    ],
  },
  unused: {
    title: "what nobody uses, over a build without it",
    seconds: 25,
    measures: Object.keys(FEATURES).length * UNUSED_PROCESSES * 2,
    targets: Object.keys(FEATURES).flatMap((feature) =>
      ["circuit.run", "api.wrap"].map((path) => ({
        says: `closed \`${path}\` without ${words(feature)}: time`,
        measure: `ns per ${path}, no ${feature}`,
        of: "whole",
        over: "without",
        atMost: 1.03,
      }))
    ),
  },
  memory: {
    title: "what is held, of 4 MiB, under loads that a memory without bounds would keep",
    seconds: 40,
    measures: MEMORY_LOADS.length,
    targets: MEMORY_LOADS.map((load) => ({
      says: `${load}: memory gained, less without a breaker, in MB`,
      measure: `MB, ${load}`,
      of: "breaker",
      less: "bare",
      atMost: 24,
    })),
  },
  size: {
    title: "the bundle for Workers, minified and compressed with gzip",
    seconds: 4,
    measures: 1,
    targets: [
      {
        says: "all of `mod.ts`, without lru-cache, in bytes",
        measure: GZIP,
        of: "breaker without lru-cache",
        atMost: 22 * KB,
      },
      {
        says: "all of `mod.ts`, with lru-cache, in bytes",
        measure: GZIP,
        of: "breaker",
        atMost: 28 * KB,
      },
      { says: "`Circuit` alone, in bytes", measure: GZIP, of: "Circuit alone", atMost: 7 * KB },
    ],
  },
  import: {
    title: "the import in a new process",
    seconds: 5,
    measures: 1,
    targets: [
      {
        says: "time in ms, less that of an empty module",
        measure: "ms",
        of: "breaker",
        less: "nothing",
        atMost: { deno: 1.5, node: 3, bun: 4 },
      },
      ...["lru-cache", "cockatiel", "opossum"].map((over) => ({
        says: `time, over that of ${over}`,
        measure: "ms",
        of: "breaker",
        over,
      })),
    ],
  },
};

function policy(of: string): string {
  return of === "by time" ? BY_TIME : BY_NUMBER[of as keyof typeof BY_NUMBER];
}

/** A feature's names as code: "`fallback` and `patienceMs`". */
function words(feature: string): string {
  return feature.split(" and ").map((name) => `\`${name}\``).join(" and ");
}
